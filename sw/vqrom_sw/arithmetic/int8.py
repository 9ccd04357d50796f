"""TODO."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Quantization:
    """Per-tensor affine int8 quantisation."""

    scale: float
    zero_point: int


@dataclass(frozen=True)
class Requantization:
    """TFLite's fixed-point multiplier: ``multiplier * 2**(shift - 31)``.

    Members
    -------
    multiplier:
        int32 ``[n]``, in ``[2**30, 2**31)`` or 0. Only TFLite's MEAN, which divides it by the
        number of pixels, has smaller ones.
    shift:
        int8 ``[n]``: positive shifts left before, negative right after the multiplication.
    """

    multiplier: np.ndarray
    shift: np.ndarray

LOWEST, HIGHEST = -128, 127


def quantize(values: np.ndarray, quantization: Quantization) -> np.ndarray:
    """``clamp(round(x / scale) + zero_point)`` as int8, ties to even; any shape."""
    scaled = np.round(values.astype(np.float64) / quantization.scale) + quantization.zero_point
    return np.clip(scaled, LOWEST, HIGHEST).astype(np.int8)
