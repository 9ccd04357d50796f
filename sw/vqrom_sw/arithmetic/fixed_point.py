"""Sigmoid and hyperbolic tangent of 16-bit fixed-point numbers, as TensorFlow Lite computes them.

The integer LSTM of TensorFlow Lite computes its gates with gemmlowp's ``FixedPoint<int16_t, i>``.
Here a number with ``i`` integer bits is its raw int16 in an int64 array, worth
``raw * 2**(i - 15)``, and is called Q``i``. Both functions are computed once for all 65,536 inputs,
and looked up.

Source: gemmlowp's ``fixedpoint.h`` (``logistic``, ``tanh``), and in TensorFlow Lite
``PortableApplySigmoid`` and ``PortableApplyTanh``.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from .softmax import (
    EXP_MINUS_EIGHTH,
    FORTY_EIGHT_SEVENTEENTHS,
    MINUS_THIRTY_TWO_SEVENTEENTHS,
    POWERS,
    THIRD,
)

LOWEST_16, HIGHEST_16 = -(1 << 15), (1 << 15) - 1
"""Least and greatest int16; the latter is also the number 1 in Q0."""

SIGMOID_BITS = 3
"""Integer bits of what the sigmoid and the gates' tangent take."""

MOST_TANH_BITS = 6
"""Most integer bits of what a tangent takes."""


def sigmoid_table() -> np.ndarray:
    """Sigmoids in Q0 of all numbers in Q3, int64 ``[65536]`` from the least number on."""
    return _sigmoids()


def tanh_table(integer_bits: int) -> np.ndarray:
    """Hyperbolic tangents in Q0 of all numbers of so many integer bits, 0 to
    :data:`MOST_TANH_BITS`; int64 ``[65536]`` from the least number on."""
    return _tangents(integer_bits)


@cache
def _sigmoids() -> np.ndarray:
    a = np.arange(LOWEST_16, HIGHEST_16 + 1)
    positive = _one_over_one_plus(_exp_on_negative_values(-np.abs(a), SIGMOID_BITS))
    results = np.where(a > 0, positive, HIGHEST_16 - positive)
    return np.where(a == 0, 1 << 14, results)


@cache
def _tangents(integer_bits: int) -> np.ndarray:
    a = np.arange(LOWEST_16, HIGHEST_16 + 1)
    exponential = _exp_on_negative_values(-np.abs(a), integer_bits + 1)
    negated = _one_minus_over_one_plus(exponential)
    return np.where(a == 0, 0, np.where(a < 0, -negated, negated))


def _exp_on_negative_values(a: np.ndarray, integer_bits: int) -> np.ndarray:
    """``exp(a)`` in Q0 for ``a <= 0``: a polynomial, times a constant for each bit."""
    fraction_bits = 15 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    fraction = (a & (quarter - 1)) - quarter
    result = _exp_minus_quarter_to_0(fraction << integer_bits)
    remainder = fraction - a
    for place, power in enumerate(POWERS):
        if integer_bits > place - 2:
            bit = (remainder >> (fraction_bits - 2 + place)) & 1
            result = np.where(bit != 0, _multiply(result, _constant(power)), result)
    if integer_bits > 5:
        result = np.where(a < -(1 << (20 - integer_bits)), 0, result)
    return np.where(a == 0, HIGHEST_16, result)


def _exp_minus_quarter_to_0(a: np.ndarray) -> np.ndarray:
    """``exp(a)`` for ``-1/4 <= a < 0``, all in Q0: four terms of the series around -1/8."""
    x = a + (1 << 12)
    square = _multiply(x, x)
    cube, fourth = _multiply(square, x), _multiply(square, square)
    higher = _multiply(_divide(fourth, 2) + cube, _constant(THIRD)) + square
    eighth = _constant(EXP_MINUS_EIGHTH)
    return _saturated(eighth + _multiply(x + _divide(higher, 1), eighth))


def _one_over_one_plus(a: np.ndarray) -> np.ndarray:
    """``1 / (1 + a)`` in Q0 for ``0 <= a < 1`` in Q0."""
    return _saturated(_twice_reciprocal(a) << 1)


def _one_minus_over_one_plus(a: np.ndarray) -> np.ndarray:
    """``(1 - a) / (1 + a)`` in Q0 for ``0 <= a < 1`` in Q0."""
    return _saturated((_twice_reciprocal(a) - (1 << 13)) << 2)


def _twice_reciprocal(a: np.ndarray) -> np.ndarray:
    """``2 / (1 + a)`` in Q2, by Newton's method."""
    half = (a + HIGHEST_16 + 1) >> 1
    x = _constant(FORTY_EIGHT_SEVENTEENTHS) + _multiply(
        half, _constant(MINUS_THIRTY_TWO_SEVENTEENTHS))
    for _ in range(3):
        error = (1 << 13) - _multiply(half, x)
        x = x + _saturated(_multiply(x, error) << 2)
    return x


def _constant(raw: int) -> int:
    """An int32 constant in 16 bits."""
    return (raw + (1 << 15)) >> 16


def _multiply(a: np.ndarray, b: np.ndarray | int) -> np.ndarray:
    """``round(a * b / 2**15)``, saturated; ties go up where the product is not negative, else away
    from zero, as C's truncating division has it."""
    product = a * b
    nudged = product + np.where(product >= 0, 1 << 14, 1 - (1 << 14))
    return np.minimum(np.sign(nudged) * (np.abs(nudged) >> 15), HIGHEST_16)


def _divide(a: np.ndarray, exponent: int) -> np.ndarray:
    """``round(a / 2**exponent)``; ties go away from zero."""
    mask = (1 << exponent) - 1
    return (a >> exponent) + ((a & mask) > (mask >> 1) + (a < 0))


def _saturated(a: np.ndarray) -> np.ndarray:
    return np.clip(a, LOWEST_16, HIGHEST_16)
