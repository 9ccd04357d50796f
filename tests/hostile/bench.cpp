// The accelerator between a driver and a memory that may do anything AXI allows, all of it watched.
//
// Reads a script from standard input, a command a line, and answers G and D on standard output:
//   M bytes                 memory of so many bytes, all zero
//   I address hex           put bytes into the memory
//   C offset value          write a register
//   X | R a b | W a b       forget regions; let reads, or writes, go to bytes a .. b - 1
//   G seed wait latency limit abort reset bus
//                           start; channels wait in so many percent of cycles, reads take up to
//                           `latency` cycles, and after `limit` cycles it hangs. After `abort` or
//                           `reset` cycles (0: never) it is aborted or reset, with the bus or alone.
//   D address bytes         print bytes of the memory
// The answer to G: hang, status, error code, error position, cycles, beats read and written outside
// of the regions, breaches of the protocol, activity after the end, and whether it was reset.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <iostream>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "Vtop.h"
#include "verilated.h"

static constexpr int BEAT = BEAT_BYTES;
static constexpr int REST = 300, BOUNDARY = 4096, QUEUE = 32;
static constexpr uint32_t CONTROL = 0x08, STATUS = 0x0C, CODE = 0x80, POSITION = 0x84;
static constexpr uint32_t START = 3, CLEAR = 4, ABORT = 8 | 2;

double sc_time_stamp() { return 0; }

struct Region { uint64_t first, end; };
struct Burst { uint32_t address; int beats; int64_t due; };
// What a channel of the accelerator offers, to see that it keeps its word.
struct Offer { bool held = false; uint64_t address = 0, length = 0; };

class Bench {
public:
    Bench() : top(std::make_unique<Vtop>("")) { reset(true); }

    std::vector<uint8_t> memory;
    std::vector<Region> readable, writable;
    int outside_reads = 0, outside_writes = 0, breaches = 0, activity = 0;

    void seed(uint64_t value, int percent, int most) {
        random.seed(value);
        waiting = percent;
        latency = most < 1 ? 1 : most;
    }

    void write(uint32_t offset, uint32_t value) {
        top->s_axil_awaddr = offset; top->s_axil_wdata = value; top->s_axil_wstrb = 0xF;
        top->s_axil_awvalid = top->s_axil_wvalid = top->s_axil_bready = 1;
        bool address = true, data = true, done = false;
        for (int cycle = 0; cycle < 100 && !done; ++cycle) {
            settle();
            const bool a = address && top->s_axil_awready, d = data && top->s_axil_wready;
            done = top->s_axil_bvalid;
            tick();
            if (a) { address = false; top->s_axil_awvalid = 0; }
            if (d) { data = false; top->s_axil_wvalid = 0; }
        }
        if (!done) ++breaches;
        top->s_axil_bready = 0;
    }

    uint32_t read(uint32_t offset) {
        top->s_axil_araddr = offset;
        top->s_axil_arvalid = top->s_axil_rready = 1;
        for (int cycle = 0; cycle < 100; ++cycle) {
            settle();
            const bool taken = top->s_axil_arready, answered = top->s_axil_rvalid;
            const uint32_t value = top->s_axil_rdata;
            tick();
            if (taken) top->s_axil_arvalid = 0;
            if (answered) { top->s_axil_rready = 0; return value; }
        }
        ++breaches;
        return 0;
    }

    void start() { write(CONTROL, START); }
    void abort() { write(CONTROL, ABORT); }
    bool interrupt() { settle(); return top->__SYM__interrupt; }

    // A burst of writes that has begun needs its beats: AXI has no way out but to reset the bus.
    void reset(bool bus) {
        if (bus || !opened.empty() || offer_aw.held || offer_w) {
            reading.clear(); opened.clear(); owed.clear();
            top->m_axi_rvalid = top->m_axi_bvalid = 0;
        }
        top->s_axil_awvalid = top->s_axil_wvalid = top->s_axil_arvalid = 0;
        top->rst = 1;
        for (int cycle = 0; cycle < 3; ++cycle) tick();
        top->rst = 0;
        offer_ar = offer_aw = Offer();
        offer_w = false;
    }

    bool quiet() const { return reading.empty() && opened.empty() && owed.empty(); }

    void settle() { top->eval(); }

    void tick() {
        settle();
        if (!top->rst) watch();
        top->clk = 1; top->eval();
        top->clk = 0;
        drive();
        top->eval();
        ++now;
    }

private:
    std::unique_ptr<Vtop> top;
    std::mt19937_64 random;
    std::deque<Burst> reading, opened;
    std::deque<int> owed;
    Offer offer_ar, offer_aw;
    bool offer_w = false, bad_write = false;
    int waiting = 0, latency = 1;
    int64_t now = 0;

    bool free_now() { return static_cast<int>(random() % 100) >= waiting; }

    static bool inside(const std::vector<Region>& regions, uint64_t first, uint64_t end) {
        for (const auto& region : regions)
            if (first >= region.first && end <= region.end) return true;
        return false;
    }

    void offered(Offer& offer, bool valid, bool ready, uint64_t address, uint64_t length) {
        if (offer.held && (!valid || address != offer.address || length != offer.length))
            ++breaches;
        const uint64_t end = address + (length + 1) * BEAT;
        if (valid && !offer.held && (address % BEAT || address / BOUNDARY != (end - 1) / BOUNDARY))
            ++breaches;
        offer = {valid && !ready, address, length};
    }

    // What happens at the coming edge.
    void watch() {
        activity += top->m_axi_arvalid || top->m_axi_awvalid || top->m_axi_wvalid;
        offered(offer_ar, top->m_axi_arvalid, top->m_axi_arready, top->m_axi_araddr,
                top->m_axi_arlen);
        offered(offer_aw, top->m_axi_awvalid, top->m_axi_awready, top->m_axi_awaddr,
                top->m_axi_awlen);
        if (top->m_axi_rvalid && top->m_axi_rready) {
            Burst& burst = reading.front();
            burst.address += BEAT;
            if (--burst.beats == 0) reading.pop_front();
            moved_read = true;
        }
        if (top->m_axi_arvalid && top->m_axi_arready) {
            const uint64_t first = top->m_axi_araddr;
            const int beats = top->m_axi_arlen + 1;
            if (!inside(readable, first, first + uint64_t(beats) * BEAT)) ++outside_reads;
            reading.push_back({top->m_axi_araddr, beats, now + 1 + int64_t(random() % latency)});
        }
        if (top->m_axi_bvalid && top->m_axi_bready) { owed.pop_front(); moved_answer = true; }
        if (top->m_axi_wvalid && top->m_axi_wready) store();
        offer_w = top->m_axi_wvalid && !top->m_axi_wready;
        if (top->m_axi_awvalid && top->m_axi_awready)
            opened.push_back({top->m_axi_awaddr, top->m_axi_awlen + 1, 0});
    }

    void store() {
        Burst& burst = opened.front();
        const auto* data = reinterpret_cast<const uint8_t*>(&top->m_axi_wdata);
        const auto* strobes = reinterpret_cast<const uint8_t*>(&top->m_axi_wstrb);
        for (int byte = 0; byte < BEAT; ++byte) {
            if (!(strobes[byte / 8] >> byte % 8 & 1)) continue;
            const uint64_t place = uint64_t(burst.address) + byte;
            if (!inside(writable, place, place + 1)) ++outside_writes;
            if (place < memory.size()) memory[place] = data[byte];
        }
        bad_write = bad_write || uint64_t(burst.address) + BEAT > memory.size();
        burst.address += BEAT;
        const bool last = --burst.beats == 0;
        if (last != bool(top->m_axi_wlast)) ++breaches;
        if (last) { owed.push_back(bad_write ? 3 : 0); opened.pop_front(); bad_write = false; }
    }

    bool moved_read = false, moved_answer = false;

    // Inputs of the next cycle.
    void drive() {
        top->m_axi_arready = reading.size() < QUEUE && free_now();
        top->m_axi_awready = opened.size() < QUEUE && free_now();
        top->m_axi_wready = !opened.empty() && free_now();
        if (moved_read) { top->m_axi_rvalid = 0; moved_read = false; }
        if (moved_answer) { top->m_axi_bvalid = 0; moved_answer = false; }
        if (!top->m_axi_rvalid && !reading.empty() && now >= reading.front().due && free_now()) {
            const Burst& burst = reading.front();
            const bool there = uint64_t(burst.address) + BEAT <= memory.size();
            auto* data = reinterpret_cast<uint8_t*>(&top->m_axi_rdata);
            if (there) std::memcpy(data, &memory[burst.address], BEAT);
            else std::memset(data, 0xA5, BEAT);
            top->m_axi_rvalid = 1;
            top->m_axi_rresp = there ? 0 : 3;
            top->m_axi_rlast = burst.beats == 1;
        }
        if (!top->m_axi_bvalid && !owed.empty() && free_now()) {
            top->m_axi_bvalid = 1;
            top->m_axi_bresp = owed.front();
        }
    }
};

static void go(Bench& bench, std::istringstream& words) {
    uint64_t seed; int wait, latency, bus; long limit, abort_after, reset_after;
    words >> seed >> wait >> latency >> limit >> abort_after >> reset_after >> bus;
    bench.seed(seed, wait, latency);
    bench.outside_reads = bench.outside_writes = bench.breaches = 0;
    bench.start();
    long cycles = 0;
    bool was_reset = false;
    for (; cycles < limit && !bench.interrupt() && !was_reset; ++cycles) {
        if (abort_after && cycles == abort_after) bench.abort();
        was_reset = reset_after && cycles == reset_after;
        if (!was_reset) bench.tick();
    }
    const bool hang = !was_reset && !bench.interrupt();
    bench.activity = 0;
    uint32_t status = 0, code = 0, position = 0;
    if (was_reset) {
        bench.reset(bus);
    } else if (hang) {
        bench.reset(true);
    } else {
        for (int cycle = 0; cycle < REST; ++cycle) bench.tick();
        if (!bench.quiet()) ++bench.breaches;
        status = bench.read(STATUS); code = bench.read(CODE); position = bench.read(POSITION);
        bench.write(CONTROL, CLEAR);
    }
    std::printf("%d %u %u %u %ld %d %d %d %d %d\n", hang, status, code, position, cycles,
                bench.outside_reads, bench.outside_writes, bench.breaches,
                was_reset || hang ? 0 : bench.activity, was_reset);
}

int main(int argc, char** argv) {
    Verilated::commandArgs(argc, argv);
    Bench bench;
    std::string line;
    while (std::getline(std::cin, line)) {
        std::istringstream words(line);
        char what; words >> what;
        uint64_t a = 0, b = 0;
        if (what == 'M') { words >> a; bench.memory.assign(a, 0); }
        else if (what == 'C') { words >> a >> b; bench.write(a, b); }
        else if (what == 'X') { bench.readable.clear(); bench.writable.clear(); }
        else if (what == 'R') { words >> a >> b; bench.readable.push_back({a, b}); }
        else if (what == 'W') { words >> a >> b; bench.writable.push_back({a, b}); }
        else if (what == 'G') go(bench, words);
        else if (what == 'I') {
            std::string hex; words >> a >> hex;
            for (size_t byte = 0; byte < hex.size() / 2; ++byte)
                bench.memory.at(a + byte) = std::stoi(hex.substr(2 * byte, 2), nullptr, 16);
        } else if (what == 'D') {
            words >> a >> b;
            for (uint64_t byte = 0; byte < b; ++byte) std::printf("%02x", bench.memory.at(a + byte));
            std::printf("\n");
        }
        std::fflush(stdout);
    }
    return 0;
}
