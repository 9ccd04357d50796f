"""TFLite's fixed-point requantisation: real factors to integers, and the exact arithmetic.

Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference", CVPR 2018, section 2.2 and appendix B; TensorFlow Lite's ``QuantizeMultiplier`` and
``MultiplyByQuantizedMultiplier`` with two roundings.
"""

from __future__ import annotations

import numpy as np
import torch

from vqrom_hw.errors import VqromError

from .int8 import Requantization

MAX_SHIFT = 7
MIN_SHIFT = -31
ADD_SHIFT = 20
"""Left shift of the inputs of an int8 ADD in TFLite's reference kernel."""


def quantize_multiplier(layer: str, factor: np.ndarray | float) -> Requantization:
    """Integers for positive real factors: ``factor = multiplier * 2**(shift - 31)``.

    Parameters
    ----------
    layer:
        Whose factors they are, for the error.
    factor:
        Non-negative float64 ``[n]``. Those below ``2**-32`` become 0, as in TFLite.

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
    """Integers for ``factor / count`` as TFLite's MEAN has them: of ``factor``, then divided.

    Parameters
    ----------
    factor:
        Input scale over output scale.
    count:
        How many values the mean is of.

    Raises
    ------
    VqromError
        As :func:`quantize_multiplier`.
    """
    scale = quantize_multiplier(layer, factor)
    multiplier, shift = int(scale.multiplier[0]), int(scale.shift[0])
    step = min(count.bit_length() - 1, 32, shift - MIN_SHIFT)
    return Requantization(np.array([(multiplier << step) // count], np.int32),
                          np.array([shift - step], np.int8))


def significand(factor: float) -> tuple[int, int]:
    """TFLite's ``QuantizeMultiplier`` of one positive factor: multiplier and shift, unchecked."""
    multiplier, shift = _significands(np.array([factor]))
    return int(multiplier[0]), int(shift[0])


def _significands(factors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """int64 multipliers and shifts of float64 ``[n]``, not negative."""
    mantissa, exponent = np.frexp(factors)
    multiplier = np.floor(mantissa * 2.0**31 + 0.5).astype(np.int64)
    carried = multiplier == 1 << 31
    multiplier = np.where(carried, 1 << 30, multiplier)
    shift = exponent + carried
    multiplier = np.where(shift < MIN_SHIFT, 0, multiplier)
    return multiplier, np.where(multiplier == 0, 0, shift)


def saturating_rounding_doubling_high_multiply(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """``round(a * b / 2**31)`` of int32 values in int64, ties upwards.

    gemmlowp's nudge and truncating division come to exactly this. Its one saturating case needs a
    multiplier of ``-2**31``; ours are not negative.
    """
    return (a * b + (1 << 30)) >> 31


def rounding_divide_by_power_of_two(value: torch.Tensor, exponent: torch.Tensor) -> torch.Tensor:
    """``round(value / 2**exponent)`` in int64, ties away from zero."""
    mask = (torch.ones_like(exponent) << exponent) - 1
    threshold = (mask >> 1) + (value < 0)
    return (value >> exponent) + ((value & mask) > threshold)


def multiply_by_quantized_multiplier(value: torch.Tensor,
                                     requantization: Requantization) -> torch.Tensor:
    """TFLite's ``MultiplyByQuantizedMultiplier``.

    Parameters
    ----------
    value:
        int64 ``[..., n]`` or, with one multiplier, of any shape; each value, shifted left where
        the shift is positive, fits int32.

    Returns
    -------
    torch.Tensor
        int64 of the same shape.
    """
    multiplier = torch.from_numpy(requantization.multiplier.astype(np.int64))
    shift = torch.from_numpy(requantization.shift.astype(np.int64))
    high = saturating_rounding_doubling_high_multiply(value << shift.clamp(min=0), multiplier)
    return rounding_divide_by_power_of_two(high, (-shift).clamp(min=0))
