"""Softmax in integers, as TensorFlow Lite computes it for int8: fixed-point exponentials.

The reference kernel of TensorFlow Lite (``reference_ops::Softmax``) computes with gemmlowp's
``FixedPoint``; here a number with ``i`` integer bits is its raw int32 in an int64 tensor, worth
``raw * 2**(i - 31)``, and is called Q``i``.
"""

from __future__ import annotations

import math

import torch

from vqrom_hw.errors import VqromError

from .int8 import HIGHEST, LOWEST, Quantization
from .requantization import (
    rounding_divide_by_power_of_two,
    saturating_rounding_doubling_high_multiply,
    significand,
)

MAX_CHANNELS = 4095
"""Most channels of a softmax: more exponentials of 1 overflow TFLite's sum of 12 integer bits."""

SOFTMAX_OUTPUT = Quantization(1 / 256, LOWEST)
"""Quantisation of every int8 softmax's output: probabilities 0 to 255/256."""

INPUT_BITS, SUM_BITS = 5, 12
"""Integer bits of the scaled differences and of the sum of exponentials."""

ONE = (1 << 31) - 1
"""The number 1 in Q0, saturated."""

EXP_MINUS_EIGHTH = 1895147668
"""``exp(-1/8)`` in Q0."""

THIRD = 715827883
"""``1/3`` in Q0."""

FORTY_EIGHT_SEVENTEENTHS, MINUS_THIRTY_TWO_SEVENTEENTHS = 1515870810, -1010580540
"""``48/17`` and ``-32/17`` in Q2: the first guess of Newton's method for a reciprocal."""

POWERS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
"""``exp(-2**k)`` in Q0 for k = -2..4."""


def softmax_factor(layer: str, beta: float, scale: float, channels: int) -> tuple[int, int]:
    """Multiplier and shift that bring differences of int8 inputs to Q5.

    Parameters
    ----------
    layer:
        Name of the layer, for the error.
    beta:
        The operator's factor on its input; 1 but for rare models.
    scale:
        Scale of the input.
    channels:
        Number of values that one softmax is over.

    Raises
    ------
    VqromError
        If the factor ``beta * scale * 2**26`` is not above 1, which TFLite asks for, or there are
        too many channels for its sum.
    """
    if channels > MAX_CHANNELS:
        raise VqromError(f"layer {layer!r} (softmax) must have at most {MAX_CHANNELS} channels, "
                         f"not {channels!r}")
    factor = min(beta * scale * 2.0 ** (31 - INPUT_BITS), 2.0**31 - 1)
    if not factor > 1:
        raise VqromError(f"layer {layer!r} (softmax): beta times the input's scale must be above "
                         f"2**-26, not {beta * scale!r}")
    return significand(factor)


def softmax(x: torch.Tensor, multiplier: int, shift: int) -> torch.Tensor:
    """Softmax of int8 numbers over the last axis.

    Parameters
    ----------
    x:
        int64 of any shape that holds int8 numbers.
    multiplier, shift:
        From :func:`softmax_factor`.

    Returns
    -------
    torch.Tensor
        int64 of the same shape that holds int8 numbers: ``256 * probability - 128``.
    """
    difference = x - x.amax(-1, keepdim=True)
    counted = difference >= lowest_difference(shift)
    scaled = _multiply(torch.where(counted, difference, 0) << shift, multiplier)
    exponential = torch.where(counted, exp_on_negative_values(scaled), 0)
    total = _divide(exponential, SUM_BITS).sum(-1, keepdim=True)
    length = torch.frexp(total.double())[1].to(torch.int64)
    inverse = reciprocal((total << (32 - length)) - (1 << 31))
    product = saturating_rounding_doubling_high_multiply(inverse, exponential)
    result = rounding_divide_by_power_of_two(product, length + SUM_BITS - 9) + LOWEST
    return torch.where(counted, result.clamp(LOWEST, HIGHEST), LOWEST)


def lowest_difference(shift: int) -> int:
    """The smallest difference from the largest input whose exponential TFLite counts."""
    radius = ((1 << INPUT_BITS) - 1) * 2.0 ** (31 - INPUT_BITS) / 2.0**shift
    return -math.floor(radius)


def exp_on_negative_values(a: torch.Tensor) -> torch.Tensor:
    """``exp(a)`` in Q0 for ``a <= 0`` in Q5: a polynomial, times a constant for each bit."""
    fraction_bits = 31 - INPUT_BITS
    quarter = 1 << (fraction_bits - 2)
    fraction = (a & (quarter - 1)) - quarter
    result = _exp_minus_quarter_to_0(fraction << INPUT_BITS)
    remainder = fraction - a
    for place, power in enumerate(POWERS):
        bit = (remainder >> (fraction_bits - 2 + place)) & 1
        result = torch.where(bit != 0, _multiply(result, power), result)
    return torch.where(a == 0, ONE, result)


def reciprocal(a: torch.Tensor) -> torch.Tensor:
    """``1 / (1 + a)`` in Q0 for ``0 <= a < 1`` in Q0, by Newton's method in Q2."""
    half = (a + ONE + 1) >> 1
    x = _multiply(half, MINUS_THIRTY_TWO_SEVENTEENTHS) + FORTY_EIGHT_SEVENTEENTHS
    for _ in range(3):
        error = (1 << 29) - saturating_rounding_doubling_high_multiply(half, x)
        x = x + _saturate(saturating_rounding_doubling_high_multiply(x, error) << 2)
    return _saturate(x << 1)


def _exp_minus_quarter_to_0(a: torch.Tensor) -> torch.Tensor:
    """``exp(a)`` for ``-1/4 <= a < 0``, all in Q0: four terms of the series around -1/8."""
    x = a + (1 << 28)
    square = saturating_rounding_doubling_high_multiply(x, x)
    cube = saturating_rounding_doubling_high_multiply(square, x)
    fourth = saturating_rounding_doubling_high_multiply(square, square)
    higher = _multiply(_divide(fourth, 2) + cube, THIRD) + square
    return _multiply(x + _divide(higher, 1), EXP_MINUS_EIGHTH) + EXP_MINUS_EIGHTH


def _multiply(a: torch.Tensor, factor: int) -> torch.Tensor:
    return saturating_rounding_doubling_high_multiply(a, torch.tensor(factor))


def _divide(a: torch.Tensor, exponent: int) -> torch.Tensor:
    return rounding_divide_by_power_of_two(a, torch.tensor(exponent))


def _saturate(a: torch.Tensor) -> torch.Tensor:
    return a.clamp(-(1 << 31), ONE)
