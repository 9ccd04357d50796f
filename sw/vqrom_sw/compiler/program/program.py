"""A compiled network: commands, constants, and where feature maps lie in DRAM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import COMMAND_BYTES, Region
from vqrom_sw.compiler.feature_map import DramMap, round_up

ALIGNMENT = 64
"""Bytes: every block in DRAM starts at a multiple, which is a beat at every bus width."""


def align(size: int, unit: int = ALIGNMENT) -> int:
    """Round up to a multiple of ``unit``."""
    return round_up(size, unit)


@dataclass(frozen=True)
class Program:
    """What the accelerator needs to run one network.

    Members
    -------
    config:
        The accelerator it is compiled for.
    layers:
        Names of its layers in execution order, with ``"load"`` first and ``"store"`` last.
    table:
        int64 ``[n, len(COLUMNS)]``: the command list, with the columns of
        :data:`vqrom_sw.compiler.program.command_table.COLUMNS`.
    commands:
        The command list as the accelerator reads it; empty if compiled without contents.
    constants:
        Weights and parameters: DRAM region ``CONSTANT``; empty if compiled without contents.
    constant_bytes, scratch_bytes:
        Sizes of those DRAM regions.
    inputs, outputs:
        Maps in the regions ``INPUT`` and ``OUTPUT``.
    fetched_bytes:
        Per layer and stream, what its commands move in DRAM, and the commands themselves: equal to
        the hardware's counters in sum.
    cycle_limit:
        Clock cycles that one run stays far below, so that a simulation of hardware that hangs ends.
    """

    config: AcceleratorConfig
    layers: tuple[str, ...]
    table: np.ndarray = field(repr=False)
    commands: bytes = field(repr=False)
    constants: bytes = field(repr=False)
    constant_bytes: int
    scratch_bytes: int
    inputs: tuple[DramMap, ...]
    outputs: tuple[DramMap, ...]
    fetched_bytes: tuple[dict[str, int], ...] = field(repr=False)
    cycle_limit: int

    @property
    def program_beats(self) -> int:
        """Length of the command list in beats."""
        return len(self.table) * COMMAND_BYTES // self.config.beat_bytes

    @property
    def input_bytes(self) -> int:
        """Bytes of one run's inputs in DRAM."""
        return align(max(place.offset + place.size for place in self.inputs))

    @property
    def output_bytes(self) -> int:
        """Bytes of one run's outputs in DRAM."""
        return align(max(place.offset + place.size for place in self.outputs))

    @property
    def region_bytes(self) -> dict[Region, int]:
        """Size of each DRAM region for one run."""
        return {Region.CONSTANT: self.constant_bytes, Region.INPUT: self.input_bytes,
                Region.OUTPUT: self.output_bytes, Region.SCRATCH: self.scratch_bytes}

    def input_image(self, inputs: np.ndarray, zero_point: int) -> np.ndarray:
        """Lay out int8 ``[N, H, W, C]`` as uint8 ``[N, input_bytes]``."""
        return self.input_images([inputs], [zero_point])

    def input_images(self, inputs: Sequence[np.ndarray],
                     zero_points: Sequence[int]) -> np.ndarray:
        """The same for a program with several inputs."""
        image = np.zeros((len(inputs[0]), self.input_bytes), np.uint8)
        for place, maps, zero_point in zip(self.inputs, inputs, zero_points, strict=True):
            image[:, place.offset:place.offset + place.size] = place.image(maps, zero_point)
        return image

    def output_maps(self, image: np.ndarray) -> np.ndarray:
        """Inverse for outputs: uint8 ``[N, output_bytes]`` to int8 ``[N, H, W, C]``."""
        return self.all_output_maps(image)[0]

    def all_output_maps(self, image: np.ndarray) -> list[np.ndarray]:
        """The same for a program with several outputs."""
        return [place.maps(image[:, place.offset:]) for place in self.outputs]
