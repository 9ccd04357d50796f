"""The cocotb testbench: program the CSRs, start, wait for the interrupt, read the counters.

Runs inside the simulator. Python acts a few times per image, never per cycle.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import cocotb
from cocotb.triggers import ClockCycles, FallingEdge, First, RisingEdge, Timer

from vqrom_hw.commands import ErrorCode
from vqrom_hw.counters import COUNTERS
from vqrom_hw.csr import (
    COUNTER,
    ERROR,
    INTERRUPT_CLEAR,
    INTERRUPT_ENABLE,
    START,
    csr_map,
)

PERIOD = 2
"""Nanoseconds of a clock cycle; the C++ main program owns the clock (``rtl/main.cpp``)."""


class AxiLite:
    """A minimal AXI4-Lite manager."""

    def __init__(self, dut):
        self._dut = dut
        self._offsets = {name: register["offset"] for name, register in csr_map().items()}
        for name in ("awvalid", "wvalid", "bready", "arvalid", "rready", "awprot", "arprot"):
            getattr(dut, f"s_axil_{name}").value = 0
        dut.s_axil_wstrb.value = 0xF

    async def write(self, register: str, value: int) -> None:
        dut = self._dut
        dut.s_axil_awaddr.value = self._offsets[register]
        dut.s_axil_wdata.value = value
        for name in ("awvalid", "wvalid", "bready"):
            getattr(dut, f"s_axil_{name}").value = 1
        await RisingEdge(dut.s_axil_bvalid)
        dut.s_axil_awvalid.value = dut.s_axil_wvalid.value = 0
        await RisingEdge(dut.clk)
        await RisingEdge(dut.clk)

    async def read(self, offset: int) -> int:
        dut = self._dut
        dut.s_axil_araddr.value = offset
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
    bus = AxiLite(dut)
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
        await bus.write("control", 1 << START | 1 << INTERRUPT_ENABLE)
        limit = Timer(job["max_cycles"] * PERIOD, unit="ns")
        dut.free_run.value = 1
        await First(RisingEdge(dut.interrupt), limit)
        dut.free_run.value = 0
        status = await bus.read(csr_map()["status"]["offset"])
        assert dut.interrupt.value == 1, f"image {image}: no end within {job['max_cycles']} cycles"
        if status >> ERROR & 1:
            code = await bus.read(csr_map()["error_code"]["offset"])
            place = await bus.read(csr_map()["error_command"]["offset"])
            raise AssertionError(f"image {image}: the accelerator reports error "
                                 f"{ErrorCode(code).name} at command {place}")
        values = {}
        for number, name in enumerate(COUNTERS):
            low = await bus.read(COUNTER + 8 * number)
            high = await bus.read(COUNTER + 8 * number + 4)
            values[name] = high << 32 | low
        counters.append(values)
        await bus.write("control", 1 << INTERRUPT_CLEAR)
        path.with_name("progress").write_text(str(image + 1), encoding="ascii")
    result = {"counters": counters, "seconds": time.perf_counter() - start}
    dut.dump.value = 1
    await Timer(PERIOD * 2, unit="ns")
    path.with_name("result.json").write_text(json.dumps(result), encoding="utf-8")
