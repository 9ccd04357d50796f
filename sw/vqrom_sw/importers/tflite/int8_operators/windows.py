"""Convolutions, linear layers and poolings."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import HIGHEST, LOWEST
from vqrom_sw.network import AveragePool, MaxPool, Select

from ..convolution import convolution
from ..scales import activation_range, quantization_of
from ..sliding_window import NO_PADDING, Padding, SlidingWindow, same_padding
from ..source import TfliteOperator
from ..values import Int8Network, TfliteValue


def weights_of(model: Int8Network, operator: TfliteOperator) -> np.ndarray:
    """The int8 weights of an operator, in the file's order."""
    number = operator.input(1)
    if number < 0 or model.file.type_of(number) != "INT8" or not model.file.is_constant(number):
        kind = model.file.type_of(number) if number >= 0 else "none"
        raise VqromError(f"weights must be INT8 constants, not {kind}")
    return model.file.array(number)


def _window(operator: TfliteOperator, group: str, sizes: tuple[int, int], kernel: tuple[int, int],
            dilation: tuple[int, int] = (1, 1)) -> SlidingWindow:
    stride = (operator.option(group, "strideH"), operator.option(group, "strideW"))
    if min(*kernel, *stride, *dilation) < 1:
        raise VqromError(f"kernel, stride and dilation must be positive, not {kernel!r}, "
                         f"{stride!r} and {dilation!r}")
    window = SlidingWindow(kernel, stride, NO_PADDING, dilation)
    if operator.option(group, "padding"):
        return window
    return replace(window, padding=same_padding(sizes, window.reach, stride))


def conv_2d(model: Int8Network, operator: TfliteOperator) -> TfliteValue:
    """Make a convolution, whose filters the file orders as the network does."""
    operator.option("Conv2DOptions", "quantizedBiasType")
    return _convolution(model, operator, "Conv2DOptions", weights_of(model, operator), 0)


def depthwise_conv_2d(model: Int8Network, operator: TfliteOperator) -> TfliteValue:
    """Make a depthwise convolution: a grouped one with a group for each input channel."""
    operator.option("DepthwiseConv2DOptions", "depthMultiplier")
    weights = weights_of(model, operator)
    if weights.ndim != 4:
        raise VqromError(f"filters must have four axes, not {weights.shape!r}")
    return _convolution(model, operator, "DepthwiseConv2DOptions", weights.transpose(3, 1, 2, 0), 3)


def _convolution(model: Int8Network, operator: TfliteOperator, group: str, weights: np.ndarray,
                 axis: int) -> TfliteValue:
    source = _padded_source(model, operator)
    height, width, channels = source.shape
    dilation = (operator.option(group, "dilationHFactor"),
                operator.option(group, "dilationWFactor"))
    if weights.ndim != 4 or 0 in weights.shape or channels % weights.shape[3]:
        raise VqromError(f"filters of {weights.shape!r} must fit {channels} channels")
    top, left, bottom, right = source.padding
    window = _window(operator, group, (height + top + bottom, width + left + right),
                     (weights.shape[1], weights.shape[2]), dilation)
    top, left, bottom, right = map(sum, zip(window.padding, source.padding, strict=True))
    window = replace(window, padding=(top, left, bottom, right))
    return model.add(operator, convolution(
        model, operator, operator.name, source, weights, window, channels // weights.shape[3],
        axis, operator.activation(group)))


def _padded_source(model: Int8Network, operator: TfliteOperator) -> TfliteValue:
    """The input of a convolution: an image, around which there may be padding."""
    source = model.source(operator)
    if len(source.sizes) != 3:
        raise VqromError(f"input must be an image, not {source.sizes!r}")
    padded = (source.shape[0] + source.padding[0] + source.padding[2],
              source.shape[1] + source.padding[1] + source.padding[3], source.shape[2])
    return source if padded == source.sizes else model.plain(operator)


def fully_connected(model: Int8Network, operator: TfliteOperator) -> TfliteValue:
    """Make a linear layer: a convolution whose kernel is its whole input, or a single pixel."""
    group = "FullyConnectedOptions"
    for name in ("quantizedBiasType", "keepNumDims", "asymmetricQuantizeInputs"):
        operator.option(group, name)  # The file's shape of the output says what they say.
    source, weights = model.source(operator), weights_of(model, operator)
    if operator.option(group, "weightsFormat") or weights.ndim != 2 or 0 in weights.shape \
            or prod(source.sizes) % weights.shape[1]:
        raise VqromError(f"weights must be plain (outputs, length of rows) and fit "
                         f"{source.sizes!r}, not {weights.shape!r}")
    length = weights.shape[1]
    if source.padding != NO_PADDING:
        source = model.plain(operator)
    whole = length == prod(source.shape)
    if not whole and length != source.shape[2]:
        source = model.shaped(source, (prod(source.shape) // length, 1, length),
                              operator.inputs[0])
    kernel = source.shape[:2] if whole else (1, 1)
    return model.add(operator, convolution(
        model, operator, operator.name, source,
        weights.reshape(len(weights), *kernel, source.shape[2]),
        SlidingWindow(kernel, (1, 1), NO_PADDING), 1, 0, operator.activation(group),
        kind="linear" if whole else "conv"))


def average_pool_2d(model: Int8Network, operator: TfliteOperator) -> TfliteValue:
    """Make an average pooling over windows."""
    source, window, clamp = _pool(model, operator)
    return model.add(operator, AveragePool(
        operator.name, (source.layer,), window.output(source.shape, source.shape[2]),
        quantization_of(model.file, operator.outputs[0]), window.kernel, window.stride,
        window.padding, clamp))


def max_pool_2d(model: Int8Network, operator: TfliteOperator) -> TfliteValue:
    """Make a max pooling, and behind it what clamps if its fused activation does."""
    source, window, clamp = _pool(model, operator)
    free = clamp == (LOWEST, HIGHEST)
    output = quantization_of(model.file, operator.outputs[0])
    shape = window.output(source.shape, source.shape[2])
    name = operator.name if free else model.fresh(f"{operator.name}_windows")
    pool = MaxPool(name, (source.layer,), shape, output, window.kernel, window.stride,
                   window.padding)
    if free:
        return model.add(operator, pool)
    model.layers.append(pool)
    return model.add(operator, Select(operator.name, (name,), shape, output,
                                      np.arange(shape[2], dtype=np.int32), (1, 1), clamp))


def _pool(model: Int8Network, operator: TfliteOperator
          ) -> tuple[TfliteValue, SlidingWindow, tuple[int, int]]:
    group, source = "Pool2DOptions", model.plain(operator)
    if len(source.sizes) != 3:
        raise VqromError(f"input must be an image, not {source.sizes!r}")
    output = model.check_same_quantization(operator)
    window = _window(operator, group, source.shape[:2],
                     (operator.option(group, "filterHeight"),
                      operator.option(group, "filterWidth")))
    return source, window, activation_range(operator.activation(group), output)


def transpose_padding(model: Int8Network, operator: TfliteOperator, sizes: tuple[int, int],
                      kernel: tuple[int, int]) -> tuple[tuple[int, int], Padding]:
    """The stride of a transposed convolution, and the padding of the one that it undoes."""
    group = "TransposeConvOptions"
    operator.option(group, "quantizedBiasType")
    window = _window(operator, group, sizes, kernel)
    return window.stride, window.padding


OPERATORS = {
    "CONV_2D": conv_2d, "DEPTHWISE_CONV_2D": depthwise_conv_2d, "FULLY_CONNECTED": fully_connected,
    "AVERAGE_POOL_2D": average_pool_2d, "MAX_POOL_2D": max_pool_2d,
}
"""What reads each operator with windows, by its name."""
