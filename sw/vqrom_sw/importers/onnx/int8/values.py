"""What is known of a quantised model's tensors, and the network's layers while it is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np
import torch

from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import Quantization
from vqrom_sw.network import INPUT, Host, HostStep, Layer, Native, Shape


@dataclass(frozen=True)
class Scale:
    """The quantisation of an activation, with the file's type of its integers.

    Members
    -------
    quantization:
        Scale and zero point of the integers as int8: unsigned ones are taken 128 less.
    offset:
        What is taken off the file's integers: 128 for uint8, 0 for int8.
    """

    quantization: Quantization
    offset: int

    def quantized(self, real: float) -> int:
        """What QuantizeLinear makes of a number, before it saturates: ties go to the even one."""
        steps = np.rint(np.float32(real) / np.float32(self.quantization.scale))
        return int(np.clip(steps, -1e6, 1e6)) + self.quantization.zero_point


@dataclass(frozen=True)
class Weights:
    """A constant that went through DequantizeLinear.

    Members
    -------
    integers:
        int8 or int32, without a zero point.
    scale:
        float32, one or ``[n]``.
    axis:
        Axis along which there are several scales.
    """

    integers: np.ndarray
    scale: np.ndarray
    axis: int

    @property
    def real(self) -> np.ndarray:
        """The real numbers, float32, as DequantizeLinear makes them."""
        sizes = [1] * self.integers.ndim
        if self.scale.size > 1:
            sizes[self.axis] = self.scale.size
        return self.integers.astype(np.float32) * self.scale.reshape(sizes)

    def transposed(self, order: Sequence[int]) -> Weights:
        """The same with axes in another order."""
        return Weights(self.integers.transpose(order), self.scale,
                       list(order).index(self.axis) if self.scale.size > 1 else 0)


@dataclass(frozen=True)
class Activation:
    """A computed tensor whose numbers are those of a feature map.

    Members
    -------
    layer:
        Name of the layer that computes it, or ``"input"``.
    shape:
        Shape ``(H, W, C)`` of the map.
    native:
        How the file sees it.
    scale:
        Its quantisation; None for the input before QuantizeLinear.
    real:
        Whether it is float in the file, behind DequantizeLinear.
    """

    layer: str
    shape: Shape
    native: Native
    scale: Scale | None
    real: bool

    @property
    def sizes(self) -> tuple[int, ...]:
        """Shape in the file without the axis of images."""
        return self.native.sizes

    @property
    def quantization(self) -> Quantization:
        """Scale and zero point.

        Raises
        ------
        VqromError
            If it is not quantised yet.
        """
        if self.scale is None:
            raise VqromError("input must go through QuantizeLinear and DequantizeLinear first")
        return self.scale.quantization


Known = np.ndarray | Weights | Activation
"""What is known of a tensor."""


def usual_map(sizes: Sequence[int], channels_last: bool = False) -> tuple[Shape, Native]:
    """The usual map of a shape, and how the file sees it.

    Three sizes are an image ``(C, H, W)``, two a sequence ``(S, C)``, one a vector.

    Parameters
    ----------
    sizes:
        Shape without the axis of images.
    channels_last:
        Whether the last of three sizes are the channels.

    Raises
    ------
    VqromError
        If there are no or more than three sizes.
    """
    sizes = tuple(sizes)
    match sizes:
        case (channels,):
            return (1, 1, channels), Native(sizes)
        case (rows, channels):
            return (rows, 1, channels), Native(sizes, "HWC")
        case (rows, columns, channels) if channels_last:
            return sizes, Native(sizes, "HWC")
        case (channels, rows, columns):
            return (rows, columns, channels), Native(sizes)
    raise VqromError(f"tensors must have 2 to 4 axes, the first for images, not {len(sizes) + 1}")


def same_layout(one: Native, other: Native, shape: Shape) -> bool:
    """Whether a map has its numbers in one order, seen in two ways."""
    if one == other:
        return True
    height, width, channels = shape
    places = torch.arange(prod(shape)).reshape(1, channels, height, width)
    return torch.equal(one.tensor(places).reshape(-1), other.tensor(places).reshape(-1))


def channel_axis(value: Activation) -> int | None:
    """The axis of the file's sizes that is the map's channels; None if there is none."""
    height, width, channels = value.shape
    numbers = torch.arange(channels).reshape(1, channels, 1, 1).expand(1, -1, height, width)
    seen = value.native.tensor(numbers)[0]
    for axis, size in enumerate(value.sizes):
        alone = [size if place == axis else 1 for place in range(len(value.sizes))]
        if size == channels and bool((seen == torch.arange(size).reshape(alone)).all()):
            return axis
    return None


@dataclass(frozen=True)
class Made:
    """What of the file a layer makes.

    Members
    -------
    value:
        The layer's output.
    before, after:
        Names of the tensor before QuantizeLinear, and of that behind it.
    """

    value: Activation
    before: str
    after: str


class Int8Layers:
    """The layers that were made so far.

    Members
    -------
    layers:
        The layers in order.
    made:
        By layer, what of the file it makes.
    """

    def __init__(self) -> None:
        self.layers: list[Layer] = []
        self.made: dict[str, Made] = {}

    def fresh(self, name: str) -> str:
        """A name that no layer has yet."""
        taken = {layer.name for layer in self.layers} | {INPUT}
        found, count = name, 1
        while found in taken:
            count += 1
            found = f"{name}_{count}"
        return found

    def add(self, layer: Layer, native: Native, scale: Scale) -> Activation:
        """Add a layer, and return what it makes."""
        if prod(native.sizes) != prod(layer.shape):
            raise VqromError(f"output must be {layer.shape!r}, not {native.sizes!r}")
        self.layers.append(layer)
        return Activation(layer.name, layer.shape, native, scale, False)

    def as_map(self, value: Activation, shape: Shape, native: Native) -> Activation:
        """A value as a map of a given shape; a host layer is added if its numbers must move."""
        if value.shape == shape and same_layout(value.native, native, shape):
            return replace(value, native=native)
        if prod(value.shape) != prod(shape):
            raise VqromError(f"a map of {value.shape!r} must not become {shape!r}")
        return self.moved(value, f"{value.layer}_reshape", shape, native,
                          [HostStep("clone.default", ({"input": 0},), {})])

    def moved(self, value: Activation, name: str, shape: Shape, native: Native,
              steps: Sequence[HostStep]) -> Activation:
        """Add a host layer of steps that only move numbers."""
        assert value.scale is not None
        layer = Host(self.fresh(name), (value.layer,), shape, value.quantization, "reshape",
                     tuple(steps), (), (value.native,), native)
        return replace(self.add(layer, native, value.scale), real=value.real)

    def usual(self, value: Activation, channels_last: bool = False) -> Activation:
        """A value as the usual map of its sizes."""
        return self.as_map(value, *usual_map(value.sizes, channels_last))
