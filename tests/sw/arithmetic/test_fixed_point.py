"""Sigmoid and tangent in 16 bits: near the real functions, and monotone up to a last bit."""

from __future__ import annotations

import numpy as np
import pytest

from vqrom_sw.arithmetic import MOST_TANH_BITS, sigmoid_table, tanh_table

RAW = np.arange(-(1 << 15), 1 << 15)


def test_sigmoid() -> None:
    real = 1 / (1 + np.exp(-RAW / 2.0**12))
    assert np.abs(sigmoid_table() / 2.0**15 - real).max() < 2.0**-12
    assert sigmoid_table()[1 << 15] == 1 << 14


@pytest.mark.parametrize("integer_bits", range(MOST_TANH_BITS + 1))
def test_tanh(integer_bits: int) -> None:
    table = tanh_table(integer_bits)
    assert np.abs(table / 2.0**15 - np.tanh(RAW * 2.0 ** (integer_bits - 15))).max() < 2.0**-11
    np.testing.assert_array_equal(table[1:], -table[:0:-1])
