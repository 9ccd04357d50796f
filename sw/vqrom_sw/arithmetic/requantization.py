"""Requantisation: real factors as integers, and the exact arithmetic with them.

An int32 accumulator becomes an int8 output by multiplying it with a real factor (input scale times
weight scale over output scale). The hardware has integers only, so that the factor is a multiplier
of 31 bits and a shift.

Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", CVPR 2018, section 2.2 and appendix B; TensorFlow Lite's
``QuantizeMultiplier`` and ``MultiplyByQuantizedMultiplier`` with two roundings.
"""

from __future__ import annotations

import numpy as np
import torch

from vqrom_hw.errors import VqromError

from .int8 import Requantization

MIN_SHIFT, MAX_SHIFT = -31, 7
"""Shifts that the hardware can do: at most 31 to the right and 7 to the left."""


def quantize_multiplier(layer: str, factor: np.ndarray | float) -> Requantization:
    """Turn real factors into integers: ``factor = multiplier * 2**(shift - 31)``.

    Parameters
    ----------
    layer:
        Name of the layer whose factors they are, for the error.
    factor:
        Non-negative float64, one or ``[n]``. Factors below ``2**-32`` become 0, as in TFLite.

    Raises
    ------
    VqromError
        If a factor is not finite or is ``2**7`` or more, which the hardware cannot shift.
    """
    factors = np.atleast_1d(np.asarray(factor, dtype=np.float64))
    if not (np.isfinite(factors).all() and (factors >= 0).all()):
        raise VqromError(f"layer {layer!r}: requantisation factors must be finite and not negative")
    multiplier, shift = _significands(factors)
    if (shift > MAX_SHIFT).any():
        raise VqromError(f"layer {layer!r}: requantisation factors must be below 2**{MAX_SHIFT}, "
                         f"not {float(factors.max())!r}")
    return Requantization(multiplier.astype(np.int32), shift.astype(np.int8))


def quantize_mean_multiplier(layer: str, factor: float, count: int) -> Requantization:
    """Turn ``factor / count`` into integers as TFLite's MEAN does: the factor first, then divided.

    Parameters
    ----------
    layer:
        Name of the layer, for the error.
    factor:
        Input scale over output scale.
    count:
        Number of values that are averaged.

    Raises
    ------
    VqromError
        As for :func:`quantize_multiplier`.
    """
    scale = quantize_multiplier(layer, factor)
    multiplier, shift = int(scale.multiplier[0]), int(scale.shift[0])
    step = min(count.bit_length() - 1, 32, shift - MIN_SHIFT)
    return Requantization(np.array([(multiplier << step) // count], np.int32),
                          np.array([shift - step], np.int8))


def significand(factor: float) -> tuple[int, int]:
    """Multiplier and shift of a positive factor, by TFLite's ``QuantizeMultiplier``, unchecked."""
    multiplier, shift = _significands(np.array([factor]))
    return int(multiplier[0]), int(shift[0])


def _significands(factors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Multipliers and shifts, int64 ``[n]``, of factors that are not negative, float64 ``[n]``."""
    mantissa, exponent = np.frexp(factors)
    multiplier = np.floor(mantissa * 2.0**31 + 0.5).astype(np.int64)
    carried = multiplier == 1 << 31
    multiplier = np.where(carried, 1 << 30, multiplier)
    shift = exponent + carried
    multiplier = np.where(shift < MIN_SHIFT, 0, multiplier)
    return multiplier, np.where(multiplier == 0, 0, shift)


def saturating_rounding_doubling_high_multiply(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """``round(a * b / 2**31)`` for int32 values held in int64; ties go up.

    This is gemmlowp's ``SaturatingRoundingDoublingHighMul``, whose nudge and truncating division
    come to exactly this. Its one saturating case needs a multiplier of ``-2**31``; ours are not
    negative.
    """
    return (a * b + (1 << 30)) >> 31


def rounding_divide_by_power_of_two(value: torch.Tensor, exponent: torch.Tensor) -> torch.Tensor:
    """``round(value / 2**exponent)`` in int64; ties go away from zero."""
    mask = (torch.ones_like(exponent) << exponent) - 1
    threshold = (mask >> 1) + (value < 0)
    return (value >> exponent) + ((value & mask) > threshold)


def multiply_by_quantized_multiplier(value: torch.Tensor,
                                     requantization: Requantization) -> torch.Tensor:
    """Multiply with real factors in integers, by TFLite's ``MultiplyByQuantizedMultiplier``.

    It rounds twice: after the multiplication, and after the shift to the right.

    Parameters
    ----------
    value:
        int64 ``[..., n]`` or, with one multiplier, of any shape; each value, shifted left where
        the shift is positive, fits int32.
    requantization:
        The factors, ``[n]`` or one.

    Returns
    -------
    torch.Tensor
        int64 of the same shape.
    """
    multiplier = torch.from_numpy(requantization.multiplier.astype(np.int64))
    shift = torch.from_numpy(requantization.shift.astype(np.int64))
    high = saturating_rounding_doubling_high_multiply(value << shift.clamp(min=0), multiplier)
    return rounding_divide_by_power_of_two(high, (-shift).clamp(min=0))
