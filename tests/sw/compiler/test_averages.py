"""Average pooling rounds as TFLite's does, for every sum."""

from __future__ import annotations

import numpy as np
import pytest

from tests.command_interpreter import requantize
from vqrom_sw.compiler.tasks.pool import average_requantization


def tflite_average(total: np.ndarray, count: int) -> np.ndarray:
    """AVERAGE_POOL_2D's division: half the count away from zero, truncated."""
    return np.sign(total) * ((np.abs(total) + count // 2) // count)


@pytest.mark.parametrize("first", range(1, 4097, 512))
def test_averages_round_as_in_tflite(first: int) -> None:
    """Both sides of every boundary between two means; in between the result cannot change, as it
    never falls when a sum rises."""
    for count in range(first, first + 512):
        boundaries = (np.arange(-128, 128) * count + count // 2)[:, None] + np.arange(-1, 3)
        totals = boundaries[(boundaries >= -128 * count) & (boundaries <= 127 * count)]
        shift, multiplier, right = average_requantization(count)
        assert 1 << 30 <= multiplier < 1 << 31 and -31 <= right <= 0
        np.testing.assert_array_equal(requantize(totals << shift, multiplier, right),
                                      tflite_average(totals, count))


def test_averages_of_small_windows_for_all_sums() -> None:
    for count in (*range(1, 50), 64, 121, 256):
        totals = np.arange(-128 * count, 127 * count + 1)
        shift, multiplier, right = average_requantization(count)
        np.testing.assert_array_equal(requantize(totals << shift, multiplier, right),
                                      tflite_average(totals, count))
