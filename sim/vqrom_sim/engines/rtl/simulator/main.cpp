// Drives the model under cocotb. The clock is toggled here; while cocotb holds `free_run` high,
// cycles run without any VPI callback until the interrupt rises, so that Python and the VPI cost
// nothing per cycle.
#include <cstdio>
#include <memory>

#include "Vtop.h"
#include "recorder.h"
#include "verilated.h"
#include "verilated_vpi.h"

extern "C" void vlog_startup_routines_bootstrap(void);

// Free-running cycles between two looks at cocotb's timers.
static constexpr int CHUNK = 1 << 16;

static vluint64_t now;

double sc_time_stamp() { return static_cast<double>(now); }

static void value_changes() {
    while (VerilatedVpi::callValueCbs()) {}
}

static void after_writes() {
    VerilatedVpi::doInertialPuts();
    value_changes();
}

// One time step: evaluate until neither the design nor cocotb changes anything.
static void settle(Vtop& top) {
    do {
        do {
            top.eval_step();
            VerilatedVpi::clearEvalNeeded();
            after_writes();
        } while (VerilatedVpi::evalNeeded());
        VerilatedVpi::callCbs(cbReadWriteSynch);
        after_writes();
    } while (VerilatedVpi::evalNeeded());
    top.eval_end_step();
    VerilatedVpi::callCbs(cbReadOnlySynch);
}

static void run_free(Vtop& top) {
    for (int cycle = 0; cycle < CHUNK && !top.__SYM__interrupt; ++cycle) {
        recorder::before_edge(top);
        top.clk = 1;
        top.eval();
        recorder::after_edge(top);
        top.clk = 0;
        top.eval();
        now += 2;
    }
}

int main(int argc, char** argv) {
    Verilated::commandArgs(argc, argv);
    Verilated::fatalOnVpiError(false);
    const auto top = std::make_unique<Vtop>("");
    recorder::open(*top);
    bool ended = false;
    const auto end = [&ended] {
        if (!ended) VerilatedVpi::callCbs(cbEndOfSimulation);
        ended = true;
    };
    vlog_startup_routines_bootstrap();
    VerilatedVpi::callCbs(cbStartOfSimulation);
    value_changes();
    while (!Verilated::gotFinish()) {
        settle(*top);
        recorder::after_edge(*top);
        if (top->free_run && !top->clk) run_free(*top);
        recorder::before_edge(*top);
        now += 1;
        VerilatedVpi::callCbs(cbNextSimTime);
        value_changes();
        VerilatedVpi::callTimedCbs();
        value_changes();
        top->clk = !top->clk;
    }
    recorder::close();
    top->final();
    end();
    return Verilated::threadContextp()->errorCount() > 0;
}
