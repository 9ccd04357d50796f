"""What the activations of an int8 TFLite model are in the network that is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_sw.network import INPUT

from .file import TfliteFile
from .weights import NO_PADDING, Padding, Shape, Window, quantization_of

MAX_SIZE = 1 << 16


@dataclass(frozen=True)
class Value:
    """What an activation of the file is in the network.

    Members
    -------
    layer:
        Name of the layer that computes it.
    shape:
        ``(H, W, C)`` of the layer's output, which a RESHAPE does not change.
    padding:
        Zeros around it, from a PAD.
    reshaped:
        Whether the file sees another ``(H, W, C)``.
    """

    layer: str
    shape: Shape
    padding: Padding = NO_PADDING
    reshaped: bool = False


class Values:
    """The activations read so far, by the file's number of each tensor.

    Its methods raise :class:`VqromError` where the file is not what they need.
    """

    def __init__(self, file: TfliteFile):
        self.file = file
        self.values = {file.source: Value(INPUT, self.map(file.source))}

    def source(self, operator: Any, place: int = 0, *, padded: bool = False,
                reshaped: bool = False) -> Value:
        """An input, which may be padded or reshaped only where the operator takes that."""
        value = self.values.get(int(operator.Inputs(place)))
        if value is None:
            raise VqromError(f"input {place} must be a computed value, not a constant")
        if value.reshaped and not reshaped:
            raise VqromError("input must not be reshaped, but for FULLY_CONNECTED")
        if value.padding != NO_PADDING and not padded:
            raise VqromError("input must not be of PAD, but for convolutions")
        return value

    def weights(self, operator: Any) -> np.ndarray:
        """An operator's int8 weights, as the file orders them."""
        number = int(operator.Inputs(1))
        if self.file.type_of(number) != "INT8" or not self.file.is_constant(number):
            raise VqromError(f"weights must be INT8 constants, not {self.file.type_of(number)}")
        return self.file.array(number)

    def window(self, options: Any, sizes: tuple[int, int], kernel: tuple[int, int]) -> Window:
        """A window with the file's stride and padding over an image of ``sizes`` (H, W)."""
        stride = (options.StrideH(), options.StrideW())
        if min(*kernel, *stride) < 1:
            raise VqromError(f"kernel and stride must be positive, not {kernel!r} and {stride!r}")
        return Window(kernel, stride, self.file.padding(options, sizes, kernel, stride))

    def check_same_quantization(self, operator: Any) -> None:
        """Refuse an operator that would have to requantise."""
        one, other = (quantization_of(self.file, number)
                      for number in (operator.Inputs(0), operator.Outputs(0)))
        if one.zero_point != other.zero_point or abs(one.scale - other.scale) > 1e-6:
            raise VqromError(f"input and output must have one quantisation, not {one!r} "
                             f"and {other!r}")

    def map(self, number: int) -> Shape:
        """``(H, W, C)`` of a tensor: its last three sizes, ones before them."""
        batch, *sizes = self.file.shape(number) or (0,)
        if batch != 1 or not 1 <= len(sizes) <= 3 or not all(
                1 <= size <= MAX_SIZE for size in sizes):
            raise VqromError("activations must have shape (1, ..., C) of two to four sizes up to "
                             f"{MAX_SIZE}, not {self.file.shape(number)!r}")
        height, width, channels = (*[1] * (3 - len(sizes)), *sizes)
        return height, width, channels
