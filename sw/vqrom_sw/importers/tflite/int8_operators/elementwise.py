"""Arithmetic of two operands: of two maps, or of a map and a constant, which is a table."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_hw.lib import OPERAND_SHIFT
from vqrom_sw.arithmetic import (
    HIGHEST,
    LOWEST,
    Quantization,
    Requantization,
    quantize_multiplier,
)
from vqrom_sw.network import Elementwise, Operator, Select, Table, Upsample

from ..functions import NUMBERS, SINGLE, finished, scaled
from ..scales import activation_range
from ..sliding_window import NO_PADDING, Shape
from ..source import TfliteOperator
from ..values import Int8Network, TfliteValue, map_of

KINDS: dict[str, tuple[Operator, str]] = {
    "ADD": ("add", "AddOptions"), "SUB": ("subtract", "SubOptions"),
    "MUL": ("multiply", "MulOptions"), "MAXIMUM": ("maximum", ""), "MINIMUM": ("minimum", "")}
"""What is done with two numbers, and the operator's options, by operator."""


def combine(model: Int8Network, operator: TfliteOperator) -> TfliteValue:
    """Make an element-wise layer, or a table where an operand is a constant of each channel."""
    kind, group = KINDS[operator.kind]
    scales = [model.quantization(number) for number in operator.inputs[:2]]
    output = model.quantization(operator.outputs[0])
    if not group and (scales[0], scales[1]) != (output, output):
        raise VqromError(f"inputs and output must have one quantisation, not {scales!r} "
                         f"and {output!r}")
    if group in ("AddOptions", "SubOptions"):
        operator.option(group, "potScaleInt16")
    clamp = activation_range(operator.activation(group) if group else "NONE", output)
    factors = _factors(operator.name, kind, scales, output)
    constant = next((place for place in (0, 1) if not model.knows(operator.inputs[place])), None)
    if constant is not None:
        by_channel = _channels(model, operator, constant)
        if by_channel is not None:
            return _table(model, operator, constant, by_channel, (kind, *factors, clamp), scales)
    first, second, shape = _operands(model, operator, kind != "subtract")
    turned = operator.inputs[0] != first[1]
    inputs = factors[0]
    if turned and inputs is not None:
        inputs = (inputs[1], inputs[0])
    return model.add(operator, Elementwise(
        operator.name, (first[0].layer, second[0].layer), shape, output, kind, inputs,
        factors[1], clamp))


def _factors(name: str, kind: Operator, scales: list[Quantization], output: Quantization
             ) -> tuple[tuple[Requantization, Requantization] | None, Requantization]:
    """Factors of the operands and of the result; the kernel has products in float32."""
    one, two = scales
    if kind == "multiply":
        return None, quantize_multiplier(name, float(
            SINGLE(one.scale) * SINGLE(two.scale) / SINGLE(output.scale)))
    twice = 2 * max(one.scale, two.scale)
    return ((quantize_multiplier(name, one.scale / twice),
             quantize_multiplier(name, two.scale / twice)),
            quantize_multiplier(name, twice / ((1 << OPERAND_SHIFT) * output.scale)))


def _channels(model: Int8Network, operator: TfliteOperator, place: int) -> np.ndarray | None:
    """A constant as one number or one for each channel, ``[T]``; None if it is neither."""
    number, other = operator.inputs[place], operator.inputs[1 - place]
    if model.file.type_of(number) != "INT8":
        raise VqromError(f"constants must be INT8, not {model.file.type_of(number)}")
    values = model.constant(operator, place)
    sizes = model.values[other].sizes
    if values.size == 1:
        return values.reshape(1)
    last = sizes[-1] if sizes else 1
    if prod(model.file.sizes(operator.outputs[0])) == prod(sizes) and values.size == last \
            and values.shape[-1] == last:
        return values.reshape(-1)
    return None


def _table(model: Int8Network, operator: TfliteOperator, place: int, constant: np.ndarray,
           how: tuple, scales: list[Quantization]) -> TfliteValue:
    """A layer that looks up what the operator makes of each number and the constant."""
    kind, inputs, factor, clamp = how
    output = model.quantization(operator.outputs[0])
    fixed = np.repeat(constant.astype(np.int64)[:, None] - scales[place].zero_point, 256, 1)
    moving = np.broadcast_to(NUMBERS - scales[1 - place].zero_point, fixed.shape).copy()
    first, second = (fixed, moving) if place == 0 else (moving, fixed)
    if inputs is not None:
        first, second = (scaled(value << OPERAND_SHIFT, scale)
                         for value, scale in zip((first, second), inputs, strict=True))
    combined = {"add": np.add, "subtract": np.subtract, "multiply": np.multiply,
                "maximum": np.maximum, "minimum": np.minimum}[kind](first, second)
    value = model.source(operator, 1 - place)
    if len(constant) > 1 or value.padding != NO_PADDING:
        value = model.plain(operator, 1 - place)
    return model.add(operator, Table(
        operator.name, (value.layer,), value.shape, output, f"{kind} a constant",
        finished(scaled(combined, factor), output, *clamp)))


def _operands(model: Int8Network, operator: TfliteOperator, may_turn: bool
              ) -> tuple[tuple[TfliteValue, int], tuple[TfliteValue, int], Shape]:
    """Both operands as maps with their tensors' numbers, and the result's shape.

    The second one may be a single pixel. Others that are to be broadcast are spread by layers.
    """
    numbers = operator.inputs[:2]
    sizes = model.file.sizes(operator.outputs[0])
    values = [_value(model, operator, place) for place in (0, 1)]
    if values[0].shape == values[1].shape and values[0].sizes == values[1].sizes \
            and NO_PADDING == values[0].padding == values[1].padding:
        return (values[0], numbers[0]), (values[1], numbers[1]), values[0].shape
    shape = map_of(sizes)
    maps = [(model.shaped(value, map_of(value.sizes, max(len(sizes), 2)), number), number)
            for value, number in zip(values, numbers, strict=True)]
    pixel = (1, 1, shape[2])
    if maps[0][0].shape == pixel != maps[1][0].shape and may_turn:
        maps = maps[::-1]
    first = (_spread(model, *maps[0], shape), maps[0][1])
    second = maps[1] if maps[1][0].shape == pixel else (
        _spread(model, *maps[1], shape), maps[1][1])
    return first, second, shape


def _value(model: Int8Network, operator: TfliteOperator, place: int) -> TfliteValue:
    """An operand, which may be a constant that differs from pixel to pixel."""
    number = operator.inputs[place]
    if model.knows(number):
        return model.source(operator, place)
    constant = model.constant(operator, place)
    sizes = constant.shape
    rank = len(model.file.sizes(operator.outputs[0]))
    while len(sizes) > rank and sizes[0] == 1:
        sizes = sizes[1:]
    return model.constant_map(model.source(operator, 1 - place), number, sizes)


def _spread(model: Int8Network, value: TfliteValue, number: int, shape: Shape) -> TfliteValue:
    """A map repeated along axes of 1, until it has a shape."""
    if value.shape == shape:
        return value
    if any(size not in (1, want) for size, want in zip(value.shape, shape, strict=True)):
        raise VqromError(f"inputs of {value.shape!r} must not be broadcast to {shape!r}")
    quantization = model.quantization(number)
    if value.shape[2] != shape[2]:
        wide = (*value.shape[:2], shape[2])
        layer = Select(model.fresh(f"{value.layer}_channels"), (value.layer,), wide, quantization,
                       np.zeros(shape[2], np.int32), (1, 1), (LOWEST, HIGHEST))
        model.layers.append(layer)
        value = replace(value, layer=layer.name, shape=wide)
    if value.shape != shape:
        factor = (shape[0] // value.shape[0], shape[1] // value.shape[1])
        spread = Upsample(model.fresh(f"{value.layer}_spread"), (value.layer,), shape, quantization,
                          factor)
        model.layers.append(spread)
        value = replace(value, layer=spread.name, shape=shape)
    return value


OPERATORS = dict.fromkeys(KINDS, combine)
"""What reads each operator of two operands, by its name."""
