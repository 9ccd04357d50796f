"""The cocotb test bench: program the registers, start, wait for the interrupt, read the counters.

It runs inside the simulator's process, which finds it as a module of its own on its path; it
imports nothing of ours, since that would take longer than most simulations. The job file says where
the registers are. Python acts a few times per image, never per cycle.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import cocotb
from cocotb.triggers import ClockCycles, FallingEdge, First, RisingEdge, Timer

PERIOD = 2
"""Nanoseconds of a clock cycle; the C++ main program beside this file owns the clock."""


class AxiLite:
    """A minimal AXI4-Lite manager; ``offsets`` are byte addresses of registers by name."""

    def __init__(self, dut, offsets: dict[str, int]):
        self._dut = dut
        self._offsets = offsets
        for name in ("awvalid", "wvalid", "bready", "arvalid", "rready", "awprot", "arprot"):
            getattr(dut, f"s_axil_{name}").value = 0
        dut.s_axil_wstrb.value = 0xF

    async def write(self, register: str, value: int) -> None:
        """Write 32 bits of a register."""
        dut = self._dut
        dut.s_axil_awaddr.value = self._offsets[register]
        dut.s_axil_wdata.value = value
        for name in ("awvalid", "wvalid", "bready"):
            getattr(dut, f"s_axil_{name}").value = 1
        await RisingEdge(dut.s_axil_bvalid)
        dut.s_axil_awvalid.value = dut.s_axil_wvalid.value = 0
        await RisingEdge(dut.clk)
        await RisingEdge(dut.clk)

    async def read(self, register: str, word: int = 0) -> int:
        """Read 32 bits of a register: its word of that number, of those that have several."""
        dut = self._dut
        dut.s_axil_araddr.value = self._offsets[register] + 4 * word
        dut.s_axil_arvalid.value = dut.s_axil_rready.value = 1
        await RisingEdge(dut.s_axil_rvalid)
        value = dut.s_axil_rdata.value.to_unsigned()
        dut.s_axil_arvalid.value = 0
        await RisingEdge(dut.clk)
        await RisingEdge(dut.clk)
        return value


@cocotb.test()
async def run_program(dut) -> None:
    """Run the program once per image of the job in ``VQROM_JOB``; results go beside it."""
    path = Path(os.environ["VQROM_JOB"])
    job = json.loads(path.read_text(encoding="utf-8"))
    dut.dump.value = dut.free_run.value = 0
    dut.rst.value = 1
    bus, bits = AxiLite(dut, job["offsets"]), job["bits"]
    await ClockCycles(dut.clk, 5)
    await FallingEdge(dut.clk)
    dut.rst.value = 0
    await RisingEdge(dut.clk)

    for name, value in job["csr"].items():
        await bus.write(name, value)
    counters = []
    start = time.perf_counter()
    for image in range(job["images"]):
        await bus.write("base_input", job["input_base"] + image * job["input_stride"])
        await bus.write("base_output", job["output_base"] + image * job["output_stride"])
        await bus.write("control", 1 << bits["start"] | 1 << bits["interrupt_enable"])
        limit = Timer(job["max_cycles"] * PERIOD, unit="ns")
        dut.free_run.value = 1
        await First(RisingEdge(dut.interrupt), limit)
        dut.free_run.value = 0
        status = await bus.read("status")
        assert dut.interrupt.value == 1, f"image {image}: no end within {job['max_cycles']} cycles"
        if status >> bits["error"] & 1:
            code, place = await bus.read("error_code"), await bus.read("error_command")
            raise AssertionError(f"image {image}: the accelerator reports error "
                                 f"{job['errors'][code]} at command {place}")
        values = {}
        for name in job["counters"]:
            register = f"counter_{name}"
            values[name] = await bus.read(register) | await bus.read(register, 1) << 32
        counters.append(values)
        await bus.write("control", 1 << bits["interrupt_clear"])
        path.with_name("progress").write_text(str(image + 1), encoding="ascii")
    result = {"counters": counters, "seconds": time.perf_counter() - start}
    dut.dump.value = 1
    await Timer(PERIOD * 2, unit="ns")
    path.with_name("result.json").write_text(json.dumps(result), encoding="utf-8")
