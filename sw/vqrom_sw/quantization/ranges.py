"""Ranges of feature maps, and the int8 quantisation that covers them."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import torch

from vqrom_sw.arithmetic import HIGHEST, LOWEST, Quantization

STEPS = HIGHEST - LOWEST

CLIP = 1e-5
"""Part of a feature map's values, on either side, that a percentile range leaves out."""

TRIALS = 24
"""Shrunken ranges that the least-squares range is chosen from, down to a half."""

MAX_VALUES = 1 << 18
"""Values that the least-squares range looks at."""


class Ranges(StrEnum):
    """How the range of a feature map follows from calibration values.

    Members
    -------
    MINMAX:
        All values.
    PERCENTILE:
        All but the outermost ``CLIP`` of them on either side.
    MSE:
        Of shrunken ranges of all values, that with the least squared quantisation error.
    """

    MINMAX = "minmax"
    PERCENTILE = "percentile"
    MSE = "mse"


def quantization_of(values: torch.Tensor, ranges: Ranges = Ranges.PERCENTILE) -> Quantization:
    """Quantisation for a feature map, any shape; 0 is always in the range, and exact.

    ``scale = (high - low) / 255`` and ``zero_point = round(-128 - low / scale)``.
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
    """Quantisation whose lowest and highest integer stand for ``low <= 0 <= high``."""
    if high - low < 1e-30:
        return Quantization(1.0, 0)
    scale = (high - low) / STEPS
    return Quantization(scale, int(np.clip(round(LOWEST - low / scale), LOWEST, HIGHEST)))


def _error(values: torch.Tensor, found: Quantization) -> float:
    integers = (values / found.scale).round().add(found.zero_point).clamp(LOWEST, HIGHEST)
    return float((values - (integers - found.zero_point) * found.scale).square().mean())
