"""Ranges of feature maps."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vqrom_sw.arithmetic import Quantization, quantize
from vqrom_sw.quantization import Ranges
from vqrom_sw.quantization.ranges import covering, quantization_of


def error(values: torch.Tensor, found: Quantization) -> float:
    integers = quantize(values.numpy(), found).astype(float)
    return float(np.square((integers - found.zero_point) * found.scale - values.numpy()).mean())


def outliers() -> torch.Tensor:
    """Two in 200,000 values are far out."""
    values = torch.randn(200_000, generator=torch.Generator().manual_seed(0))
    values[:2] = torch.tensor([30.0, -12.0])
    return values


@pytest.mark.parametrize("ranges", Ranges)
def test_zero_is_exact(ranges: Ranges) -> None:
    for values in (torch.rand(500) + 3, -torch.rand(500) - 3, torch.randn(500), torch.zeros(9)):
        found = quantization_of(values, ranges)
        assert quantize(np.zeros(1), found)[0] == found.zero_point
        assert found.scale > 0


def test_minmax_covers_everything() -> None:
    found = quantization_of(outliers(), Ranges.MINMAX)
    assert found.scale == pytest.approx(42 / 255)
    assert found == covering(-12.0, 30.0)


def test_outliers_are_left_out() -> None:
    """Percentile: all but two values on either side; MSE: a smaller error than all the range."""
    values = outliers()
    errors = {ranges: error(values, quantization_of(values, ranges)) for ranges in Ranges}
    assert quantization_of(values, Ranges.PERCENTILE).scale < 0.05
    assert errors[Ranges.MSE] < 0.95 * errors[Ranges.MINMAX]


def test_least_squares_keeps_a_range_that_is_full() -> None:
    values = torch.linspace(-1, 1, 10_000)
    assert quantization_of(values, Ranges.MSE) == quantization_of(values, Ranges.MINMAX)
