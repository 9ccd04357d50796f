"""Cycles, counters and DRAM bytes of a workload, from the cycle model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_hw.isa import COUNTER_MEANINGS, UNITS
from vqrom_sim.engines import run_model
from vqrom_sim.flows import compile_tuned, load_network, random_codebook, simulate_topology
from vqrom_sim.report import STALLS, STREAMS, describe, hardware_figures
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.compiler import Reload, compile_stages, cut_network
from vqrom_sw.io import content_key, source_digest
from vqrom_sw.network import QuantizedNetwork
from vqrom_sw.untrained import untrained

from ..context import Context, Program, check_unchanged, codebook_beside, float_network
from ..definition import Column, Scalar
from ..point import Point
from ..work import Result, Work
from .measure import Measure

MODEL = "cycle model, equal to the generated Verilog's counters"
COMMANDS = "cycle model; equal to the bytes that the program's commands move"
KEPT = ("cycles", "macs", "host_macs", "weights", "traffic", "stalls", "busy")
"""What is kept of a simulation's report: the figures of the whole run."""


@dataclass(frozen=True)
class CyclesWork(Work):
    """A program on the cycle model.

    Members
    -------
    config:
        The accelerator, without what no cycle depends on.
    program:
        What runs.
    raw:
        Whether layers have int8 weights instead of indices.
    reload:
        When a codebook SRAM is loaded.
    seed, tune:
        Seed of random weights, and whether the fastest of several tilings is taken.
    """

    config: AcceleratorConfig
    program: Program
    raw: bool
    reload: Reload
    seed: int
    tune: bool

    @property
    def key(self) -> str:
        """Sources, configuration, content of the program, and options."""
        return content_key(source_digest(__name__), self.config.model_dump_json(),
                           self.program.kind, self.program.name, self.program.sha256,
                           self.raw, self.reload, self.seed, self.tune)

    @property
    def label(self) -> str:
        """The program's name."""
        return f"cycles of {self.program.name}"

    def run(self) -> Result:
        """Compile the program, and time it."""
        check_unchanged(self.program)
        if self.program.topology is not None:
            report = simulate_topology(
                self.program.topology, self.config, "raw" if self.raw else "index", "model",
                self.seed, tune=self.tune, codebook_reload=self.reload)
        else:
            report = self._network_report()
        return {name: report[name] for name in KEPT}

    def _network_report(self) -> dict[str, Any]:
        network, codebook = _network(self.program, self.config, self.raw, self.seed)
        if (self.config.subvector, self.config.codewords) != (codebook.subvector, codebook.size):
            raise VqromError(
                f"workload {self.program.name!r} must run with its own codebook, {codebook.size} "
                f"codewords of {codebook.subvector}, not {self.config.codewords} of "
                f"{self.config.subvector}")
        compiled = compile_tuned(
            network, codebook.codewords, self.config, contents=False,
            codebook_reload=self.reload) if self.tune else compile_stages(
            network, codebook.codewords, self.config, contents=False,
            codebook_reload=self.reload)
        counts = [None if program is None else run_model(program) for program in compiled.programs]
        report = describe(network, cut_network(network, self.config), codebook, self.config, 1,
                          "model")
        return report | hardware_figures(report, compiled, counts)


def _network(program: Program, config: AcceleratorConfig, raw: bool,
             seed: int) -> tuple[QuantizedNetwork, UniversalCodebook]:
    """A network with its codebook; shapes get random weights, which no cycle depends on."""
    if program.kind == "vqnet":
        if raw:
            raise VqromError(f"workload {program.name!r} has weights of its own, so that weights "
                             "must be 'index'")
        return load_network(program.source), codebook_beside(program)
    shape = config.codewords, config.subvector
    return _untrained(program, *shape, raw, seed), random_codebook(*shape, seed)


@lru_cache(maxsize=4)
def _untrained(program: Program, codewords: int, subvector: int, raw: bool,
               seed: int) -> QuantizedNetwork:
    """Shapes with random weights, for all configurations whose codebook has the same shape."""
    codebook = random_codebook(codewords, subvector, seed)
    return untrained(float_network(program.kind, program.source), codebook, raw, seed)


def cycles_works(point: Point, context: Context) -> tuple[CyclesWork, ...]:
    """One for each program of the point's workload."""
    config, options = point.built
    # No cycle depends on the name and on how the ROM is written.
    plain = config.model_copy(update={"name": "study", "codebook_rom": "readmemh"})
    raw, ends = options.weights == "raw", config.codebook_storage == "rom"
    return tuple(
        CyclesWork(plain, program, raw, "network" if ends else options.codebook_reload,
                   options.seed, options.tune)
        for program in context.programs(options.workload))


def cycles_figures(point: Point, context: Context,
                   results: Sequence[Result]) -> dict[str, Scalar]:
    """Sums over the programs, and the share of the array's peak."""
    config, _ = point.built
    cycles, macs, host = (_sum(results, name) for name in ("cycles", "macs", "host_macs"))
    stalls = {f"{cause}_cycles": _sum(results, "stalls", cause) for cause in STALLS}
    return {
        "cycles": cycles, "macs": macs, "host_macs": host,
        "utilization": (macs - host) / (cycles * config.peak_macs_per_cycle),
        "compute_cycles": cycles - sum(stalls.values()), **stalls,
        **{f"{unit}_busy": _sum(results, "busy", unit) for unit in UNITS},
        "weight_count": _sum(results, "weights", "count"),
        "weight_bits": (_sum(results, "weights", "index_bits")
                        + 8 * _sum(results, "weights", "raw")),
    }


def traffic_figures(point: Point, context: Context,
                    results: Sequence[Result]) -> dict[str, Scalar]:
    """Sums over the programs, by stream and direction."""
    reads = {stream: _sum(results, "traffic", "dram_read_bytes", stream) for stream in STREAMS}
    written = _sum(results, "traffic", "dram_write_bytes", "activation")
    return {
        **{f"{stream}_read_bytes": count for stream, count in reads.items()},
        "activation_write_bytes": written,
        "weight_read_bytes": reads["index"] + reads["raw_weight"] + reads["codebook"],
        "dram_bytes": sum(reads.values()) + written,
        "rom_reads": _sum(results, "traffic", "rom_reads"),
        **{f"{counter}_{way}": _sum(results, "traffic", "buffers", name, way)
           for name, counter in (("activation", "activation_buffer"),
                                 ("accumulator", "accumulator"))
           for way in ("reads", "writes")},
    }


def _sum(results: Sequence[Result], *path: str) -> int:
    """The sum of a figure that lies somewhere within each result."""
    total = 0
    for result in results:
        value: Any = result
        for name in path:
            assert isinstance(value, Mapping)
            value = value[name]
        total += value
    return total


_COUNTED = ("cycles", "compute_cycles", *(f"{cause}_cycles" for cause in STALLS),
            *(f"{unit}_busy" for unit in UNITS))

CYCLES = Measure(
    "cycles",
    (*(Column(name, "cycles", COUNTER_MEANINGS[name], MODEL) for name in _COUNTED),
     Column("macs", "MACs", "multiply-accumulates of the workload", "layer shapes"),
     Column("host_macs", "MACs", "those of layers that the host does, which take no cycles here",
            "layer shapes"),
     Column("utilization", "", "share of the array's peak that is used while the programs run",
            MODEL),
     Column("weight_count", "weights", "weights of the workload", "layer shapes"),
     Column("weight_bits", "bits", "bits of all index maps and int8 weights", "layer shapes")),
    frozenset({"workload", "weights", "codebook_reload", "seed", "tune"}),
    cycles_works, cycles_figures)
"""Cycles by what they are spent on."""

TRAFFIC = Measure(
    "traffic",
    (*(Column(f"{stream}_read_bytes", "bytes", f"bytes read from DRAM, stream {stream}", COMMANDS)
       for stream in STREAMS),
     Column("activation_write_bytes", "bytes", "bytes of feature maps written to DRAM", COMMANDS),
     Column("weight_read_bytes", "bytes", "bytes read for weights: indices, int8 weights and "
            "codebooks", COMMANDS),
     Column("dram_bytes", "bytes", "all bytes over the DRAM bus", COMMANDS),
     *(Column(name, "codewords" if name == "rom_reads" else "words", COUNTER_MEANINGS[name], MODEL)
       for name in ("rom_reads", "activation_buffer_reads", "activation_buffer_writes",
                    "accumulator_reads", "accumulator_writes"))),
    CYCLES.fields, cycles_works, traffic_figures)
"""What crosses the DRAM bus, by stream, and what is read and written on the chip."""
