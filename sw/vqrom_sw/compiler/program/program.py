"""The compiled program: commands, constants, and where inputs and outputs lie in DRAM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import COMMAND_BYTES, Region

from ..feature_map import DramLayout, align


@dataclass(frozen=True)
class Program:
    """What the accelerator needs to run one network, and what a driver has to know about it.

    Members
    -------
    config:
        The accelerator it is compiled for.
    layers:
        Names of its layers in execution order, with ``"load"`` first and ``"store"`` last; a
        command's layer number is an index into them.
    table:
        The command list, int64 ``[n, len(COLUMNS)]``, with the columns of
        :data:`vqrom_sw.compiler.COLUMNS`.
    commands:
        The command list as the accelerator reads it; empty if compiled without contents.
    constants:
        Weights and parameters, the DRAM region CONSTANT; empty if compiled without contents.
    constant_bytes, scratch_bytes:
        Sizes of the DRAM regions CONSTANT and SCRATCH.
    inputs, outputs:
        The maps in the regions INPUT and OUTPUT.
    fetched_bytes:
        For each layer, the bytes that its commands move in DRAM by traffic stream, the commands
        themselves included. Their sums equal the hardware's counters.
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
    inputs: tuple[DramLayout, ...]
    outputs: tuple[DramLayout, ...]
    fetched_bytes: tuple[dict[str, int], ...] = field(repr=False)
    cycle_limit: int

    @property
    def program_beats(self) -> int:
        """Length of the command list in bus beats, as the accelerator's register wants it."""
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
        """Lay out the only input, int8 ``[N, H, W, C]``, as uint8 ``[N, input_bytes]``."""
        return self.input_images([inputs], [zero_point])

    def input_images(self, inputs: Sequence[np.ndarray],
                     zero_points: Sequence[int]) -> np.ndarray:
        """Lay out several inputs, each int8 ``[N, H, W, C]``, as uint8 ``[N, input_bytes]``."""
        image = np.zeros((len(inputs[0]), self.input_bytes), np.uint8)
        for place, maps, zero_point in zip(self.inputs, inputs, zero_points, strict=True):
            image[:, place.offset:place.offset + place.size] = place.image(maps, zero_point)
        return image

    def output_maps(self, image: np.ndarray) -> np.ndarray:
        """Read the first output back from uint8 ``[N, output_bytes]`` as int8 ``[N, H, W, C]``."""
        return self.all_output_maps(image)[0]

    def all_output_maps(self, image: np.ndarray) -> list[np.ndarray]:
        """Read all outputs back from uint8 ``[N, output_bytes]``, each as int8 ``[N, H, W, C]``."""
        return [place.maps(image[:, place.offset:]) for place in self.outputs]
