"""The activations of an int8 TFLite model, as the network that is made of it has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import Quantization
from vqrom_sw.network import INPUT

from .scales import quantization_of
from .sliding_window import NO_PADDING, Padding, Shape, SlidingWindow
from .tflite_file import TfliteFile

MAX_SIZE = 1 << 16
"""Greatest size of one dimension of an activation."""


@dataclass(frozen=True)
class TfliteValue:
    """An activation of the file, as the network has it.

    Members
    -------
    layer:
        Name of the layer that computes it, or ``"input"``.
    shape:
        Shape ``(H, W, C)`` of the layer's output, which a RESHAPE does not change.
    padding:
        Zeros around it, which a PAD adds.
    reshaped:
        Whether the file gives it another ``(H, W, C)``.
    """

    layer: str
    shape: Shape
    padding: Padding = NO_PADDING
    reshaped: bool = False


class TfliteValues:
    """The activations of a file that were read so far, and the network's input.

    Its methods raise :class:`VqromError` where the file is not what they need.

    Parameters
    ----------
    file:
        The model.

    Members
    -------
    values:
        Activations by the file's number of each tensor.
    input_shape, input_quantization:
        Shape ``(H, W, C)`` of the network's input, and its scale and zero point.
    """

    def __init__(self, file: TfliteFile):
        self.file = file
        self.input_shape = self.map(file.source)
        self.input_quantization = Quantization(1.0, 0)
        self.values = {file.source: TfliteValue(INPUT, self.input_shape)}

    def source(self, operator: Any, place: int = 0, *, padded: bool = False,
               reshaped: bool = False) -> TfliteValue:
        """An input of an operator; only some operators take a padded or a reshaped one."""
        value = self.values.get(int(operator.Inputs(place)))
        if value is None:
            raise VqromError(f"input {place} must be a computed value, not a constant")
        if value.reshaped and not reshaped:
            raise VqromError("input must not be reshaped, but for FULLY_CONNECTED")
        if value.padding != NO_PADDING and not padded:
            raise VqromError("input must not be of PAD, but for convolutions")
        return value

    def weights(self, operator: Any) -> np.ndarray:
        """The int8 weights of an operator, in the file's order."""
        number = int(operator.Inputs(1))
        if self.file.type_of(number) != "INT8" or not self.file.is_constant(number):
            raise VqromError(f"weights must be INT8 constants, not {self.file.type_of(number)}")
        return self.file.array(number)

    def window(self, options: Any, sizes: tuple[int, int], kernel: tuple[int, int]
               ) -> SlidingWindow:
        """The window that an operator's options move over an image of ``sizes`` (H, W)."""
        stride = (options.StrideH(), options.StrideW())
        if min(*kernel, *stride) < 1:
            raise VqromError(f"kernel and stride must be positive, not {kernel!r} and {stride!r}")
        return SlidingWindow(kernel, stride, self.file.padding(options, sizes, kernel, stride))

    def check_same_quantization(self, operator: Any) -> None:
        """Refuse an operator whose output has another scale or zero point than its input."""
        one, other = (quantization_of(self.file, number)
                      for number in (operator.Inputs(0), operator.Outputs(0)))
        if one.zero_point != other.zero_point or abs(one.scale - other.scale) > 1e-6:
            raise VqromError(f"input and output must have one quantisation, not {one!r} "
                             f"and {other!r}")

    def map(self, number: int) -> Shape:
        """The shape ``(H, W, C)`` of a tensor: its last sizes, filled up with ones in front."""
        batch, *sizes = self.file.shape(number) or (0,)
        if batch != 1 or not 1 <= len(sizes) <= 3 or not all(
                1 <= size <= MAX_SIZE for size in sizes):
            raise VqromError("activations must have shape (1, ..., C) of two to four sizes up to "
                             f"{MAX_SIZE}, not {self.file.shape(number)!r}")
        height, width, channels = (*[1] * (3 - len(sizes)), *sizes)
        return height, width, channels
