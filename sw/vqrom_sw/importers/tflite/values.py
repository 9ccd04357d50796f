"""An int8 TFLite model while it is read: its activations, and the network's layers so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import Quantization
from vqrom_sw.network import INPUT, Host, HostStep, Layer, Native, Pad

from .scales import quantization_of
from .sliding_window import NO_PADDING, Padding, Shape
from .source import StaticValues, TfliteFile, TfliteOperator

MAX_SIZE = 1 << 16
"""Greatest size of one dimension of a feature map."""


@dataclass(frozen=True)
class TfliteValue:
    """An activation of the file, as the network has it.

    Its numbers, in the file's order, are those of the layer's map, row by row, pixel by pixel,
    with the padding around it.

    Members
    -------
    layer:
        Name of the layer that computes it, or ``"input"``.
    shape:
        Shape ``(H, W, C)`` of the layer's output, which no RESHAPE changes.
    sizes:
        Shape in the file for one image, without the axis of images.
    padding:
        Pixels around it that hold the zero point, which a PAD adds.
    """

    layer: str
    shape: Shape
    sizes: tuple[int, ...]
    padding: Padding = NO_PADDING

    @property
    def is_plain(self) -> bool:
        """Whether the map has the shape that is usual for the file's."""
        return self.padding == NO_PADDING and self.shape == map_of(self.sizes)


def map_of(sizes: Sequence[int], rank: int = 0) -> Shape:
    """The usual map ``(H, W, C)`` of a shape in the file, without the axis of images.

    A vector is a single pixel, a sequence ``(S, C)`` has a row for each element, and more axes in
    front become rows. With a rank, the shape first gets axes of 1 in front.
    """
    sizes = [*[1] * (rank - len(sizes)), *sizes]
    if len(sizes) < 2:
        return 1, 1, prod(sizes)
    if len(sizes) == 2:
        return sizes[0], 1, sizes[1]
    return prod(sizes[:-2]), sizes[-2], sizes[-1]


class Int8Network:
    """The layers that were made so far, and the activations that they compute.

    Its methods raise :class:`VqromError` where the file is not what they need.

    Parameters
    ----------
    file:
        The model.

    Members
    -------
    file, statics:
        The model, and the values in it that do not depend on its input.
    values:
        Activations by the file's number of each tensor.
    layers:
        The layers in order.
    input_shape, input_native, input_quantization:
        The network's input: its shape ``(H, W, C)``, how the file sees it, its scale and zero
        point. The last is None while no QUANTIZE of a float input was seen.
    """

    def __init__(self, file: TfliteFile):
        self.file, self.statics = file, StaticValues(file)
        self.layers: list[Layer] = []
        shape, sizes = file.shape(file.source), file.sizes(file.source)
        if len(shape) < 2 or shape[0] != 1 or not 1 <= len(sizes) <= 3 or not all(
                1 <= size <= MAX_SIZE for size in sizes) or not file.is_fixed(file.source):
            raise VqromError("its input must have shape (1, ..., C) of two to four sizes up to "
                             f"{MAX_SIZE}, not {shape!r}")
        self.input_shape = map_of(sizes)
        height, width, channels = self.input_shape
        self.input_native = Native((channels, height, width)) if len(sizes) == 3 \
            else Native(sizes, "HWC")
        self.input_quantization: Quantization | None = None
        self.values = {file.source: TfliteValue(INPUT, self.input_shape, sizes)}
        self._made: dict[tuple[str, Padding, Shape], TfliteValue] = {}

    def knows(self, number: int) -> bool:
        """Whether a tensor is computed from the network's input."""
        return number in self.values

    def source(self, operator: TfliteOperator, place: int = 0) -> TfliteValue:
        """An input of an operator as it was made, perhaps padded or reshaped."""
        value = self.values.get(operator.input(place))
        if value is None:
            raise VqromError(f"input {place} must be computed from the network's input")
        return value

    def plain(self, operator: TfliteOperator, place: int = 0) -> TfliteValue:
        """An input of an operator as the usual map of its shape in the file."""
        value = self.source(operator, place)
        return self.shaped(value, map_of(value.sizes), operator.inputs[place])

    def shaped(self, value: TfliteValue, shape: Shape, number: int) -> TfliteValue:
        """A value as a map of a given shape; layers that pad or reshape it are added if needed.

        Parameters
        ----------
        value:
            The value.
        shape:
            The map's shape ``(H, W, C)``, of as many numbers.
        number:
            A tensor of the file that has its quantisation.
        """
        if value.padding == NO_PADDING and value.shape == shape:
            return value
        key = (value.layer, value.padding, shape)
        if key in self._made:
            return replace(self._made[key], sizes=value.sizes)
        quantization = self.quantization(number)
        if value.padding != NO_PADDING:
            top, left, bottom, right = value.padding
            height, width, channels = value.shape
            wide = (height + top + bottom, width + left + right, channels)
            layer = Pad(self.fresh(f"{value.layer}_pad"), (value.layer,), wide, quantization,
                        value.padding, quantization.zero_point)
            self.layers.append(layer)
            made = TfliteValue(layer.name, wide, value.sizes)
        else:
            made = self.host(f"{value.layer}_reshape", "reshape", [value], shape, value.sizes,
                             quantization, [HostStep("clone.default", ({"input": 0},), {})])
        self._made[key] = self.shaped(made, shape, number)
        return self._made[key]

    def host(self, name: str, operation: str, sources: Sequence[TfliteValue], shape: Shape,
             sizes: tuple[int, ...], quantization: Quantization, steps: Sequence[HostStep],
             views: Sequence[tuple[int, ...]] = (), view: tuple[int, ...] = (),
             constants: Sequence[np.ndarray] = ()) -> TfliteValue:
        """Add a host layer of steps that only move numbers, which keeps their bytes.

        Parameters
        ----------
        name:
            Name for the layer.
        operation:
            What it does, for messages and reports.
        sources:
            Its inputs, without padding.
        shape, sizes:
            Shape ``(H, W, C)`` of its map, and that in the file.
        quantization:
            Scale and zero point of inputs and output.
        steps:
            The steps.
        views, view:
            Shapes in which the steps see each input, and make the output, without the axis of
            images; those in the file, if left out.
        constants:
            Constant tensors, float32.
        """
        natives = tuple(Native(tuple(seen) or (1,), "HWC") for seen in (
            views or [source.sizes for source in sources]))
        layer = Host(self.fresh(name), tuple(source.layer for source in sources), shape,
                     quantization, operation, tuple(steps), tuple(constants), natives,
                     Native(tuple(view or sizes) or (1,), "HWC"))
        self.layers.append(layer)
        return TfliteValue(layer.name, shape, sizes)

    def constant_map(self, like: TfliteValue, number: int, sizes: tuple[int, ...]) -> TfliteValue:
        """Add a host layer that gives an int8 constant of the file, whatever its input is.

        Parameters
        ----------
        like:
            A value from which it learns the number of images.
        number:
            The constant's number.
        sizes:
            Shape that the value shall have in the file, without the axis of images.
        """
        quantization = self.quantization(number)
        real = self.statics.real(number).reshape(1, *sizes)
        flat = (prod(like.shape),)
        steps = [HostStep("sum.dim_IntList", ({"input": 0}, [1], True), {}),
                 HostStep("mul.Scalar", ({"step": 0}, 0.0), {}),
                 HostStep("reshape.default", ({"step": 1}, [-1, *[1] * len(sizes)]), {}),
                 HostStep("add.Tensor", ({"step": 2}, {"constant": 0}), {})]
        return self.host(f"constant_{number}", "constant", [like], map_of(sizes), sizes,
                         quantization, steps, [flat], constants=[real])

    def fresh(self, name: str) -> str:
        """A name that no layer has yet."""
        taken, count, found = {layer.name for layer in self.layers} | {INPUT}, 1, name
        while found in taken:
            count += 1
            found = f"{name}_{count}"
        return found

    def add(self, operator: TfliteOperator, layer: Layer, place: int = 0) -> TfliteValue:
        """Add the layer that makes an operator's output, and return that as a value."""
        sizes = self.file.sizes(operator.outputs[place])
        if prod(sizes) != prod(layer.shape):
            raise VqromError(f"output must be {layer.shape!r}, not {sizes!r}")
        self.layers.append(layer)
        return TfliteValue(layer.name, layer.shape, sizes)

    def quantization(self, number: int) -> Quantization:
        """Scale and zero point of a tensor, or of the network's input if it is that."""
        if number == self.file.source and self.input_quantization is not None:
            return self.input_quantization
        return quantization_of(self.file, number)

    def check_same_quantization(self, operator: TfliteOperator, place: int = 0,
                                result: int = 0) -> Quantization:
        """Refuse an operator whose output has another scale or zero point than its input."""
        one, other = (self.quantization(number)
                      for number in (operator.inputs[place], operator.outputs[result]))
        if one.zero_point != other.zero_point or abs(one.scale - other.scale) > 1e-6 * other.scale:
            raise VqromError(f"input and output must have one quantisation, not {one!r} "
                             f"and {other!r}")
        return other

    def constant(self, operator: TfliteOperator, place: int) -> np.ndarray:
        """A constant input of an operator, in the file's type."""
        number = operator.input(place)
        if not self.statics.knows(number):
            raise VqromError(f"input {place} must be a constant")
        return self.statics.get(number)

    def axis(self, operator: TfliteOperator, axis: int, number: int) -> int:
        """An axis of a tensor counted without that of images; -1 for that one."""
        shape = self.file.shape(number)
        if not -len(shape) <= axis < len(shape):
            raise VqromError(f"axis {axis} must be one of {len(shape)} axes")
        return axis % len(shape) - (len(shape) - len(self.file.sizes(number)))


def whole(value: Any) -> int:
    """A number of a constant of the file."""
    return int(np.asarray(value).reshape(-1)[0])
