// The least that can drive the model: CSR writes, a clock, and a wait for the interrupt.
// bare IMAGES INPUT_BASE INPUT_STRIDE OUTPUT_BASE OUTPUT_STRIDE INPUT_CSR OUTPUT_CSR CONTROL_CSR
// START (OFFSET VALUE)... +image=FILE ...; prints clock cycles and seconds.
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
    top.s_axil_wstrb = 0xF;
    top.rst = 1;
    for (int i = 0; i < 5; ++i) clock_cycle();
    top.rst = 0;
    clock_cycle();
    for (int i = 9; argv[i + 1][0] != '+'; i += 2) write_csr(argument(i), argument(i + 1));
    const auto start = std::chrono::steady_clock::now();
    const auto first = cycles;
    for (unsigned image = 0; image < argument(0); ++image) {
        write_csr(argument(5), argument(1) + image * argument(2));
        write_csr(argument(6), argument(3) + image * argument(4));
        write_csr(argument(7), argument(8));
        while (!top.__SYM__interrupt) clock_cycle();  // a word that some C++ compilers reserve
        write_csr(argument(7), 4);
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    top.dump = 1;
    top.eval();
    std::printf("bare %llu %.6f\n", cycles - first, seconds.count());
    return 0;
}
