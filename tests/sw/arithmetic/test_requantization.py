"""TFLite's fixed-point arithmetic against its scalar definition and against real arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.hw.lib.test_requantizer import doubling_high_multiply, rounding_divide
from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import (
    Requantization,
    multiply_by_quantized_multiplier,
    quantize_mean_multiplier,
    quantize_multiplier,
)
from vqrom_sw.importers.tflite.single_rounding import quantize_multiplier_once

MULTIPLIERS = st.one_of(st.integers(0, (1 << 31) - 1), st.sampled_from([0, 1, 1 << 30]))


def scale_of(multiplier: int, shift: int) -> Requantization:
    return Requantization(np.array([multiplier], np.int32), np.array([shift], np.int8))


@given(st.integers(-(1 << 31), (1 << 31) - 1), MULTIPLIERS, st.integers(-31, 7))
def test_equals_the_scalar_definition(value: int, multiplier: int, shift: int) -> None:
    value >>= max(shift, 0)
    ours = multiply_by_quantized_multiplier(torch.tensor([value]), scale_of(multiplier, shift))
    expected = rounding_divide(doubling_high_multiply(value << max(shift, 0), multiplier),
                               max(-shift, 0))
    assert ours.tolist() == [expected]


@given(st.integers(-(1 << 24), 1 << 24), st.floats(2.0**-20, 127.0))
def test_near_the_real_product(value: int, factor: float) -> None:
    """Two roundings of at most a half each, and a multiplier of 31 bits."""
    scale = quantize_multiplier("x", factor)
    shifted = value >> 8 if scale.shift[0] > 0 else value
    ours = multiply_by_quantized_multiplier(torch.tensor([shifted]), scale).item()
    exact = Fraction(factor) * shifted
    assert abs(ours - exact) <= 1 + abs(exact) / (1 << 30)


@given(st.floats(2.0**-32, 127.9))
def test_multiplier_is_normal_and_near(factor: float) -> None:
    scale = quantize_multiplier("x", factor)
    multiplier, shift = int(scale.multiplier[0]), int(scale.shift[0])
    assert 1 << 30 <= multiplier < 1 << 31
    ours = Fraction(multiplier) * Fraction(2) ** (shift - 31)
    assert abs(ours - Fraction(factor)) <= Fraction(factor) / (1 << 31)


def test_edges() -> None:
    assert quantize_multiplier("x", 0.0).multiplier.tolist() == [0]
    assert quantize_multiplier("x", 2.0**-40).multiplier.tolist() == [0]
    # The mantissa rounds up to 1: the carry goes into the shift.
    carried = quantize_multiplier("x", 1 - 2.0**-40)
    assert (carried.multiplier.tolist(), carried.shift.tolist()) == ([1 << 30], [1])
    for wrong, rule in ((128.0, r"below 2\*\*7"), (-1.0, "not negative"), (np.nan, "finite"),
                        (np.inf, "finite")):
        with pytest.raises(VqromError, match=rule):
            quantize_multiplier("conv1", wrong)


@given(st.floats(2.0**-10, 8.0), st.integers(1, 4096))
def test_mean_divides_the_integer_multiplier(factor: float, count: int) -> None:
    scale, mean = quantize_multiplier("x", factor), quantize_mean_multiplier("x", factor, count)
    exact = Fraction(int(scale.multiplier[0])) * Fraction(2) ** int(scale.shift[0]) / count
    ours = Fraction(int(mean.multiplier[0])) * Fraction(2) ** int(mean.shift[0])
    assert 0 <= exact - ours < Fraction(2) ** int(mean.shift[0])


@given(st.floats(2.0**-12, 2.0**-2), st.integers(-40000, 40000))
def test_one_rounding_is_nearer_than_two(factor: float, value: int) -> None:
    """As good as the nearest integer, but for what the multiplier's last bits say."""
    scale = quantize_multiplier_once("x", np.array([factor]), -128, 127, 1 << 24)
    ours = multiply_by_quantized_multiplier(torch.tensor([value]), scale).item()
    if -128 < ours < 127:
        assert abs(ours - Fraction(factor) * value) <= Fraction(1, 2) + Fraction(1, 1 << 10)


def test_one_rounding_where_two_differ() -> None:
    """An accumulator of a real layer that two roundings take to the next integer."""
    factor = 0.002979507770665836
    usual = quantize_multiplier("x", factor)
    once = quantize_multiplier_once("x", np.array([factor] * 3), -128, 127, 1 << 24)
    assert once.multiplier.shape == (3,)
    value = torch.tensor([39100])
    assert multiply_by_quantized_multiplier(value, usual).tolist() == [117]
    assert multiply_by_quantized_multiplier(value, scale_of(int(once.multiplier[0]),
                                                            int(once.shift[0]))).tolist() == [116]
