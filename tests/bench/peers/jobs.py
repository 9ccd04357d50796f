"""What is asked of every simulator: two workloads on two machines, as plain numbers.

A job is JSON, so that a simulator can read it in an environment of its own, which has nothing of
this project.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vqrom_hw.config import AcceleratorConfig, load_config
from vqrom_sw.importers import Topology, TopologyLayer, read_topology

TOPOLOGIES = Path(__file__).parents[1] / "topologies"

WORKLOADS = {"resnet18": "ResNet-18", "gemm64": "64 products"}
"""Topology files by stem, and what the table calls them."""

PRESETS: tuple[str, ...] = ("edge16", "edge32")
"""Configurations that the machines are taken from."""

ACCUMULATOR_HALVES = 2
ACCUMULATOR_BYTES = 4


MAC_PJ = 0.2 + 0.1
"""An 8-bit multiplication and a 32-bit addition: Horowitz, "Computing's energy problem", ISSCC
2014, 45 nm, 0.9 V."""

DRAM_PJ_PER_BIT = 20.0
"""The lower end of what the same table gives for DRAM: 1.3 to 2.6 nJ for 64 bits."""

SRAM_PJ = 10.0
SRAM_BITS = 64
SRAM_BYTES = 8192
"""The same table: 10 pJ for 64 bits of a memory of 8 KB, 20 pJ of 32 KB, 100 pJ of 1 MB."""


@dataclass(frozen=True)
class Machine:
    """What all simulators are told of an accelerator.

    Members
    -------
    name:
        The preset that it is taken from.
    rows, columns:
        Input and output channels of the weight-stationary array: one multiply-accumulate each in a
        cycle.
    activation_bytes:
        Memory of feature maps.
    accumulator_bytes:
        Memory of int32 sums, both halves.
    weight_bytes:
        Memory of weights before the array: the weight FIFO.
    bus_bytes:
        Bytes that cross the DRAM bus in a cycle, in each direction.
    """

    name: str
    rows: int
    columns: int
    activation_bytes: int
    accumulator_bytes: int
    weight_bytes: int
    bus_bytes: int


def machine_of(config: AcceleratorConfig) -> Machine:
    """The dimensions of a configuration that other simulators have a place for."""
    return Machine(
        config.name, config.rows, config.columns, config.activation_words * config.rows,
        ACCUMULATOR_HALVES * config.accumulator_depth * config.columns * ACCUMULATOR_BYTES,
        config.weight_fifo_beats * config.beat_bytes, config.beat_bytes)


def sram_pj_per_bit(size_bytes: int) -> float:
    """Energy of an access to a memory, by the root of its size: exact at 8 and 32 KB of the table,
    13 % too high at 1 MB."""
    return SRAM_PJ / SRAM_BITS * (size_bytes / SRAM_BYTES) ** 0.5


def energies(machine: Machine) -> dict[str, float]:
    """One table of energies for all simulators, so that only their counts differ."""
    return {"mac_pj": MAC_PJ, "dram_pj_per_bit": DRAM_PJ_PER_BIT} | {
        f"{name}_pj_per_bit": sram_pj_per_bit(getattr(machine, f"{name}_bytes"))
        for name in ("activation", "accumulator", "weight")}


def layer_numbers(layer: TopologyLayer) -> dict[str, Any]:
    """One layer as plain numbers, padding included in its input as in the topology file.

    ``shape`` names the shape: layers of the same one are simulated once.
    """
    height, width, channels = layer.shape
    if layer.stride[0] != layer.stride[1] or layer.depthwise:
        raise ValueError(f"layer {layer.name!r} must have one stride and no groups")
    kernel = "x".join(map(str, layer.kernel))
    return {
        "shape": f"{height}x{width}x{channels} {kernel}/{layer.stride[0]} {layer.filters}",
        "height": height, "width": width, "channels": channels,
        "kernel_y": layer.kernel[0], "kernel_x": layer.kernel[1], "stride": layer.stride[0],
        "filters": layer.filters, "out_height": layer.output_shape[0],
        "out_width": layer.output_shape[1], "macs": layer.macs,
    }


def load_workload(stem: str) -> Topology:
    """The layers of one of ``WORKLOADS``."""
    return read_topology(TOPOLOGIES / f"{stem}.csv")


def workload_layers(stem: str) -> list[dict[str, Any]]:
    """All layers of one of ``WORKLOADS`` as plain numbers."""
    return [layer_numbers(layer) for layer in load_workload(stem).layers]


def job_of(preset: str, stem: str) -> dict[str, Any]:
    """What a simulator is asked: the distinct shapes of one workload on one machine."""
    machine = machine_of(load_config(preset))
    distinct = {layer["shape"]: layer for layer in workload_layers(stem)}
    return {"machine": asdict(machine), "energy": energies(machine),
            "layers": list(distinct.values())}
