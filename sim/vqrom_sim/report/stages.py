"""Stages and host layers in ``report.json``: what runs where, and what crosses in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vqrom_hw.config import AcceleratorConfig
from vqrom_sim.engines import Counts
from vqrom_sw.compiler import CompiledNetwork, Stage, host_reason
from vqrom_sw.network import QuantizedNetwork


def describe_stages(stages: Sequence[Stage]) -> list[dict[str, Any]]:
    """The entries ``stages`` without hardware figures."""
    return [{"where": stage.where, "layers": [layer.name for layer in stage.layers],
             "inputs": list(stage.inputs), "outputs": list(stage.outputs),
             "cycles": None, "read_bytes": None, "written_bytes": None} for stage in stages]


def host_entries(network: QuantizedNetwork, stages: Sequence[Stage], config: AcceleratorConfig,
                 macs: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """The entry ``host`` of each host layer, by name, without what crosses.

    Parameters
    ----------
    network, stages, config:
        The network, its stages, and the accelerator.
    macs:
        Multiply-accumulates of each layer, by name.
    """
    total = sum(macs.values())
    return {layer.name: {"reason": host_reason(layer, network, config),
                         "macs_share": macs[layer.name] / total if total else 0.0,
                         "read_bytes": None, "written_bytes": None}
            for stage in stages if stage.where == "host" for layer in stage.layers}


def stage_figures(report: dict[str, Any], compiled: CompiledNetwork,
                  counts: Sequence[Counts | None]) -> dict[str, Any]:
    """Cycles of each stage, and the bytes of maps that cross between accelerator and host.

    A stage of the accelerator reads and writes what its commands move. Maps on the host's side are
    counted as the programs have them in DRAM: those that an earlier program stored, and those that
    a later one reads, once for each program.

    Parameters
    ----------
    report:
        With ``layers`` and ``images``.
    compiled:
        The stages and their programs.
    counts:
        For each stage what was counted, None for the host's.

    Returns
    -------
    dict
        ``stages`` and ``layers``.
    """
    images = report["images"]
    stored, loaded = _crossing(compiled)
    stages = []
    for entry, stage, program, counted in zip(
            describe_stages(compiled.stages), compiled.stages, compiled.programs, counts,
            strict=True):
        if program is None or counted is None:
            read, written = (sum(sizes.get(name, 0) for name in names) * images
                             for sizes, names in ((stored, stage.inputs), (loaded, stage.outputs)))
            stages.append(entry | {"read_bytes": read, "written_bytes": written})
        else:
            read, written = (program.fetched_bytes[place].get(stream, 0) * images for place, stream
                             in ((0, "activation_read"), (-1, "activation_write")))
            stages.append(entry | {"cycles": counted.total["cycles"], "read_bytes": read,
                                   "written_bytes": written})
    layers = [_with_bytes(layer, compiled.network, stored, loaded, images)
              for layer in report["layers"]]
    return {"stages": stages, "layers": layers}


def _crossing(compiled: CompiledNetwork) -> tuple[dict[str, int], dict[str, int]]:
    """Bytes in DRAM of each map that programs store for others, and of each that they read."""
    stored: dict[str, int] = {}
    loaded: dict[str, int] = {}
    for stage, program in zip(compiled.stages, compiled.programs, strict=True):
        if program is not None:
            for name, layout in zip(stage.inputs, program.inputs, strict=True):
                loaded[name] = loaded.get(name, 0) + layout.size
            stored |= {name: layout.size
                       for name, layout in zip(stage.outputs, program.outputs, strict=True)}
    return stored, loaded


def _with_bytes(layer: dict[str, Any], network: QuantizedNetwork, stored: Mapping[str, int],
                loaded: Mapping[str, int], images: int) -> dict[str, Any]:
    """A layer's entry, with the bytes of a host layer that cross."""
    if not layer["host"]:
        return layer
    read = sum(stored.get(name, 0) for name in set(network.layer(layer["name"]).inputs))
    return layer | {"host": layer["host"] | {
        "read_bytes": read * images, "written_bytes": loaded.get(layer["name"], 0) * images}}
