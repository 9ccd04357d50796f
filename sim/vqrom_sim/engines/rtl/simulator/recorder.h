// Writes the values of some cycles of the programs into an FST file, where the model is built with
// tracing; elsewhere it is nothing. Arguments:
//   +fst=FILE         where to; without it nothing is written
//   +fst_scopes=FILE  a scope a line, after how many levels of it are written
//   +fst_first=N, +fst_end=N   cycles, counted over all programs from the first in which one runs
//   +fst_bytes=N      stop when the file is longer than that
//   +fst_clock=1      write the first half of each cycle, too, so that the clock is seen
//   +fst_stop=1       end the simulation when the last of them is written
//   +fst_done=FILE    gets the number of cycles written, now and then and at the end
// Cycle n stands at the times 2 n (just after the edge that begins it) and 2 n + 1 (just before the
// edge that ends it), in ns.
#pragma once

#include "Vtop.h"

#if VM_TRACE

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "Vtop___024root.h"
#include "verilated_fst_c.h"

namespace recorder {

class Recorder final {
    // Cycles between two looks at the file's size.
    static constexpr vluint64_t LOOK = 1 << 10;

    Vtop& m_top;
    VerilatedFstC m_fst;
    const std::string m_path = argument("fst");
    const std::string m_done = argument("fst_done");
    const vluint64_t m_first = number("fst_first");
    const vluint64_t m_end = number("fst_end");
    const vluint64_t m_bytes = number("fst_bytes");
    const bool m_clock = number("fst_clock") != 0;
    const bool m_stop = number("fst_stop") != 0;
    vluint64_t m_cycle = 0;
    vluint64_t m_written = 0;

    static std::string argument(const char* name) {
        const std::string prefix = std::string{name} + "=";
        const std::string found
            = Verilated::threadContextp()->commandArgsPlusMatch(prefix.c_str());
        return found.empty() ? found : found.substr(prefix.size() + 1);
    }

    static vluint64_t number(const char* name) {
        return std::strtoull(argument(name).c_str(), nullptr, 10);
    }

    void open() {
        Verilated::threadContextp()->traceEverOn(true);
        m_top.trace(&m_fst, 99);
        std::ifstream scopes{argument("fst_scopes")};
        int levels;
        std::string scope;
        while (scopes >> levels >> scope) m_fst.dumpvars(levels, scope);
        m_fst.open(m_path.c_str());
    }

    bool wanted() const {
        return m_fst.isOpen() && m_top.rootp->testbench__DOT__active && m_cycle >= m_first;
    }

    void tell() const { std::ofstream{m_done} << m_written << std::endl; }

    bool full() {
        m_fst.flush();
        tell();
        return std::filesystem::file_size(m_path) > m_bytes;
    }

public:
    explicit Recorder(Vtop& top)
        : m_top{top} {
        if (!m_path.empty()) open();
    }

    // The clock has just risen.
    void after_edge() {
        if (m_clock && wanted()) m_fst.dump(2 * m_cycle);
    }

    // The clock is about to rise.
    void before_edge() {
        const bool write = wanted();
        if (write) {
            m_fst.dump(2 * m_cycle + 1);
            ++m_written;
        }
        if (m_top.rootp->testbench__DOT__active) ++m_cycle;
        if (write && (m_cycle == m_end || (m_written % LOOK == 0 && full()))) {
            close();
            if (m_stop) Verilated::threadContextp()->gotFinish(true);
        }
    }

    void close() {
        if (!m_fst.isOpen()) return;
        m_fst.close();
        tell();
    }

    ~Recorder() { close(); }
};

static std::unique_ptr<Recorder> only;

static void open(Vtop& top) { only = std::make_unique<Recorder>(top); }
static void after_edge(const Vtop& top) {
    if (top.clk) only->after_edge();
}
static void before_edge(const Vtop& top) {
    if (!top.clk) only->before_edge();
}
static void close() { only.reset(); }

}  // namespace recorder

#else

namespace recorder {

static void open(Vtop&) {}
static void after_edge(const Vtop&) {}
static void before_edge(const Vtop&) {}
static void close() {}

}  // namespace recorder

#endif
