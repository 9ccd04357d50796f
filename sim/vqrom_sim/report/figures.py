"""The figures of ``report.json``, from a network's layers and from what an engine counted.

Every engine's report is made here, so that one name has one meaning whatever counted it
(``docs/report-schema.md``).
"""

from __future__ import annotations

from typing import Any

from vqrom_hw.codebook_shape import index_width
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import ACTIVITIES, UNITS
from vqrom_sim.engines import Counts
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.compiler import Program
from vqrom_sw.network import Conv, QuantizedNetwork

SCHEMA = "vqrom.simulate/2"
"""Version of ``report.json``; a key never changes its meaning within one."""
STREAMS = ("index", "raw_weight", "codebook", "parameter", "command", "activation")
"""Accounting classes of DRAM bytes."""
STALLS = tuple(activity for activity in ACTIVITIES if activity != "compute")
"""Causes of a cycle in which the array does not work."""


def describe(network: QuantizedNetwork, codebook: UniversalCodebook, config: AcceleratorConfig,
             images: int, engine: str) -> dict[str, Any]:
    """The report as far as no hardware is needed; hardware figures are None."""
    # Every class of layers has a kind, as a field or for all of its layers.
    layers = [{"name": layer.name,
               "kind": layer.kind,  # pyright: ignore[reportAttributeAccessIssue]
               "macs": network.macs_of(layer) * images,
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
    name, engine, config:
        The network or topology, what ran it, and the accelerator.
    codebook_sha256:
        Identity of the codebook; None where there is none.
    images:
        Inputs that were run.
    layers:
        ``name``, ``kind``, ``macs`` (all inputs) and ``weights`` of each layer.
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
        "images": images, "bit_exact": None, "mismatches": None, "cycles": None,
        "macs": sum(layer["macs"] for layer in layers),
        "peak_macs_per_cycle": config.peak_macs_per_cycle, "utilization": None,
        "weights": {"count": count, "indexed": count - raw, "raw": raw, "index_bits": index_bits},
        "traffic": None, "stalls": None, "busy": None,
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
