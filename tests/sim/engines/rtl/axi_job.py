"""Runs inside the simulator: cocotbext-axi's memory and manager around the accelerator.

Reads the job in ``VQROM_JOB`` that ``tests/sim/engines/rtl/axi_bench.py`` has written, and writes
``result.json`` beside it.
"""

from __future__ import annotations

import json
import logging
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, First, RisingEdge
from cocotbext.axi import AxiBus, AxiLiteBus, AxiLiteMaster, AxiRam

from tests.sim.engines.rtl.axi_monitor import AxiMonitor
from vqrom_hw.isa import ABORT, INTERRUPT_CLEAR, INTERRUPT_ENABLE, START, csr_map

REST = 300
"""Cycles after an interrupt in which nothing may happen any more."""

LONGEST = 400
"""Cycles of one rate of back-pressure: with rate 1.0 long enough for all bursts to get under way.
"""

QUEUE = 32
"""Transfers that the memory takes in ahead, more than may be under way."""

REGISTERS = {name: register["offset"] for name, register in csr_map().items()}
READ_BACK = ("status", "error_code", "error_command", "layer")


def pauses(rng: random.Random, rates: list[float]) -> Iterator[bool]:
    """Random back-pressure whose rate changes now and then."""
    while True:
        rate = rng.choice(rates)
        for _ in range(rng.randint(1, LONGEST)):
            yield rng.random() < rate


class Bench:
    """The accelerator between a memory and a manager."""

    def __init__(self, dut: Any, job: dict[str, Any], image: bytes):
        self.dut = dut
        self.ram: Any = AxiRam(AxiBus.from_prefix(dut, "m_axi"), dut.clk, size=job["memory"])
        self.ram.write(0, image)
        self.lite: Any = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk)
        self.monitor = AxiMonitor(job["beat_bytes"], job["max_beats"])
        self.flushes: list[int] = []
        self._fields = job["fields"]
        rng = random.Random(job["seed"])
        for channel in self._channels():
            channel.queue_occupancy_limit = QUEUE
            channel.set_pause_generator(pauses(random.Random(rng.random()), job["rates"]))
        cocotb.start_soon(self._watch())

    def _channels(self) -> list[Any]:
        channels = []
        for half in (self.ram.write_if, self.lite.write_if):
            channels += [half.aw_channel, half.w_channel, half.b_channel]
        for half in (self.ram.read_if, self.lite.read_if):
            channels += [half.ar_channel, half.r_channel]
        return channels

    async def _watch(self) -> None:
        cycle, flushed = 0, 1
        while True:
            await RisingEdge(self.dut.clk)
            value, now = int(self.dut.watch.value), {}
            for name, width in self._fields:
                now[name] = value & ((1 << width) - 1)
                value >>= width
            self.monitor.cycle(now)
            if now["flush"] > flushed:
                self.flushes.append(cycle)
            flushed = now["flush"]
            cycle += 1

    def break_at(self, half: Any, channel: Any, response: str, bad: list[int] | None,
                 reading: bool) -> None:
        """Make the memory answer with an error at an address."""
        address, code = bad or (-1, 0)
        cls = type(half)

        async def access(first: int, what: Any) -> Any:
            length = what if reading else len(what)
            if first <= address < first + length:
                raise ValueError("a bad address")
            return await (cls._read if reading else cls._write)(half, first, what)

        async def send(transaction: Any) -> None:
            if getattr(transaction, response):
                setattr(transaction, response, code)
            await type(channel).send(channel, transaction)

        setattr(half, "_read" if reading else "_write", access)
        channel.send = send

    async def run(self, run: dict[str, Any], limit: int) -> dict[str, Any]:
        """One start, and what came of it."""
        ram, lite = self.ram, self.lite
        for address, content in run["patches"]:
            ram.write(address, bytes.fromhex(content))
        self.break_at(ram.read_if, ram.read_if.r_channel, "rresp", run["bad_reads"], True)
        self.break_at(ram.write_if, ram.write_if.b_channel, "bresp", run["bad_writes"], False)
        for name, value in run["csr"].items():
            await lite.write_dword(REGISTERS[name], value)
        # Since a reset the bus must have been silent for a while.
        while await lite.read_dword(REGISTERS["status"]):
            pass
        self.flushes.clear()
        writes, start = len(self.monitor.written), self.monitor.now
        await lite.write_dword(REGISTERS["control"], 1 << START | 1 << INTERRUPT_ENABLE)
        polls = cocotb.start_soon(self._poll())
        if run["abort_after"] is not None:
            await ClockCycles(self.dut.clk, max(run["abort_after"], 1))
            await lite.write_dword(REGISTERS["control"], 1 << ABORT | 1 << INTERRUPT_ENABLE)
        await First(RisingEdge(self.dut.interrupt), ClockCycles(self.dut.clk, limit))
        end, memory = self.monitor.now, bytes(ram.read(0, ram.size))
        polls.cancel()
        await ClockCycles(self.dut.clk, REST)
        self.monitor.finish()
        return {
            "interrupt": bool(self.dut.interrupt.value), "cycles": end - start,
            "flush": self.flushes[0] if self.flushes else None,
            "written": self.monitor.written[writes:], "memory": memory.hex(),
            "quiet": bytes(ram.read(0, ram.size)) == memory,
            **{name: await lite.read_dword(REGISTERS[name]) for name in READ_BACK}}

    async def _poll(self) -> None:
        """A host that looks at the status all the time."""
        while True:
            await self.lite.read_dword(REGISTERS["status"])
            await self.lite.read_dword(REGISTERS["counter_cycles"])


@cocotb.test()
async def run_job(dut: Any) -> None:
    logging.getLogger("cocotb").setLevel(logging.WARNING)
    path = Path(os.environ["VQROM_JOB"])
    job = json.loads(path.read_text(encoding="utf-8"))
    dut.rst.value = 1
    bench = Bench(dut, job, path.with_name("image").read_bytes())
    cocotb.start_soon(Clock(dut.clk, 2, unit="ns").start())
    await ClockCycles(dut.clk, 5)
    dut.rst.value = 0
    await ClockCycles(dut.clk, 2)
    runs = []
    for run in job["runs"]:
        runs.append(await bench.run(run, job["cycles"]))
        await bench.lite.write_dword(REGISTERS["control"], 1 << INTERRUPT_CLEAR)
    monitor = bench.monitor
    path.with_name("result.json").write_text(json.dumps({
        "runs": runs, "violations": monitor.violations, "bursts": monitor.bursts,
        "deepest": monitor.deepest, "interrupt": int(dut.interrupt.value)}), encoding="utf-8")
