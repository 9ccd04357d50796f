"""The operators of int8 TFLite models: each becomes a layer, or passes an activation on.

Each function takes the activations read so far, an operator, and the name for its layer. It raises
:class:`VqromError` where the operator is used in a way that the network has no layer for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_hw.lib import OPERAND_SHIFT
from vqrom_sw.arithmetic import (
    HIGHEST,
    LOWEST,
    SOFTMAX_OUTPUT,
    quantize_mean_multiplier,
    quantize_multiplier,
    softmax_factor,
)
from vqrom_sw.network import (
    INPUT,
    AveragePool,
    Elementwise,
    GlobalAveragePool,
    Layer,
    MaxPool,
    Softmax,
)

from .convolution import convolution
from .scales import activation_range, quantization_of
from .sliding_window import NO_PADDING, SlidingWindow
from .values import TfliteValue, TfliteValues


def conv_2d(model: TfliteValues, operator: Any, name: str) -> Layer:
    """Make a convolution, whose filters the file orders as the network does."""
    options = model.file.options(operator, "Conv2DOptions")
    weights = model.weights(operator)
    return _convolution(model, operator, name, options, weights, 0)


def depthwise_conv_2d(model: TfliteValues, operator: Any, name: str) -> Layer:
    """Make a depthwise convolution: a grouped one with a group for each input channel."""
    options = model.file.options(operator, "DepthwiseConv2DOptions")
    weights = model.weights(operator).transpose(3, 1, 2, 0)
    return _convolution(model, operator, name, options, weights, 3)


def _convolution(model: TfliteValues, operator: Any, name: str, options: Any, weights: np.ndarray,
                 axis: int) -> Layer:
    source = model.source(operator, padded=True)
    height, width, channels = source.shape
    if (options.DilationHFactor(), options.DilationWFactor()) != (1, 1):
        raise VqromError("dilation must be 1")
    if weights.ndim != 4 or channels % weights.shape[3]:
        raise VqromError(f"filters of {weights.shape!r} must fit {channels} channels")
    top, left, bottom, right = source.padding
    window = model.window(options, (height + top + bottom, width + left + right),
                          (weights.shape[1], weights.shape[2]))
    padding = tuple(map(sum, zip(window.padding, source.padding, strict=True)))
    window = replace(window, padding=padding)
    return convolution(model.file, operator, name, source.layer, source.shape, weights,
                       window, channels // weights.shape[3], axis,
                       model.file.activation(options))


def fully_connected(model: TfliteValues, operator: Any, name: str) -> Layer:
    """Make a linear layer: a convolution whose kernel is its whole input."""
    options = model.file.options(operator, "FullyConnectedOptions")
    source = model.source(operator, reshaped=True)
    weights = model.weights(operator)
    if options.WeightsFormat() or weights.ndim != 2 \
            or weights.shape[1] != int(np.prod(source.shape)):
        raise VqromError(f"weights must be plain (outputs, {int(np.prod(source.shape))}), "
                         f"not {weights.shape!r}")
    height, width, _ = source.shape
    return convolution(model.file, operator, name, source.layer, source.shape,
                       weights.reshape(len(weights), *source.shape),
                       SlidingWindow((height, width), (1, 1), NO_PADDING), 1, 0,
                       model.file.activation(options), "linear")


def add(model: TfliteValues, operator: Any, name: str) -> Layer:
    """Make an addition; both inputs are brought to twice the greater of their scales."""
    first, second = model.source(operator), model.source(operator, 1)
    if first.shape != second.shape:
        raise VqromError(f"inputs must have one shape, not {first.shape!r} "
                         f"and {second.shape!r}")
    one, two = (quantization_of(model.file, operator.Inputs(place)) for place in (0, 1))
    output = quantization_of(model.file, operator.Outputs(0))
    twice = 2 * max(one.scale, two.scale)
    activation = model.file.activation(model.file.options(operator, "AddOptions"))
    return Elementwise(name, (first.layer, second.layer), first.shape, output, "add",
               (quantize_multiplier(name, one.scale / twice),
                quantize_multiplier(name, two.scale / twice)),
               quantize_multiplier(name, twice / ((1 << OPERAND_SHIFT) * output.scale)),
               activation_range(activation, output))


def average_pool_2d(model: TfliteValues, operator: Any, name: str) -> Layer:
    """Make an average pooling over windows."""
    source, window, clamp = _pool(model, operator)
    return AveragePool(name, (source.layer,), window.output(source.shape, source.shape[2]),
                       quantization_of(model.file, operator.Outputs(0)), window.kernel,
                       window.stride, window.padding, clamp)


def max_pool_2d(model: TfliteValues, operator: Any, name: str) -> Layer:
    """Make a max pooling, which has no room for a fused activation."""
    source, window, clamp = _pool(model, operator)
    if clamp != (LOWEST, HIGHEST):
        raise VqromError("a fused activation must change nothing")
    return MaxPool(name, (source.layer,), window.output(source.shape, source.shape[2]),
                   quantization_of(model.file, operator.Outputs(0)), window.kernel,
                   window.stride, window.padding)


def _pool(model: TfliteValues, operator: Any
          ) -> tuple[TfliteValue, SlidingWindow, tuple[int, int]]:
    options = model.file.options(operator, "Pool2DOptions")
    source = model.source(operator)
    model.check_same_quantization(operator)
    window = model.window(options, source.shape[:2],
                          (options.FilterHeight(), options.FilterWidth()))
    output = quantization_of(model.file, operator.Outputs(0))
    return source, window, activation_range(model.file.activation(options), output)


def mean(model: TfliteValues, operator: Any, name: str) -> Layer:
    """Make a global average pooling of a mean over height and width."""
    source = model.source(operator)
    rank = len(model.file.shape(operator.Inputs(0)))
    axes = sorted(int(axis) % rank for axis in model.file.array(operator.Inputs(1)).flatten())
    if rank != 4 or axes != [1, 2]:
        raise VqromError(f"must be over height and width, not axes {axes}")
    height, width, channels = source.shape
    one, output = (quantization_of(model.file, number)
                   for number in (operator.Inputs(0), operator.Outputs(0)))
    return GlobalAveragePool(
        name, (source.layer,), (1, 1, channels), output,
        quantize_mean_multiplier(name, one.scale / output.scale, height * width))


def softmax(model: TfliteValues, operator: Any, name: str) -> Layer:
    """Make an integer softmax over the channels."""
    source = model.source(operator)
    options = model.file.options(operator, "SoftmaxOptions")
    output = quantization_of(model.file, operator.Outputs(0))
    if output != SOFTMAX_OUTPUT:
        raise VqromError(f"output must have scale 1/256 and zero point -128, not {output!r}")
    factor = softmax_factor(name, options.Beta(),
                            quantization_of(model.file, operator.Inputs(0)).scale,
                            source.shape[2])
    return Softmax(name, (source.layer,), source.shape, output, *factor)


def reshape(model: TfliteValues, operator: Any, _: str) -> TfliteValue:
    """Pass an activation on in another shape; the network's input may be given that shape."""
    source, output = model.source(operator, reshaped=True), int(operator.Outputs(0))
    model.check_same_quantization(operator)
    seen = model.map(output)
    if np.prod(seen) != np.prod(source.shape):
        raise VqromError(f"must keep the elements of {source.shape!r}, not make {seen!r}")
    number = int(operator.Inputs(0))
    alone = sum(number in other.InputsAsNumpy() for other in model.file.operators()) == 1
    if source.layer == INPUT and alone and seen[:2] != (1, 1):
        # The same bytes in the same order: the network may as well take them so.
        model.input_shape = seen
        return TfliteValue(INPUT, seen)
    return replace(source, reshaped=seen != source.shape)


def pad(model: TfliteValues, operator: Any, _: str) -> TfliteValue:
    """Pass an activation on with zeros around it, which a convolution then takes in."""
    source = model.source(operator, padded=True)
    model.check_same_quantization(operator)
    amounts = model.file.array(operator.Inputs(1))
    if amounts.shape != (4, 2) or amounts[[0, 3]].any() or (amounts < 0).any():
        raise VqromError("must be of height and width only")
    (top, bottom), (left, right) = (map(int, row) for row in amounts[1:3])
    return replace(source, padding=(source.padding[0] + top, source.padding[1] + left,
                                    source.padding[2] + bottom, source.padding[3] + right))


def quantize(model: TfliteValues, operator: Any, _: str) -> TfliteValue:
    """Take the scale and zero point of a float input from the QUANTIZE after it."""
    number = int(operator.Inputs(0))
    if number != model.file.source or model.file.type_of(number) != "FLOAT32":
        raise VqromError("must be of the network's FLOAT32 input")
    model.input_quantization = quantization_of(model.file, operator.Outputs(0))
    return model.values[number]


def dequantize(model: TfliteValues, operator: Any, _: str) -> TfliteValue:
    """Pass the network's output on: the network gives it as int8."""
    if operator.Outputs(0) != model.file.result:
        raise VqromError("must make the network's output")
    return model.source(operator, reshaped=True)


OPERATORS: dict[str, Callable[[TfliteValues, Any, str], Layer | TfliteValue]] = {
    "ADD": add, "AVERAGE_POOL_2D": average_pool_2d, "CONV_2D": conv_2d,
    "DEPTHWISE_CONV_2D": depthwise_conv_2d, "DEQUANTIZE": dequantize,
    "FULLY_CONNECTED": fully_connected, "MAX_POOL_2D": max_pool_2d, "MEAN": mean, "PAD": pad,
    "QUANTIZE": quantize, "RESHAPE": reshape, "SOFTMAX": softmax, "SQUEEZE": reshape,
}
"""What makes a layer or an activation of each operator, by the operator's name."""
