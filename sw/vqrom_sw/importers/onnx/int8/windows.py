"""Convolutions, linear layers and poolings of quantised models, with the file's integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Literal

import numpy as np
import torch

from vqrom_hw.errors import VqromError
from vqrom_sw.network import (
    AveragePool,
    Conv,
    GlobalAveragePool,
    MaxPool,
    Native,
    Shape,
)

from .groups import Group
from .scales import requantization
from .tables import requantised
from .values import Activation, Weights

BIAS_TOLERANCE = 1e-4
"""Greatest relative difference of a bias' scale from the product of the others, in float32."""


@dataclass(frozen=True)
class Window:
    """A window over an image; the members are as in :class:`vqrom_sw.network.Conv`."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]
    dilation: tuple[int, int]
    more: bool
    """Whether windows reach further than the file's own padding."""


def _pair(values: Sequence[int], rank: int, axes: str) -> tuple[int, int]:
    if len(values) != rank:
        raise VqromError(f"{axes} must have {rank} sizes, not {list(values)!r}")
    return (int(values[0]), int(values[1]) if rank == 2 else 1)


def _image(group: Group) -> Activation:
    """The first input as an image, or a signal ``(C, L)`` as one of a single column."""
    value = group.activation()
    if len(value.sizes) == 2:
        channels, length = value.sizes
        return group.layers.as_map(value, (length, 1, channels), Native(value.sizes))
    if len(value.sizes) != 3:
        raise VqromError(f"input must be an image or a signal, not {value.sizes!r}")
    return group.layers.usual(value)


def _window(group: Group, value: Activation, kernel: Sequence[int]) -> Window:
    """Take the attributes of a window, and find its padding from the result's size."""
    node, rank = group.node, len(value.sizes) - 1
    sides = _pair(kernel, rank, "kernel_shape")
    stride = _pair(node.attribute("strides", [1] * rank), rank, "strides")
    dilation = _pair(node.attribute("dilations", [1] * rank), rank, "dilations")
    pads = [int(pad) for pad in node.attribute("pads", [0] * 2 * rank)]
    if len(pads) != 2 * rank or min(pads) < 0:
        raise VqromError(f"pads must be {2 * rank} numbers that are not negative, not {pads!r}")
    kind = node.expect("auto_pad", "NOTSET", ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"))
    begin, end, more = [0, 0], [0, 0], False
    outputs = (*group.sizes[1:], 1)[:2]
    for axis in range(2):
        reach = (sides[axis] - 1) * dilation[axis] + 1
        needed = (outputs[axis] - 1) * stride[axis] + reach - value.shape[axis]
        if kind.startswith("SAME"):
            total = max(needed, 0)
            small = total // 2
            begin[axis] = small if kind == "SAME_UPPER" else total - small
            end[axis] = total - begin[axis]
        elif axis < rank:
            begin[axis], end[axis] = pads[axis], pads[axis + rank]
        further = needed - begin[axis] - end[axis]
        if further > 0:
            more, end[axis] = True, end[axis] + further
        elif further <= -stride[axis]:
            raise VqromError(f"windows must cover the image, not {outputs!r} of {value.shape!r}")
    return Window(sides, stride, (begin[0], begin[1], end[0], end[1]), dilation, more)


def _shape(group: Group) -> Shape:
    """The result's map: an image ``(C, H, W)``, or a signal ``(C, L)``."""
    channels, *sizes = group.sizes
    return sizes[0], sizes[1] if len(sizes) > 1 else 1, channels


def _bias(group: Group, place: int, scale: np.ndarray) -> np.ndarray:
    """Biases, int32 ``[C_out]``, in the accumulators' scale float64 ``[C_out]``."""
    bias = group.node.value(place) if group.node.has(place) else None
    if bias is None:
        return np.zeros(len(scale), np.int32)
    if isinstance(bias, Weights) and bias.integers.dtype == np.int32:
        if bias.integers.size != len(scale) or not np.allclose(
                bias.scale, scale, rtol=BIAS_TOLERANCE, atol=0):
            raise VqromError("the bias must have the scale of the input times that of the weights")
        return bias.integers.reshape(-1).copy()
    real = bias.real if isinstance(bias, Weights) else bias
    if not isinstance(real, np.ndarray) or real.size not in (1, len(scale)) \
            or real.dtype != np.float32:
        raise VqromError(f"input {place} must be a constant bias for each output channel")
    integers = np.rint(np.broadcast_to(real.reshape(-1), scale.shape).astype(np.float64) / scale)
    return np.clip(integers, -(1 << 31), (1 << 31) - 1).astype(np.int32)


def _product(group: Group, value: Activation, weights: np.ndarray, scale: np.ndarray,
             window: Window, shape: Shape, groups: int, bias: int,
             kind: Literal["conv", "linear"]) -> Activation:
    """Add a raw layer of int8 weights ``[C_out, kernel_y, kernel_x, C_in / groups]``."""
    name, one = group.name, value.quantization
    scales = np.broadcast_to(scale.astype(np.float64), (len(weights),)).copy()
    if groups < 1 or len(weights) % groups or value.shape[2] != weights.shape[3] * groups:
        raise VqromError(f"weights of {weights.shape!r} in {groups} groups must fit "
                         f"{value.shape[2]} channels")
    biases = _bias(group, bias, one.scale * scales)
    largest = np.abs(biases.astype(np.int64)) + 255 * np.abs(
        weights.astype(np.int64)).sum((1, 2, 3))
    if (largest >= 1 << 31).any():
        raise VqromError("accumulators must fit int32")
    output = group.scale.quantization
    factor = requantization(name, one.scale * scales / output.scale)
    layer = Conv(name, (value.layer,), shape, output, kind, window.kernel, window.stride,
                 window.padding, None, np.ascontiguousarray(weights), scales, biases, factor,
                 group.clamp(), groups, window.dilation)
    return group.layers.add(layer, Native(group.sizes), group.scale)


def _int8(weights: Weights, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Integers and scales of weights, which are along one axis if there are several."""
    if weights.integers.dtype != np.int8:
        raise VqromError(f"weights must be int8, not {weights.integers.dtype}")
    if weights.scale.size > 1 and weights.axis != axis:
        raise VqromError("weights must have one scale, or one for each output channel")
    return weights.integers, weights.scale.reshape(-1)


def conv(group: Group) -> Activation:
    """Make a convolution over an image or a signal."""
    value, weights = _image(group), group.weights(1)
    integers, scale = _int8(weights, 0)
    if integers.ndim != len(value.sizes) + 1:
        raise VqromError(f"weights of {integers.shape!r} must fit {value.sizes!r}")
    kernel = integers.shape[2:]
    if list(group.node.attribute("kernel_shape", kernel)) != list(kernel):
        raise VqromError("kernel_shape must be that of the weights")
    window = _window(group, value, kernel)
    filters = integers.reshape(*integers.shape[:2], *window.kernel).transpose(0, 2, 3, 1)
    return _product(group, value, filters, scale, window, _shape(group),
                    group.node.attribute("group", 1), 2, "conv")


def gemm(group: Group) -> Activation:
    """Make a linear layer of vectors."""
    node = group.node
    node.expect("transA", 0, (0,))
    node.expect("alpha", 1.0, (1.0,))
    node.expect("beta", 1.0, (1.0,))
    weights = group.weights(1)
    if not node.expect("transB", 0, (0, 1)):
        weights = weights.transposed((1, 0))
    return _linear(group, weights, 2)


def matmul(group: Group) -> Activation:
    """Make a product of a map with constant weights."""
    weights = group.weights(1)
    if weights.integers.ndim != 2:
        raise VqromError(f"weights must have two axes, not {weights.integers.shape!r}")
    return _linear(group, weights.transposed((1, 0)), 3)


def _linear(group: Group, weights: Weights, bias: int) -> Activation:
    """A product of the last axis with weights ``[C_out, C_in]``."""
    value = group.activation()
    integers, scale = _int8(weights, 0)
    if integers.shape[1] != value.sizes[-1]:
        raise VqromError(f"weights of {integers.shape!r} must fit {value.sizes!r}")
    if len(value.sizes) == 1:
        # A flattened map: the layer's kernel is all of it.
        height, width, _ = value.shape
        filters = value.native.feature_map(torch.from_numpy(integers.copy()), value.shape)
        window = Window((height, width), (1, 1), (0, 0, 0, 0), (1, 1), False)
        return _product(group, value, filters.permute(0, 2, 3, 1).numpy(), scale, window,
                        (1, 1, len(integers)), 1, bias, "linear")
    value = group.layers.usual(value, channels_last=True)
    window = Window((1, 1), (1, 1), (0, 0, 0, 0), (1, 1), False)
    made = _product(group, value, integers[:, None, None, :], scale, window,
                    (*value.shape[:2], len(integers)), 1, bias, "conv")
    return replace(made, native=Native(group.sizes, "HWC"))


def max_pool(group: Group) -> Activation:
    """Make a max pooling, and a table in front of it if quantisations differ."""
    group.plain()
    group.node.ignore("ceil_mode", "storage_order")
    value = requantised(group, _image(group))
    window = _window(group, value, group.node.required("kernel_shape"))
    layer = MaxPool(group.name, (value.layer,), _shape(group), group.scale.quantization,
                    window.kernel, window.stride, window.padding, window.dilation)
    return group.layers.add(layer, Native(group.sizes), group.scale)


def average_pool(group: Group) -> Activation:
    """Make an average pooling; a depthwise convolution where quantisations differ."""
    node = group.node
    node.ignore("ceil_mode")
    counted = bool(node.expect("count_include_pad", 0, (0, 1)))
    value = _image(group)
    window = _window(group, value, node.required("kernel_shape"))
    if window.more and counted:
        raise VqromError("count_include_pad with ceil_mode must not reach beyond the padding")
    output, shape = group.scale.quantization, _shape(group)
    if value.quantization == output and window.dilation == (1, 1) and all(
            pad < side for pad, side in zip(window.padding, window.kernel * 2, strict=True)):
        layer = AveragePool(group.name, (value.layer,), shape, output, window.kernel,
                            window.stride, window.padding, group.clamp(), counted)
        return group.layers.add(layer, Native(group.sizes), group.scale)
    if any(window.padding) and not counted:
        raise VqromError("input and output must have one quantisation where padding counts not")
    ones = np.ones((shape[2], *window.kernel, 1), np.int8)
    return _product(group, value, ones, np.array([1 / prod(window.kernel)]), window, shape,
                    shape[2], node.inputs, "conv")


def global_average(group: Group) -> Activation:
    """Make the mean of each channel over an image or a signal."""
    group.plain()
    return _mean(group, _image(group))


def reduce_mean(group: Group) -> Activation:
    """Make a mean that is over all of an image but its channels."""
    node, value = group.node, group.activation()
    group.plain()
    node.ignore("keepdims", "noop_with_empty_axes")
    given = node.attribute("axes", None)
    axes = given if given is not None else group.real(1)
    rank = len(value.sizes) + 1
    found = sorted(int(axis) % rank for axis in np.asarray(axes).reshape(-1)) \
        if axes is not None else []
    if rank not in (3, 4) or found != list(range(2, rank)):
        raise VqromError(f"axes must be height and width of an image, not {found!r} of {rank}")
    return _mean(group, _image(group))


def _mean(group: Group, value: Activation) -> Activation:
    height, width, channels = value.shape
    name, output = group.name, group.scale.quantization
    factor = requantization(name, value.quantization.scale / (output.scale * height * width))
    layer = GlobalAveragePool(name, (value.layer,), (1, 1, channels), output, factor)
    return group.layers.add(layer, Native(group.sizes), group.scale)


OPERATORS = {
    "Conv": conv, "Gemm": gemm, "MatMul": matmul, "MaxPool": max_pool, "AveragePool": average_pool,
    "GlobalAveragePool": global_average, "ReduceMean": reduce_mean,
}
"""What reads each operator with weights or windows, by its name."""
