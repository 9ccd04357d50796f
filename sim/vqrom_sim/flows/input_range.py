"""Whether inputs are in the range that a network was compressed for, and int8 of other scales."""

from __future__ import annotations

import math

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import HIGHEST, LOWEST
from vqrom_sw.network import QuantizedNetwork

OUTSIDE = 0.01
"""Share of the values outside the network's range from which inputs look wrong; calibration leaves
out some 1e-5.
"""

NARROW = 1 / 8
"""Share of the network's range that inputs must span at least to look right."""


def rescaled(images: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    """Turn int8 inputs of a scale of their own into the float network's units.

    Parameters
    ----------
    images:
        int8 of any shape.
    scale, zero_point:
        What they stand for: ``scale * (q - zero_point)``.

    Returns
    -------
    numpy.ndarray
        float32 of the same shape.

    Raises
    ------
    VqromError
        If the inputs are not int8, or the scale and the zero point are none.
    """
    if images.dtype != np.int8:
        raise VqromError("inputs must be int8 to have a scale and a zero point of their own, "
                         f"not {str(images.dtype)!r}")
    if not math.isfinite(scale) or scale <= 0:
        raise VqromError(f"scale of the inputs must be a positive number, not {scale!r}")
    if not LOWEST <= zero_point <= HIGHEST:
        raise VqromError(f"zero point of the inputs must be {LOWEST} to {HIGHEST}, "
                         f"not {zero_point!r}")
    return (images.astype(np.float32) - zero_point) * np.float32(scale)


def input_notes(network: QuantizedNetwork, images: np.ndarray) -> tuple[str, ...]:
    """What a user should know of how inputs fit a network's input, a line each; none if they fit.

    Parameters
    ----------
    network:
        The quantised network that is to run on them.
    images:
        float32 or int8, as they were given. What int8 numbers stand for is nowhere in them, so that
        there is always a line.
    """
    quantization = network.input_quantization
    taken = f"scale {quantization.scale:.6g} and zero point {quantization.zero_point}"
    if images.dtype == np.int8:
        return (f"int8 inputs are taken in the network's own {taken}; if theirs are others, say so "
                "with --input-scale",)
    low, high = ((level - quantization.zero_point) * quantization.scale
                 for level in (LOWEST, HIGHEST))
    outside = np.mean((images < low - quantization.scale) | (images > high + quantization.scale))
    spanned = float(images.max() - images.min()) / (high - low)
    helps = "prepare them as those of --calibration were, or compress with these"
    if outside > OUTSIDE:
        return (f"warning: {outside:.1%} of the input values are outside the network's range of "
                f"{low:.4g} to {high:.4g}; {helps}",)
    if spanned < NARROW:
        return (f"warning: the input values span {spanned:.1%} of the network's range of "
                f"{low:.4g} to {high:.4g}; {helps}",)
    return ()
