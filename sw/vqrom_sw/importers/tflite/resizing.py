"""Which pixels TFLite's changes of size take.

Source: TensorFlow Lite's reference kernels, which compute places in float32.
"""

from __future__ import annotations

import numpy as np


def places(size: int, wanted: int, align: bool, half: bool) -> np.ndarray:
    """Where pixels of the result lie along an axis of the input, float32 ``[wanted]``.

    Parameters
    ----------
    size, wanted:
        Number of pixels before and after.
    align:
        Whether the outermost pixels lie on each other.
    half:
        Whether a pixel's place is its middle, in which case 0.5 is taken off again for straight
        lines only.
    """
    scale = np.float32(size - 1) / np.float32(wanted - 1) if align and wanted > 1 \
        else np.float32(size) / np.float32(wanted)
    return ((np.arange(wanted, dtype=np.float32) + np.float32(0.5 if half else 0))
            * np.float32(scale)).astype(np.float32)


def nearest_places(size: int, wanted: int, align: bool, half: bool) -> np.ndarray:
    """Which pixel of the input each one of the result is, along an axis; int64 ``[wanted]``."""
    exact = places(size, wanted, align, half)
    found = np.floor(exact + np.float32(0.5)) if align else np.floor(exact)
    return np.clip(found, 0, size - 1).astype(np.int64)


def whole_factor(found: np.ndarray, size: int) -> int:
    """How often each pixel is repeated, if all are equally often and in order; else 0."""
    factor = len(found) // size
    return factor if np.array_equal(found, np.repeat(np.arange(size), max(factor, 1))) else 0
