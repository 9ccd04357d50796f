"""Int8 numbers and what they stand for: their limits, scales and zero points.

A feature map is stored as int8 ``q`` and stands for ``scale * (q - zero_point)``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LOWEST, HIGHEST = -128, 127
"""Least and greatest int8 number. Weights are symmetric and use -127..127 only."""


@dataclass(frozen=True)
class Quantization:
    """How the int8 numbers of one feature map become real ones: ``scale * (q - zero_point)``."""

    scale: float
    zero_point: int


@dataclass(frozen=True)
class Requantization:
    """Real factors as the integers with which the hardware multiplies int32 accumulators.

    Each factor is ``multiplier * 2**(shift - 31)``, as in TensorFlow Lite.

    Members
    -------
    multiplier:
        int32 ``[n]``, in ``[2**30, 2**31)`` or 0. Only TFLite's MEAN, which divides it by the
        number of pixels, has smaller ones.
    shift:
        int8 ``[n]``. A positive number shifts left before the multiplication, a negative one
        right after it.
    """

    multiplier: np.ndarray
    shift: np.ndarray


def quantize(values: np.ndarray, quantization: Quantization) -> np.ndarray:
    """Round real numbers of any shape to int8: ``clamp(round(x / scale) + zero_point)``.

    Ties go to the even number.
    """
    scaled = np.round(values.astype(np.float64) / quantization.scale) + quantization.zero_point
    return np.clip(scaled, LOWEST, HIGHEST).astype(np.int8)
