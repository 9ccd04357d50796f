"""The 256 outputs of functions of single int8 numbers, as LiteRT's reference kernels make them.

Each function here takes the scales and zero points of input and output, and gives what an operator
makes of the numbers -128 to 127, int8 ``[256]``. LiteRT computes in float32 where it has a float
function in a table, and in integers elsewhere.

Source: TensorFlow Lite's kernels ``activations.cc``, ``quantize.cc`` and ``elementwise.cc``, the
reference kernels of HARD_SWISH, LEAKY_RELU, PRELU and requantisation, and ``LUTPopulate``.
"""

from __future__ import annotations

from collections.abc import Callable
from math import erfc

import numpy as np
import torch

from vqrom_sw.arithmetic import (
    HIGHEST,
    LOWEST,
    Quantization,
    Requantization,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
)

NUMBERS = np.arange(LOWEST, HIGHEST + 1)
"""All int8 numbers, int64 ``[256]``."""

SINGLE = np.float32
"""The type in which LiteRT holds scales."""


def scaled(values: np.ndarray, factor: Requantization) -> np.ndarray:
    """Integers times a factor, as the kernels multiply; int64 of the same shape."""
    return multiply_by_quantized_multiplier(torch.from_numpy(values.astype(np.int64)),
                                            factor).numpy()


def finished(values: np.ndarray, output: Quantization, lowest: int = LOWEST,
             highest: int = HIGHEST) -> np.ndarray:
    """Add the output's zero point, and clamp to int8."""
    return np.clip(values + output.zero_point, lowest, highest).astype(np.int8)


def by_float(function: Callable[[np.ndarray], np.ndarray], one: Quantization,
             output: Quantization) -> np.ndarray:
    """What a float function makes, in float32 from end to end, ties away from zero."""
    real = SINGLE(one.scale) * (NUMBERS - one.zero_point).astype(SINGLE)
    with np.errstate(all="ignore"):
        result = function(real).astype(SINGLE) * (SINGLE(1) / SINGLE(output.scale))
    rounded = np.copysign(np.floor(np.abs(result.astype(np.float64)) + 0.5), result)
    whole = np.nan_to_num(rounded.astype(SINGLE) + SINGLE(output.zero_point))
    return np.clip(np.trunc(whole.astype(np.float64)), LOWEST, HIGHEST).astype(np.int8)


def _exactly(function: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> np.ndarray:
    """A function of float32 numbers, rounded to float32 at the end only."""
    return function(x.astype(np.float64)).astype(SINGLE)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """The logistic function."""
    return SINGLE(1) / (SINGLE(1) + _exactly(np.exp, -x))


def elu(x: np.ndarray) -> np.ndarray:
    """``exp(x) - 1`` below 0."""
    return np.where(x < 0, _exactly(np.expm1, x), x)


def gelu(x: np.ndarray) -> np.ndarray:
    """The product with the normal distribution."""
    argument = x * SINGLE(-np.sqrt(0.5))
    return SINGLE(0.5) * x * np.array([erfc(float(value)) for value in argument], SINGLE)


def gelu_tanh(x: np.ndarray) -> np.ndarray:
    """GELU by its approximation with ``tanh``."""
    inner = SINGLE(np.sqrt(2 / np.pi)) * (x + SINGLE(0.044715) * x * x * x)
    return SINGLE(0.5) * x * (SINGLE(1) + _exactly(np.tanh, inner))


FLOAT: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "LOGISTIC": sigmoid, "TANH": lambda x: _exactly(np.tanh, x), "ELU": elu,
    "EXP": lambda x: _exactly(np.exp, x)}
"""Functions that LiteRT has in tables made in float32, by operator."""


def requantized(name: str, one: Quantization, output: Quantization, lowest: int = LOWEST,
                highest: int = HIGHEST) -> np.ndarray:
    """Numbers of one quantisation in another, with a quotient of scales in double precision."""
    factor = quantize_multiplier(name, one.scale / output.scale)
    return finished(scaled(NUMBERS - one.zero_point, factor), output, lowest, highest)


def through_float(one: Quantization, output: Quantization) -> np.ndarray:
    """Numbers of one quantisation in another, by DEQUANTIZE and QUANTIZE."""
    real = SINGLE(one.scale) * (NUMBERS - one.zero_point).astype(SINGLE)
    result = (real / SINGLE(output.scale)).astype(np.float64)
    return finished(np.copysign(np.floor(np.abs(result) + 0.5), result).astype(np.int64), output)


def rectified(name: str, bounds: tuple[int, int], one: Quantization,
              output: Quantization) -> np.ndarray:
    """RELU and its kin: rescaled and clamped; the quotient of scales is in float32."""
    factor = quantize_multiplier(name, float(SINGLE(one.scale) / SINGLE(output.scale)))
    return finished(scaled(NUMBERS - one.zero_point, factor), output, *bounds)


def leaky(name: str, alpha: float, one: Quantization, output: Quantization) -> np.ndarray:
    """LEAKY_RELU: one factor for either sign."""
    slope = float(SINGLE(one.scale) * SINGLE(alpha) / SINGLE(output.scale))
    same = quantize_multiplier(name, float(SINGLE(one.scale) / SINGLE(output.scale)))
    below, values = quantize_multiplier(name, abs(slope)), NUMBERS - one.zero_point
    negative = scaled(values, below) * (-1 if slope < 0 else 1)
    return finished(np.where(values >= 0, scaled(values, same), negative), output)


def prelu(name: str, slopes: np.ndarray, slope: Quantization, one: Quantization,
          output: Quantization) -> np.ndarray:
    """PRELU with int8 slopes ``[T]``; int8 ``[T, 256]``."""
    single = (SINGLE(one.scale), SINGLE(slope.scale), SINGLE(output.scale))
    same = quantize_multiplier(name, float(single[0] / single[2]))
    below = quantize_multiplier(name, float(single[0] * single[1] / single[2]))
    values = NUMBERS - one.zero_point
    negative = scaled(values * (slopes.astype(np.int64)[:, None] - slope.zero_point), below)
    return finished(np.where(values >= 0, scaled(values, same), negative), output)


def hard_swish(name: str, one: Quantization, output: Quantization) -> np.ndarray:
    """HARD_SWISH, in fixed point of 16 bits."""
    fine = SINGLE(1 / 128) * SINGLE(one.scale)
    out_factor, out_shift = _short(name, float(fine / SINGLE(output.scale)))
    gate_factor, gate_shift = _short(name, float(fine / (SINGLE(3) / SINGLE(32768))))
    values = (NUMBERS - one.zero_point) * 128
    before = _rounded_high_product(values, out_factor)
    gate = values
    if gate_shift > 0:
        gate = _saturated(gate << (gate_shift - 1))
    gate = _rounded_high_product(gate, gate_factor)
    if gate_shift > 0:
        gate = _saturated(gate << 1)
    elif gate_shift < 0:
        gate = _rounded_quotient(gate, -gate_shift)
    gate = (gate + (1 << 15)) >> 1
    product = np.trunc(gate * before / (1 << 15)).astype(np.int64)
    return finished(_rounded_quotient(product, -out_shift), output)


def _short(name: str, factor: float) -> tuple[int, int]:
    """A factor as a multiplier of 15 bits and a shift."""
    found = quantize_multiplier(name, factor)
    multiplier = int(found.multiplier[0])
    return min((multiplier + (1 << 15)) >> 16, (1 << 15) - 1), int(found.shift[0])


def _saturated(values: np.ndarray) -> np.ndarray:
    return np.clip(values, -(1 << 15), (1 << 15) - 1)


def _rounded_high_product(values: np.ndarray, factor: int) -> np.ndarray:
    """``values * factor / 2**15`` for 16 bits; ties away from zero below 0, up above."""
    product = values * factor
    nudged = product + np.where(product >= 0, 1 << 14, 1 - (1 << 14))
    return np.trunc(nudged / (1 << 15)).astype(np.int64)


def _rounded_quotient(values: np.ndarray, exponent: int) -> np.ndarray:
    """``values / 2**exponent``, ties away from zero."""
    if exponent <= 0:
        return values << -exponent
    magnitude = (np.abs(values) + (1 << (exponent - 1))) >> exponent
    return np.sign(values) * magnitude
