"""Simulate a whole network: run an engine, compare with the reference, report from counters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.counters import ACTIVITIES, UNITS
from vqrom_hw.errors import VqromError
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.compiler import compile_network
from vqrom_sw.network import Conv, QuantizedNetwork
from vqrom_sw.packing import index_width
from vqrom_sw.program import Program
from vqrom_sw.reference import output_of, quantize_input, run_reference
from vqrom_sw.residency import BEAT_COST

from .counts import Counts
from .progress import Progress
from .rtl_engine import run_rtl
from .tuning import fastest_program

SCHEMA = "vqrom.simulate/2"
ENGINES = ("reference", "rtl", "model")
STREAMS = ("index", "raw_weight", "codebook", "parameter", "command", "activation")
STALLS = tuple(activity for activity in ACTIVITIES if activity != "compute")


@dataclass(frozen=True)
class SimulationResult:
    """What an engine computed.

    Members
    -------
    outputs:
        int8 ``[N, *output_shape]``, the engine's own; None of the cycle model, which has no values.
    report:
        What ``report.json`` holds (``docs/report-schema.md``).
    """

    outputs: np.ndarray | None
    report: dict[str, Any]


def simulate(network: QuantizedNetwork, codebook: UniversalCodebook, config: AcceleratorConfig,
             inputs: np.ndarray, engine: str = "rtl",
             progress: Progress | None = None, tune: bool = False) -> SimulationResult:
    """Run a network on every input.

    Parameters
    ----------
    network:
        Quantised network.
    codebook:
        Content of the ROM.
    config:
        Accelerator.
    inputs:
        ``[N, C, H, W]``, float32 as the float network takes it or int8 already quantised.
    engine:
        ``"rtl"`` (the generated Verilog under Verilator), ``"model"`` (its cycles and counters
        without its values) or ``"reference"`` (its values alone).
    progress:
        Called with what is being done, how much of it is done, and how much there is (0: unknown).
    tune:
        Take the fastest of several tilings, tried on the cycle model.

    Raises
    ------
    VqromError
        If the parts do not fit each other, the network does not fit the accelerator, or a tool is
        missing.
    """
    if engine not in ENGINES:
        raise VqromError(f"engine must be one of {', '.join(ENGINES)}, not {engine!r}")
    tell = progress or (lambda what, done, total: None)
    images = quantize_input(network, inputs)

    def compile_for(*, contents: bool, beat_cost: float = BEAT_COST) -> Program:
        return compile_network(network, codebook.codewords, config, contents=contents,
                               beat_cost=beat_cost)

    def compiled(contents: bool) -> Program:
        if tune:
            return fastest_program(compile_for, contents=contents, progress=tell)
        return compile_for(contents=contents)

    if engine == "model":
        from .cycle.model import run_model

        program = compiled(contents=False)
        report = describe(network, codebook, config, len(images), engine)
        run = run_model(program, len(images), tell)
        return SimulationResult(None, report | hardware_figures(report, program, run))
    # First, since it is quick and says whether the network fits the accelerator.
    program = compiled(contents=True) if engine == "rtl" else None
    tell("integer reference", 0, 0)
    expected = output_of(network, run_reference(network, codebook, images))
    tell("integer reference", len(images), len(images))
    report = describe(network, codebook, config, len(images), engine)
    if program is None:
        return SimulationResult(expected, report | {"bit_exact": True, "mismatches": 0})

    placed = program.input_image(images, network.input_quantization.zero_point)
    run = run_rtl(program, codebook.codewords, placed, tell)
    maps = program.output_maps(run.outputs)
    outputs = maps.transpose(0, 3, 1, 2).reshape(expected.shape)
    mismatches = int(np.count_nonzero(outputs != expected))
    return SimulationResult(outputs, report | {
        "bit_exact": mismatches == 0, "mismatches": mismatches,
        **hardware_figures(report, program, run)})


def describe(network: QuantizedNetwork, codebook: UniversalCodebook, config: AcceleratorConfig,
             images: int, engine: str) -> dict[str, Any]:
    """The report as far as no hardware is needed; hardware figures are None."""
    layers = [{"name": layer.name, "kind": layer.kind, "macs": network.macs_of(layer) * images,
               "weights": network.weights_of(layer)} for layer in network.layers]
    convs = [layer for layer in network.layers if isinstance(layer, Conv)]
    raw = sum(layer.raw.size for layer in convs if layer.raw is not None)
    indices = sum(layer.indices.size for layer in convs if layer.indices is not None)
    return empty_report(network.name, engine, config, codebook.sha256, images, layers, raw,
                        indices * index_width(codebook.size))


def empty_report(name: str, engine: str, config: AcceleratorConfig, codebook_sha256: str | None,
                 images: int, layers: list[dict[str, Any]], raw: int,
                 index_bits: int) -> dict[str, Any]:
    """A report without hardware figures.

    Parameters
    ----------
    layers:
        ``name``, ``kind``, ``macs`` and ``weights`` of each.
    raw:
        Weights that are int8.
    index_bits:
        Of all index maps.
    """
    unknown = dict.fromkeys(("cycles", "utilization", "traffic", "stalls", "busy"))
    count = sum(layer["weights"] for layer in layers)
    return {
        "schema": SCHEMA, "network": name, "engine": engine,
        "config": config.model_dump(mode="json"), "codebook_sha256": codebook_sha256,
        "images": images, "bit_exact": None, "mismatches": None, "cycles": None,
        "macs": sum(layer["macs"] for layer in layers),
        "peak_macs_per_cycle": config.peak_macs_per_cycle, "utilization": None,
        "weights": {"count": count, "indexed": count - raw, "raw": raw, "index_bits": index_bits},
        "traffic": None, "stalls": None, "busy": None,
        "layers": [layer | unknown for layer in layers],
    }


def check_counters(program: Program, run: Counts) -> None:
    """The bytes that the commands ask for are those that the hardware counted.

    Raises
    ------
    AssertionError
        If they are not: a fault of the compiler or of the counters.
    """
    total = run.total
    asked: dict[str, int] = {}
    for moved in program.fetched_bytes:
        for stream, count in moved.items():
            asked[stream] = asked.get(stream, 0) + count * len(run.counters)
    for stream in (*STREAMS[:-1], "activation_read", "activation_write"):
        counted = total[f"{stream}_beats"] * program.config.beat_bytes
        if asked.get(stream, 0) != counted:
            raise AssertionError(f"{stream}: the commands move {asked.get(stream, 0)} bytes, "
                                 f"the hardware counted {counted}")
    per_layer = sum(counters["cycles"] for counters in run.layer_counters)
    if per_layer != total["cycles"]:
        raise AssertionError(f"cycles of the layers are {per_layer} in sum, not {total['cycles']}")


def hardware_figures(report: dict[str, Any], program: Program, run: Counts) -> dict[str, Any]:
    """Cycles, utilisation, traffic, stalls and busy units of the whole run and of each layer.

    A layer's DRAM bytes are those that its own commands move: its fetches run while the layer
    before it computes, so a counter read at its end would say something else. Their sums are
    checked against the counters. All else of a layer is what was counted in its cycles.
    """
    check_counters(program, run)
    images, beat = len(run.counters), program.config.beat_bytes
    peak = report["peak_macs_per_cycle"]
    total = run.total
    moved = {name.removesuffix("_beats"): beats * beat
             for name, beats in total.items() if name.endswith("_beats")}
    load, store = ({"name": name, "kind": name, "macs": 0, "weights": 0}
                   for name in ("load", "store"))
    layers = []
    for layer, counters, asked in zip([load, *report["layers"], store], run.layer_counters,
                                      program.fetched_bytes, strict=True):
        own = {stream: count * images for stream, count in asked.items()}
        layers.append(layer | figures(counters, own, layer["macs"], peak))
    return figures(total, moved, report["macs"], peak) | {"layers": layers}


def figures(counters: dict[str, int], moved: dict[str, int], macs: int,
            peak: int) -> dict[str, Any]:
    """Report entries of one set of counters, with the bytes moved per stream."""
    cycles = counters["cycles"]
    reads = {stream: moved.get(stream, 0) for stream in STREAMS}
    reads["activation"] = moved.get("activation_read", 0)
    writes = dict.fromkeys(STREAMS, 0) | {"activation": moved.get("activation_write", 0)}
    return {
        "cycles": cycles,
        "utilization": macs / (cycles * peak) if cycles else 0.0,
        "traffic": {
            "dram_read_bytes": reads, "dram_write_bytes": writes,
            "rom_reads": counters["rom_reads"],
            "buffers": {name: {"reads": counters[f"{counter}_reads"],
                               "writes": counters[f"{counter}_writes"]}
                        for name, counter in (("activation", "activation_buffer"),
                                              ("accumulator", "accumulator"))},
        },
        "stalls": {cause: counters[f"{cause}_cycles"] for cause in STALLS},
        "busy": {unit: counters[f"{unit}_busy"] for unit in UNITS},
    }
