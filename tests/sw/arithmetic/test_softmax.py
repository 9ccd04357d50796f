"""The integer softmax against plain Python integers and against real arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from tests.hw.lib.test_requantizer import doubling_high_multiply, rounding_divide
from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import softmax, softmax_factor
from vqrom_sw.arithmetic.softmax import exp_on_negative_values, reciprocal

POWERS = {0.25: 1672461947, 0.5: 1302514674, 1.0: 790015084, 2.0: 290630308, 4.0: 39332535,
          8.0: 720401, 16.0: 242}
ONE = (1 << 31) - 1


def times(a: int, b: int) -> int:
    return doubling_high_multiply(a, b)


def exponential(a: int) -> int:
    """``exp(a / 2**26)`` of 31 fractional bits, for ``a <= 0``."""
    if a == 0:
        return ONE
    quarter = 1 << 24
    part = a % quarter - quarter
    x = part * 32 + (1 << 28)
    squared = times(x, x)
    cubed, fourth = times(squared, x), times(squared, squared)
    tail = times(rounding_divide(fourth, 2) + cubed, 715827883) + squared
    result = 1895147668 + times(1895147668, x + rounding_divide(tail, 1))
    steps = (part - a) // quarter
    for number, constant in enumerate(POWERS.values()):
        if steps >> number & 1:
            result = times(result, constant)
    return result


def inverse(a: int) -> int:
    """``1 / (1 + a)``, three steps of Newton's method in a format of two integer bits."""
    half = (a + ONE + 1) // 2
    x = 1515870810 + times(half, -1010580540)
    for _ in range(3):
        x += 4 * times(x, (1 << 29) - times(half, x))
    return min(2 * x, ONE)


def by_hand(values: list[int], multiplier: int, shift: int) -> list[int]:
    lowest = -math.floor(31 * 2**26 / 2**shift)
    exponentials = []
    for value in values:
        difference = value - max(values)
        scaled = times(difference << shift, multiplier) if difference >= lowest else None
        exponentials.append(None if scaled is None else exponential(scaled))
    total = sum(rounding_divide(value, 12) for value in exponentials if value is not None)
    factor = inverse((total << 32 - total.bit_length()) - (1 << 31))
    return [-128 if value is None else
            min(127, rounding_divide(times(factor, value), total.bit_length() + 3) - 128)
            for value in exponentials]


@pytest.mark.parametrize(("scale", "channels"), [(0.17, 10), (0.03, 300), (1.5, 7), (30.0, 4),
                                                 (1e-4, 5), (0.1, 1)])
def test_equals_plain_integers(scale: float, channels: int) -> None:
    multiplier, shift = softmax_factor("x", 1.0, scale, channels)
    values = np.random.default_rng(0).integers(-128, 128, (20, channels))
    ours = softmax(torch.from_numpy(values), multiplier, shift)
    assert ours.tolist() == [by_hand(row, multiplier, shift) for row in values.tolist()]


@pytest.mark.parametrize("scale", [0.01, 0.1, 0.5])
def test_within_one_step_of_the_real_softmax(scale: float) -> None:
    values = torch.from_numpy(np.random.default_rng(1).integers(-128, 128, (50, 12)))
    real = torch.softmax(values.double() * scale, 1) * 256 - 128
    ours = softmax(values, *softmax_factor("x", 1.0, scale, 12))
    assert (ours - real.clamp(-128, 127)).abs().max() <= 1


def test_parts_are_near_their_functions() -> None:
    x = torch.arange(-(1 << 31) + 1, 1, 104729)
    real = torch.exp(x.double() / (1 << 26))
    assert (exp_on_negative_values(x).double() / (1 << 31) - real).abs().max() < 1e-6
    a = torch.arange(0, 1 << 31, 104729)
    exact = 1 / (1 + a.double() / (1 << 31))
    assert (reciprocal(a).double() / (1 << 31) - exact).abs().max() < 1e-8


def test_refuses_what_tflite_cannot_do() -> None:
    with pytest.raises(VqromError, match="must be above"):
        softmax_factor("x", 1.0, 2.0**-27, 10)
    with pytest.raises(VqromError, match="at most 4095 channels, not 4096"):
        softmax_factor("x", 1.0, 0.1, 4096)
