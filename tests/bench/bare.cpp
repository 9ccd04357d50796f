// The least that can drive the model: CSR writes, a clock, and a wait for the interrupt.
// bare PROGRAM_ADDRESS PROGRAM_BEATS CONSTANT_BASE IMAGES INPUT_BASE INPUT_STRIDE OUTPUT_BASE
// OUTPUT_STRIDE CSR_OFFSETS(7) +image=FILE ...; prints clock cycles and seconds.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include "Vtop.h"
#include "verilated.h"

static VerilatedContext context;
static Vtop top{&context};
static unsigned long long cycles;

static void clock_cycle() {
    context.timeInc(1);
    top.clk = 1;
    top.eval();
    context.timeInc(1);
    top.clk = 0;
    top.eval();
    ++cycles;
}

static void write_csr(unsigned offset, unsigned value) {
    top.s_axil_awaddr = offset;
    top.s_axil_wdata = value;
    top.s_axil_awvalid = top.s_axil_wvalid = top.s_axil_bready = 1;
    top.eval();
    while (!top.s_axil_bvalid) clock_cycle();
    top.s_axil_awvalid = top.s_axil_wvalid = 0;
    clock_cycle();
    clock_cycle();
}

int main(int argc, char** argv) {
    context.commandArgs(argc, argv);
    auto argument = [&](int place) { return unsigned(std::strtoul(argv[place + 1], nullptr, 10)); };
    auto offset = [&](int place) { return argument(8 + place); };
    top.s_axil_wstrb = 0xF;
    top.rst = 1;
    for (int i = 0; i < 5; ++i) clock_cycle();
    top.rst = 0;
    clock_cycle();
    for (int i = 0; i < 3; ++i) write_csr(offset(i), argument(i));
    const auto start = std::chrono::steady_clock::now();
    const auto first = cycles;
    for (unsigned image = 0; image < argument(3); ++image) {
        write_csr(offset(3), argument(4) + image * argument(5));
        write_csr(offset(4), argument(6) + image * argument(7));
        write_csr(offset(5), offset(6));
        while (!top.__SYM__interrupt) clock_cycle();  // a word that some C++ compilers reserve
        write_csr(offset(5), 4);
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    top.dump = 1;
    top.eval();
    std::printf("bare %llu %.6f\n", cycles - first, seconds.count());
    return 0;
}
