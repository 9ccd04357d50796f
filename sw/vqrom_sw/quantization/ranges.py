"""Ranges of feature maps, and the int8 quantisation that covers them.

A feature map has one scale and one zero point. The wider the range that they cover, the coarser the
steps; what lies outside is clamped. How much of the outermost values to give up is a choice.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import torch

from vqrom_sw.arithmetic import HIGHEST, LOWEST, Quantization

STEPS = HIGHEST - LOWEST
"""Steps between the lowest and the highest int8 value."""

CLIP = 1e-5
"""Share of a feature map's values that a percentile range leaves out at either end."""

TRIALS = 24
"""Number of ranges, from half of all values' range to all of it, that the least-squares range is
chosen from.
"""

MAX_VALUES = 1 << 18
"""About how many values the errors of these ranges are measured on, evenly spread."""


class Ranges(StrEnum):
    """How the range of a feature map follows from its values on calibration inputs.

    Members
    -------
    MINMAX:
        The range covers all values.
    PERCENTILE:
        The range leaves out the outermost :data:`CLIP` of the values at either end.
    MSE:
        The range is the one with the least squared quantisation error among all values' range and
        smaller ones of the same proportions.
    """

    MINMAX = "minmax"
    PERCENTILE = "percentile"
    MSE = "mse"


def quantization_of(values: torch.Tensor, ranges: Ranges = Ranges.PERCENTILE) -> Quantization:
    """Find the quantisation for a feature map's values, of any shape.

    The range always holds 0, which is exact: padding and the zeros of a ReLU cost nothing.
    """
    flat = values.flatten().double()
    left_out = int(len(flat) * CLIP) if ranges == Ranges.PERCENTILE else 0
    low = min(0.0, float(flat.kthvalue(left_out + 1).values))
    high = max(0.0, float(flat.kthvalue(len(flat) - left_out).values))
    if ranges == Ranges.MSE and high > low:
        sample = flat[::-(-len(flat) // MAX_VALUES)]
        tried = [covering(low * part, high * part) for part in np.linspace(0.5, 1, TRIALS)]
        return min(tried, key=lambda found: _error(sample, found))
    return covering(low, high)


def covering(low: float, high: float) -> Quantization:
    """Make the quantisation whose lowest and highest integer stand for ``low <= 0 <= high``.

    It has ``scale = (high - low) / 255`` and ``zero_point = round(-128 - low / scale)``; a map that
    is 0 everywhere gets the scale 1.
    """
    if high - low < 1e-30:
        return Quantization(1.0, 0)
    scale = (high - low) / STEPS
    return Quantization(scale, int(np.clip(round(LOWEST - low / scale), LOWEST, HIGHEST)))


def _error(values: torch.Tensor, found: Quantization) -> float:
    integers = (values / found.scale).round().add(found.zero_point).clamp(LOWEST, HIGHEST)
    return float((values - (integers - found.zero_point) * found.scale).square().mean())
