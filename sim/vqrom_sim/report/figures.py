"""The figures of ``report.json``, from a network's layers and from what an engine counted.

Every engine's report is made here, so that one name has one meaning whatever counted it
(``docs/report-schema.md``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from vqrom_hw.codebook_shape import index_width
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import ACTIVITIES, COUNTERS, UNITS
from vqrom_sim.engines import Counts
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.compiler import CompiledNetwork, Program, Stage
from vqrom_sw.network import Conv, Layer, QuantizedNetwork

from .stages import describe_stages, host_entries, stage_figures

SCHEMA = "vqrom.simulate/3"
"""Version of ``report.json``; a key never changes its meaning within one."""
STREAMS = ("index", "raw_weight", "codebook", "parameter", "command", "activation")
"""Accounting classes of DRAM bytes."""
STALLS = tuple(activity for activity in ACTIVITIES if activity != "compute")
"""Causes of a cycle in which the array does not work."""

Run = tuple[Program, Counts]
"""A program, and what an engine counted while it ran."""


def describe(network: QuantizedNetwork, stages: Sequence[Stage], codebook: UniversalCodebook,
             config: AcceleratorConfig, images: int, engine: str) -> dict[str, Any]:
    """The report as far as no hardware is needed; hardware figures are None.

    Parameters
    ----------
    network, stages:
        The network, and its stages on the accelerator.
    codebook, config:
        Content of the ROM, and the accelerator.
    images, engine:
        Inputs that are run, and what runs them.
    """
    ordered = [layer for stage in stages for layer in stage.layers]
    macs = {layer.name: network.macs_of(layer) * images for layer in ordered}
    hosts = host_entries(network, stages, config, macs)
    layers = [{"name": layer.name, "kind": kind_of(layer), "macs": macs[layer.name],
               "weights": network.weights_of(layer), "host": hosts.get(layer.name)}
              for layer in ordered]
    convs = [layer for layer in network.layers if isinstance(layer, Conv)]
    raw = sum(layer.raw.size for layer in convs if layer.raw is not None)
    indices = sum(layer.indices.size for layer in convs if layer.indices is not None)
    outputs = [{"name": name, "layer": output.layer, "shape": list(output.native.sizes)}
               for name, output in zip(network.output_names, network.outputs, strict=True)]
    quantization = network.input_quantization
    return empty_report(network.name, engine, config, codebook.sha256, images, layers, raw,
                        indices * index_width(codebook.size)) | {
        "input": {"scale": quantization.scale, "zero_point": quantization.zero_point},
        "outputs": outputs, "stages": describe_stages(stages)}


def kind_of(layer: Layer) -> str:
    """What a layer does, as reports say it: every class of layers has a kind of its own."""
    return layer.kind  # pyright: ignore[reportAttributeAccessIssue]


def empty_report(name: str, engine: str, config: AcceleratorConfig, codebook_sha256: str | None,
                 images: int, layers: list[dict[str, Any]], raw: int,
                 index_bits: int) -> dict[str, Any]:
    """A report without hardware figures, outputs and stages.

    Parameters
    ----------
    name, engine, config:
        The network or topology, what ran it, and the accelerator.
    codebook_sha256:
        Identity of the codebook; None where there is none.
    images:
        Inputs that were run.
    layers:
        ``name``, ``kind``, ``macs`` (all inputs), ``weights`` and ``host`` of each layer.
    raw:
        Number of weights that are int8.
    index_bits:
        Bits of all index maps, packed.
    """
    unknown = dict.fromkeys(("cycles", "utilization", "traffic", "stalls", "busy"))
    count = sum(layer["weights"] for layer in layers)
    return {
        "schema": SCHEMA, "network": name, "engine": engine,
        "config": config.model_dump(mode="json"), "codebook_sha256": codebook_sha256,
        "images": images, "bit_exact": None, "mismatches": None, "first_mismatch": None,
        "cycles": None, "macs": sum(layer["macs"] for layer in layers),
        "host_macs": sum(layer["macs"] for layer in layers if layer["host"]),
        "peak_macs_per_cycle": config.peak_macs_per_cycle, "utilization": None,
        "weights": {"count": count, "indexed": count - raw, "raw": raw, "index_bits": index_bits},
        "traffic": None, "stalls": None, "busy": None, "input": None, "outputs": [], "stages": [],
        "baselines": [],
        "layers": [layer | unknown for layer in layers],
    }


def check_counters(program: Program, run: Counts) -> None:
    """Check that the bytes which the commands ask for are those that the hardware counted.

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


def program_figures(report: dict[str, Any], runs: Sequence[Run]) -> dict[str, Any]:
    """Cycles, utilisation, traffic, stalls and busy units of the whole run and of each layer.

    A layer's DRAM bytes are those that its own commands move: its fetches run while the layer
    before it computes, so a counter read at its end would say something else. Their sums are
    checked against the counters. All else of a layer is what was counted in its cycles.

    Parameters
    ----------
    report:
        From :func:`describe` or :func:`empty_report`.
    runs:
        The programs in the order in which they ran. Together they have the layers of the report
        that are not the host's. What moves their inputs and outputs is summed up.
    """
    for program, counts in runs:
        check_counters(program, counts)
    peak, images = report["peak_macs_per_cycle"], report["images"]
    beat = report["config"]["bus_width"] // 8
    total = _sum_of([counts.total for _, counts in runs])
    moved = {name.removesuffix("_beats"): beats * beat
             for name, beats in total.items() if name.endswith("_beats")}
    measured = _measured_layers(runs, images)
    layers = [_end("load", runs, 0, images, peak)]
    for layer in report["layers"]:
        if not layer["host"]:
            counters, own = next(measured)
            layer = layer | figures(counters, own, layer["macs"], peak)
        layers.append(layer)
    layers.append(_end("store", runs, -1, images, peak))
    return figures(total, moved, report["macs"] - report["host_macs"], peak) | {"layers": layers}


def hardware_figures(report: dict[str, Any], compiled: CompiledNetwork,
                     counts: Sequence[Counts | None]) -> dict[str, Any]:
    """:func:`program_figures` of a network, and those of its stages and host layers.

    Parameters
    ----------
    report:
        From :func:`describe`.
    compiled, counts:
        The stages, and what was counted for each; None for the host's.
    """
    runs = [(program, counted) for program, counted in zip(compiled.programs, counts, strict=True)
            if program is not None and counted is not None]
    measured = program_figures(report, runs)
    return measured | stage_figures(report | measured, compiled, counts)


def _measured_layers(runs: Sequence[Run],
                     images: int) -> Iterator[tuple[dict[str, int], dict[str, int]]]:
    """Counters of each layer of all programs but the ends, and the bytes that it moved."""
    for program, counts in runs:
        for counters, asked in zip(counts.layer_counters[1:-1], program.fetched_bytes[1:-1],
                                   strict=True):
            yield counters, {stream: count * images for stream, count in asked.items()}


def _end(name: str, runs: Sequence[Run], place: int, images: int, peak: int) -> dict[str, Any]:
    """The entry ``load`` or ``store``: what is first or last in each program, summed up."""
    counters = _sum_of([counts.layer_counters[place] for _, counts in runs])
    moved: dict[str, int] = {}
    for program, _ in runs:
        for stream, count in program.fetched_bytes[place].items():
            moved[stream] = moved.get(stream, 0) + count * images
    entry = {"name": name, "kind": name, "macs": 0, "weights": 0, "host": None}
    return entry | figures(counters, moved, 0, peak)


def _sum_of(counters: Sequence[dict[str, int]]) -> dict[str, int]:
    return {name: sum(one[name] for one in counters) for name in COUNTERS}


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
