"""A Verilator model of an accelerator between a memory and a driver that may do anything.

``bench.cpp`` beside this file is the memory, the driver and the watch over both buses; it takes a
script on its standard input. It is C++ because thousands of programs are to run.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.placed_network import REGIONS, PlacedNetwork
from vqrom_hw.bus import axi4_read_members, axi4_write_members, axi4lite_members
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.export import generate
from vqrom_hw.isa import ERROR, REGISTERS, ErrorCode
from vqrom_sim.engines.rtl import build
from vqrom_sim.engines.rtl.testbench import TOP
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.io import cached_directory

ROOM = 4096
"""Bytes of memory behind what a program needs, which it must not touch."""
MAIN = Path(__file__).with_name("bench.cpp")
DONE, SETTLING = (REGISTERS["status"].field(name).mask for name in ("done", "settling"))
"""Bits of the register ``status``. Settling may be set where a program was ended that waited for
the bus."""


@dataclass(frozen=True)
class Outcome:
    """What became of a start.

    Members
    -------
    hang:
        It had not ended after all its cycles.
    status, error, position, cycles:
        Registers after the end, and cycles from the start.
    outside_reads, outside_writes:
        Bursts read, and bytes written, outside of what the registers allow.
    breaches, activity:
        Breaches of the protocol; cycles after the end in which it asked the bus for something.
    was_reset:
        A reset has ended it, so that there is neither status nor error.
    """

    hang: bool
    status: int
    error: ErrorCode
    position: int
    cycles: int
    outside_reads: int
    outside_writes: int
    breaches: int
    activity: int
    was_reset: bool

    @property
    def harmless(self) -> bool:
        """It has ended, as done or failed, and has touched nothing but its regions."""
        ended = self.was_reset or self.status & ~SETTLING in (DONE, 1 << ERROR)
        return ended and not (self.hang or self.outside_reads or self.outside_writes
                              or self.breaches or self.activity)


@dataclass(frozen=True)
class Start:
    """A start of a program.

    Members
    -------
    registers:
        Values by name.
    patches:
        Byte addresses and what is put there before.
    seed, wait, latency:
        Of the memory's waits: the percentage of cycles, and the most cycles of a read.
    limit:
        Cycles after which it counts as hanging.
    abort, reset:
        Cycles until it is aborted or reset, 0 for never.
    with_bus:
        Whether a reset is one of the bus, too.
    """

    registers: dict[str, int]
    patches: tuple[tuple[int, bytes], ...] = ()
    seed: int = 0
    wait: int = 0
    latency: int = 30
    limit: int = 60_000
    abort: int = 0
    reset: int = 0
    with_bus: bool = False

    def script(self, beat_bytes: int) -> list[str]:
        """Commands for ``bench.cpp``. Regions are those that the registers say, in whole beats:
        what a burst brings beyond a limit within its last beat is no secret."""
        lines = [f"I {address} {content.hex()}" for address, content in self.patches]
        lines += [f"C {REGISTERS[name].offset} {value & 0xFFFFFFFF}"
                  for name, value in self.registers.items()]
        lines.append("X")
        program = self.registers["program_address"]
        lines.append(f"R {program} {program + self.registers['program_limit']}")
        for name in REGIONS:
            first, size = (self.registers[f"{kind}_{name}"] for kind in ("base", "limit"))
            lines += [f"{kind} {first} {first + size // beat_bytes * beat_bytes}" for kind in "RW"]
        lines.append(f"G {self.seed} {self.wait} {self.latency} {self.limit} {self.abort} "
                     f"{self.reset} {int(self.with_bus)}")
        return lines


class Bench:
    """Runs starts on an accelerator.

    Parameters
    ----------
    config, codebook:
        The accelerator; its model is built once and kept in the cache.
    """

    def __init__(self, config: AcceleratorConfig, codebook: UniversalCodebook) -> None:
        self.config = config
        self.codebook = codebook
        self._model = _build(config, codebook)

    def run(self, work: PlacedNetwork, starts: Sequence[Start]) -> list[tuple[Outcome, bytes]]:
        """Run starts one after the other on one memory; what became of each, and its output."""
        lines = [f"M {work.end + ROOM}", f"I 0 {work.image.hex()}"]
        for start in starts:
            lines += [*start.script(self.config.beat_bytes),
                      f"D {work.places['output']} {work.sizes['output']}"]
        done = subprocess.run([str(self._model / TOP)], input="\n".join(lines) + "\n", text=True,
                              cwd=self._model, capture_output=True, check=True)
        answers = done.stdout.splitlines()
        assert len(answers) == 2 * len(starts), done.stderr[-2000:]
        return [(_outcome(answers[2 * number]), bytes.fromhex(answers[2 * number + 1]))
                for number in range(len(starts))]


def _outcome(line: str) -> Outcome:
    hang, status, error, position, cycles, reads, writes, breaches, activity, was_reset = map(
        int, line.split())
    return Outcome(bool(hang), status, ErrorCode(error), position, cycles, reads, writes, breaches,
                   activity, bool(was_reset))


def _verilog(config: AcceleratorConfig) -> str:
    members = {"s_axil": axi4lite_members("s_axil_"),
               "m_axi": axi4_read_members("m_axi_", config.bus_width)
               | axi4_write_members("m_axi_", config.bus_width)}
    ports = members["s_axil"] | members["m_axi"]
    declared = ["input wire clk", "input wire rst", "output wire interrupt",
                *(f"{'output' if member.flow.name == 'Out' else 'input'} wire "
                  f"[{int(member.shape) - 1}:0] {name}" for name, member in ports.items())]
    connected = ", ".join(f".{name}({name})" for name in ("clk", "rst", "interrupt", *ports))
    return f"module {TOP} ({', '.join(declared)});\nvqrom dut ({connected});\nendmodule\n"


def _build(config: AcceleratorConfig, codebook: UniversalCodebook) -> Path:
    def make(folder: Path) -> None:
        generate(config, codebook.codewords, folder)
        (folder / "testbench.sv").write_text(_verilog(config), encoding="utf-8")
        build.verilate(folder, MAIN, *options)

    options = ("-CFLAGS", f"-DBEAT_BYTES={config.beat_bytes}")
    key = build.verilator_key(config.model_dump_json(exclude={"name", "dram_latency"}),
                              codebook.codewords.tobytes(), _verilog(config),
                              MAIN.read_bytes(), *options)
    return cached_directory("hostile-bench", key, make)
