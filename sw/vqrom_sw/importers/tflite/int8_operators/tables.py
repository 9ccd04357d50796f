"""Functions of single numbers, each a table of 256 bytes; and what changes scales."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import Quantization
from vqrom_sw.network import INPUT, Table

from .. import functions
from ..scales import activation_range, quantization_of
from ..sliding_window import NO_PADDING
from ..source import TfliteOperator
from ..values import Int8Network, TfliteValue

Maker = Callable[[TfliteOperator, Quantization, Quantization], np.ndarray]
"""Makes the outputs of all 256 inputs, from the scales of input and output."""


def _by_float(operator: TfliteOperator, one: Quantization, output: Quantization) -> np.ndarray:
    return functions.by_float(functions.FLOAT[operator.kind], one, output)


def _gelu(operator: TfliteOperator, one: Quantization, output: Quantization) -> np.ndarray:
    approximate = operator.option("GeluOptions", "approximate")
    return functions.by_float(functions.gelu_tanh if approximate else functions.gelu, one, output)


def _rectified(operator: TfliteOperator, one: Quantization, output: Quantization) -> np.ndarray:
    bounds = activation_range(operator.kind, output)
    return functions.rectified(operator.name, bounds, one, output)


def _leaky(operator: TfliteOperator, one: Quantization, output: Quantization) -> np.ndarray:
    return functions.leaky(operator.name, operator.option("LeakyReluOptions", "alpha"), one, output)


def _hard_swish(operator: TfliteOperator, one: Quantization, output: Quantization) -> np.ndarray:
    return functions.hard_swish(operator.name, one, output)


MAKERS: dict[str, Maker] = {
    **dict.fromkeys(functions.FLOAT, _by_float), "GELU": _gelu, "LEAKY_RELU": _leaky,
    "HARD_SWISH": _hard_swish,
    **dict.fromkeys(("RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1"), _rectified)}
"""What makes the table of each function, by operator."""


def table(model: Int8Network, operator: TfliteOperator) -> TfliteValue:
    """Make the table of a function."""
    one = model.quantization(operator.inputs[0])
    output = model.quantization(operator.outputs[0])
    return looked_up(model, operator, MAKERS[operator.kind](operator, one, output))


def looked_up(model: Int8Network, operator: TfliteOperator, entries: np.ndarray) -> TfliteValue:
    """Add the layer that looks numbers up in int8 ``[256]``, or ``[C, 256]`` by channel."""
    value = model.source(operator)
    if entries.ndim > 1 or value.padding != NO_PADDING:
        value = model.plain(operator)
    return model.add(operator, Table(
        operator.name, (value.layer,), value.shape, model.quantization(operator.outputs[0]),
        operator.kind.lower().replace("_", " "), np.atleast_2d(entries)))


def prelu(model: Int8Network, operator: TfliteOperator) -> TfliteValue:
    """Make the tables of a PRELU, one for each channel or one for all."""
    number, value = operator.input(1), model.source(operator)
    slopes = model.constant(operator, 1)
    channels = value.sizes[-1] if value.sizes else 1
    if slopes.size not in (1, channels) or (slopes.size > 1 and slopes.shape[-1] != channels):
        raise VqromError(f"slopes must be one, or one for each of {channels} channels, "
                         f"not {slopes.shape!r}")
    return looked_up(model, operator, functions.prelu(
        operator.name, slopes.reshape(-1), quantization_of(model.file, number),
        model.quantization(operator.inputs[0]), model.quantization(operator.outputs[0])))


def quantize(model: Int8Network, operator: TfliteOperator) -> TfliteValue:
    """Take the scale of a float input, or bring numbers from one scale to another."""
    number, value, file = operator.inputs[0], model.source(operator), model.file
    kind, made = (file.type_of(tensor) for tensor in (number, operator.outputs[0]))
    if kind == "FLOAT32" and value.layer == INPUT:
        found = quantization_of(file, operator.outputs[0])
        if model.input_quantization not in (None, found):
            raise VqromError("a float input must be quantised once")
        model.input_quantization = found
        return replace(value, sizes=file.sizes(operator.outputs[0]))
    if made == "UINT8":
        return _as_unsigned(model, operator, value)
    output = quantization_of(file, operator.outputs[0])
    if kind == "FLOAT32":
        source = _before_dequantize(model, number)
        return looked_up(model, operator, functions.through_float(source, output))
    one = model.quantization(number)
    if (one.scale, one.zero_point) == (output.scale, output.zero_point):
        return value
    return looked_up(model, operator, functions.requantized(operator.name, one, output))


def _before_dequantize(model: Int8Network, number: int) -> Quantization:
    """The int8 scale of a float tensor that comes straight from a DEQUANTIZE."""
    maker = next((operator for operator in model.file.operators if number in operator.outputs),
                 None)
    if maker is None or maker.kind != "DEQUANTIZE":
        raise VqromError("float numbers must come straight from the input or a DEQUANTIZE")
    return model.quantization(maker.inputs[0])


def _as_unsigned(model: Int8Network, operator: TfliteOperator, value: TfliteValue) -> TfliteValue:
    """Pass an output on that the file gives as uint8: the network gives it as int8, 128 less."""
    scale, zero_point, _ = model.file.scales(operator.outputs[0])
    one = model.quantization(operator.inputs[0])
    if operator.outputs[0] not in model.file.results or len(scale) != 1 \
            or (float(scale[0]), int(zero_point[0]) - 128) != (one.scale, one.zero_point):
        raise VqromError("uint8 must be an output of the int8 numbers' own scale")
    return value


def dequantize(model: Int8Network, operator: TfliteOperator) -> TfliteValue:
    """Pass numbers on: the network gives outputs as int8."""
    return model.source(operator)


OPERATORS = {
    **dict.fromkeys(MAKERS, table), "PRELU": prelu, "QUANTIZE": quantize, "DEQUANTIZE": dequantize}
"""What reads each function, by its name."""
