"""Means, maxima and the softmax."""

from __future__ import annotations

from math import prod

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import (
    HIGHEST,
    LOWEST,
    SOFTMAX_OUTPUT,
    Requantization,
    quantize_mean_multiplier,
    softmax_factor,
)
from vqrom_sw.network import Conv, GlobalAveragePool, MaxPool, Softmax

from ..sliding_window import NO_PADDING
from ..source import TfliteOperator
from ..values import Int8Network, TfliteValue


def _axes(model: Int8Network, operator: TfliteOperator) -> tuple[TfliteValue, list[bool]]:
    """The input as a map, and which of its rows, columns and channels are reduced."""
    operator.option("ReducerOptions", "keepDims")  # The file's shape of the output says it.
    number, value = operator.inputs[0], model.plain(operator)
    axes = {model.axis(operator, int(axis), number)
            for axis in model.constant(operator, 1).reshape(-1)}
    if len(value.sizes) > 3:
        raise VqromError(f"input must have at most three axes but that of images, "
                         f"not {value.sizes!r}")
    places = {1: [2], 2: [0, 2], 3: [0, 1, 2]}.get(len(value.sizes), [])
    reduced = [False] * 3
    for axis in axes - {-1}:
        reduced[places[axis]] = True
    return value, reduced


def mean(model: Int8Network, operator: TfliteOperator) -> TfliteValue:
    """Make a global average pooling, or sums by a convolution whose weights are 1."""
    value, reduced = _axes(model, operator)
    one, output = (model.quantization(number)
                   for number in (operator.inputs[0], operator.outputs[0]))
    height, width, channels = value.shape
    counts = [size if gone else 1 for size, gone in zip(value.shape, reduced, strict=True)]
    scale = quantize_mean_multiplier(operator.name, one.scale / output.scale, prod(counts))
    if counts == [height, width, 1]:
        return model.add(operator, GlobalAveragePool(
            operator.name, (value.layer,), (1, 1, channels), output, scale))
    depth = 1 if reduced[2] else channels
    ones = np.ones((depth, counts[0], counts[1], channels // depth), np.int8)
    shape = (height // counts[0], width // counts[1], depth)
    return model.add(operator, Conv(
        operator.name, (value.layer,), shape, output, "conv", (counts[0], counts[1]), (1, 1),
        NO_PADDING, None, ones, np.full(depth, one.scale), np.zeros(depth, np.int32),
        Requantization(np.repeat(scale.multiplier, depth), np.repeat(scale.shift, depth)),
        (LOWEST, HIGHEST), depth))


def reduce_max(model: Int8Network, operator: TfliteOperator) -> TfliteValue:
    """Make a max pooling over whole rows, columns or both."""
    value, reduced = _axes(model, operator)
    quantization = model.check_same_quantization(operator)
    if reduced[2]:
        raise VqromError("must not be over channels")
    height, width, channels = value.shape
    kernel = (height if reduced[0] else 1, width if reduced[1] else 1)
    return model.add(operator, MaxPool(
        operator.name, (value.layer,), (height // kernel[0], width // kernel[1], channels),
        quantization, kernel, (1, 1), NO_PADDING))


def softmax(model: Int8Network, operator: TfliteOperator) -> TfliteValue:
    """Make an integer softmax over the channels."""
    value, output = model.plain(operator), model.quantization(operator.outputs[0])
    if output != SOFTMAX_OUTPUT:
        raise VqromError(f"output must have scale 1/256 and zero point -128, not {output!r}")
    factor = softmax_factor(operator.name, operator.option("SoftmaxOptions", "beta"),
                            model.quantization(operator.inputs[0]).scale, value.shape[2])
    return model.add(operator, Softmax(operator.name, (value.layer,), value.shape, output,
                                       *factor))


OPERATORS = {"MEAN": mean, "REDUCE_MAX": reduce_max, "SOFTMAX": softmax}
"""What reads each reduction, by its name."""
