"""The LSTM over a sequence, with int8 activations and weights and an int16 cell state.

Source of the order of inputs and of the scales: TensorFlow Lite's operator
UNIDIRECTIONAL_SEQUENCE_LSTM and its ``PopulateQuantizedLstmParams8x8_16``.
"""

from __future__ import annotations

import math

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import (
    HIGHEST_16,
    MOST_TANH_BITS,
    SIGMOID_BITS,
    Requantization,
    quantize_multiplier,
)
from vqrom_sw.network import GATES, Lstm

from ..source import TfliteOperator
from ..values import Int8Network, TfliteValue

GROUP = "UnidirectionalSequenceLSTMOptions"
"""The schema's name for the operator's options."""

INPUT_WEIGHTS, STATE_WEIGHTS, BIASES = 1, 5, 12
"""Places of the first gate's inputs; those of the other gates follow."""

STATE, CELL = 18, 19
"""Places of the inputs that are the output and the cell state of the step before."""

LEFT_OUT = (9, 10, 11, 16, 17, 20, 21, 22, 23)
"""Places of the inputs that must be left out: weights of the cell, projections, norms."""

HIDDEN = 4
"""Place among the intermediates of the one with the scale of the output."""


def lstm(model: Int8Network, operator: TfliteOperator) -> TfliteValue:
    """Make an integer LSTM of one with four gates, without peepholes, projection or norms."""
    if operator.activation(GROUP) != "TANH":
        raise VqromError("activation must be TANH")
    operator.option(GROUP, "projClip")  # There is no projection.
    for name in ("timeMajor", "asymmetricQuantizeInputs", "diagonalRecurrentTensors"):
        if operator.option(GROUP, name):
            raise VqromError(f"{name} must be false")
    if any(operator.input(place) >= 0 for place in LEFT_OUT) or operator.input(1) < 0:
        raise VqromError("must have four gates, no weights of the cell, no projection and no "
                         "normalisation")
    if not all(model.file.is_state(operator.input(place)) for place in (STATE, CELL)):
        raise VqromError("states must be 0 at first")
    value = model.plain(operator)
    if len(value.sizes) != 2:
        raise VqromError(f"input must be a sequence, not {value.sizes!r}")
    return model.add(operator, _layer(model, operator, value))


def _layer(model: Int8Network, operator: TfliteOperator, value: TfliteValue) -> Lstm:
    output = model.quantization(operator.outputs[0])
    if len(operator.intermediates) <= HIDDEN:
        raise VqromError("must have the scale of its output within")
    if model.quantization(operator.input(STATE)) != output \
            or model.quantization(operator.intermediates[HIDDEN]) != output:
        raise VqromError("output and state must have one quantisation")
    inputs, states, bias = (
        np.concatenate([model.constant(operator, first + gate) for gate in range(GATES)])
        for first in (INPUT_WEIGHTS, STATE_WEIGHTS, BIASES))
    if inputs.dtype != np.int8 or states.dtype != np.int8 or bias.dtype != np.int32:
        raise VqromError("weights must be INT8 and biases INT32")
    cell_bits = _cell_bits(model, operator)
    return Lstm(
        operator.name, (value.layer,), (value.shape[0], 1, states.shape[1]), output, inputs,
        states, bias, _factors(model, operator, INPUT_WEIGHTS, operator.inputs[0]),
        _factors(model, operator, STATE_WEIGHTS, operator.input(STATE)),
        quantize_multiplier(operator.name, float(
            np.float32(2.0**-15) / np.float32(output.scale) * np.float32(2.0**-15))),
        cell_bits, _clip(operator, cell_bits))


def _factors(model: Int8Network, operator: TfliteOperator, first: int,
             number: int) -> Requantization:
    """For each gate, the scale of sums of a tensor times weights, in float32 as LiteRT has it, over
    that of the gate."""
    scale = np.float32(model.quantization(number).scale)
    factors = []
    for place in range(first, first + GATES):
        weights, zero_points, _ = model.file.scales(operator.input(place))
        if len(weights) != 1 or zero_points.any():
            raise VqromError("the weights of each gate must have one scale and zero point 0")
        factors.append(float(np.float32(weights[0]) * scale / np.float32(2.0**(SIGMOID_BITS - 15))))
    return quantize_multiplier(operator.name, np.array(factors))


def _cell_bits(model: Int8Network, operator: TfliteOperator) -> int:
    """Integer bits of the cell state, whose scale must be a power of two."""
    scale, zero_point, _ = model.file.scales(operator.input(CELL))
    if model.file.type_of(operator.input(CELL)) != "INT16" or len(scale) != 1 or zero_point.any():
        raise VqromError("the cell state must be INT16 with one scale and zero point 0")
    exponent = math.log2(scale[0]) if scale[0] > 0 else 0.5
    if exponent != int(exponent) or not 0 <= exponent + 15 <= MOST_TANH_BITS:
        raise VqromError("the scale of the cell state must be a power of two of 2**-15 to "
                         f"2**{MOST_TANH_BITS - 15}, not {float(scale[0])!r}")
    return int(exponent) + 15


def _clip(operator: TfliteOperator, cell_bits: int) -> int:
    """The greatest magnitude of the raw cell state; 0 for any."""
    clip = float(operator.option(GROUP, "cellClip"))
    return int(min(max(clip * 2.0 ** (15 - cell_bits), 0), HIGHEST_16))


OPERATORS = {"UNIDIRECTIONAL_SEQUENCE_LSTM": lstm}
"""What reads each recurrent layer, by its name."""
