"""Multipliers for linear layers that LiteRT rounds once, in double precision.

The hardware rounds twice, in fixed point, as LiteRT's convolutions do. For FULLY_CONNECTED, since
version 1.4 at the latest, LiteRT's reference kernel computes ``round(factor * accumulator)`` with
ties away from zero. An int8 output changes at 255 accumulators at most, so that a multiplier of
the hardware can be compared with that rounding at all of them, and the best one taken. Where none
of them differs, every accumulator gives LiteRT's byte.
"""

from __future__ import annotations

import numpy as np
import torch

from vqrom_sw.arithmetic import (
    HIGHEST,
    LOWEST,
    MIN_SHIFT,
    Requantization,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
)

NEIGHBOURS = 2
"""Number of multipliers tried on either side of the nearest one."""


def quantize_multiplier_once(layer: str, factors: np.ndarray, lowest: int, highest: int,
                             reach: int) -> Requantization:
    """Choose multipliers and shifts whose outputs differ least from those rounded once.

    Parameters
    ----------
    layer:
        Name of the layer whose factors they are, for errors.
    factors:
        Positive real factors from accumulator to output, float64 ``[n]``.
    lowest, highest:
        Least and greatest output, without its zero point.
    reach:
        Greatest magnitude of an accumulator.

    Raises
    ------
    VqromError
        As for :func:`vqrom_sw.arithmetic.quantize_multiplier`.
    """
    distinct, places = np.unique(factors, return_inverse=True)
    chosen = [_best(layer, float(factor), lowest, highest, reach) for factor in distinct]
    multiplier, shift = (np.concatenate([getattr(scale, name) for scale in chosen])[places]
                         for name in ("multiplier", "shift"))
    return Requantization(multiplier, shift)


def rounds_differently(scale: Requantization, factors: np.ndarray, lowest: int, highest: int,
                       reach: int) -> bool:
    """Whether any accumulator has another output with these multipliers than rounded once.

    Parameters
    ----------
    scale:
        The multipliers, ``[n]``.
    factors, lowest, highest, reach:
        As for :func:`quantize_multiplier_once`.
    """
    for place in range(len(factors)):
        one = Requantization(scale.multiplier[place:place + 1], scale.shift[place:place + 1])
        accumulators = output_edges(float(factors[place]), lowest, highest, reach)
        expected = rounded_once(accumulators, float(factors[place]))
        if count_differing(one, accumulators, expected, lowest, highest):
            return True
    return False


def accumulator_reach(weights: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """The greatest magnitude that an accumulator can have, whatever the input; int64 ``[C_out]``.

    Parameters
    ----------
    weights:
        int8 ``[C_out, ...]``.
    bias:
        int32 ``[C_out]``.
    """
    sums = np.abs(weights.astype(np.int64)).reshape(len(weights), -1).sum(1)
    return sums * (HIGHEST - LOWEST) + np.abs(bias.astype(np.int64))


def _best(layer: str, factor: float, lowest: int, highest: int, reach: int) -> Requantization:
    usual = quantize_multiplier(layer, factor)
    accumulators = output_edges(factor, lowest, highest, reach)
    expected = rounded_once(accumulators, factor)
    best, fewest = usual, count_differing(usual, accumulators, expected, lowest, highest)
    # A smaller shift after the product rounds less there, but leaves the multiplier fewer bits.
    for shift in range(min(0, int(usual.shift[0])), 1)[::-1]:
        if fewest == 0 or usual.shift[0] > 0 or shift < MIN_SHIFT:
            break
        nearest = round(factor * 2.0 ** (31 - shift))
        for step in sorted(range(-NEIGHBOURS, NEIGHBOURS + 1), key=abs):
            if not 0 < nearest + step < 1 << 31:
                continue
            scale = Requantization(np.array([nearest + step], np.int32), np.array([shift], np.int8))
            count = count_differing(scale, accumulators, expected, lowest, highest)
            if count < fewest:
                best, fewest = scale, count
    return best


def output_edges(factor: float, lowest: int, highest: int, reach: int) -> np.ndarray:
    """The accumulators on both sides of each change of an output, int64 ``[n]``.

    Parameters
    ----------
    factor:
        Real factor from accumulator to output.
    lowest, highest:
        Least and greatest output, without its zero point.
    reach:
        Greatest magnitude of an accumulator.
    """
    halves = np.arange(lowest, highest) + 0.5
    first = np.floor(halves / factor)
    edges = np.unique(np.concatenate([first - 1, first, first + 1, first + 2]))
    return edges[np.abs(edges) <= reach].astype(np.int64)


def rounded_once(accumulators: np.ndarray, factor: float) -> np.ndarray:
    """``round(factor * accumulator)`` with ties away from zero, as LiteRT computes it; int64."""
    scaled = accumulators.astype(np.float64) * factor
    return np.trunc(scaled + np.copysign(0.5, scaled)).astype(np.int64)


def count_differing(scale: Requantization, accumulators: np.ndarray, expected: np.ndarray,
                    lowest: int, highest: int) -> int:
    """Count the accumulators whose output, requantised with ``scale``, is not the expected one.

    Parameters
    ----------
    scale:
        One factor as integers.
    accumulators, expected:
        int64 ``[n]``: the accumulators, and their outputs before they are clamped.
    lowest, highest:
        Least and greatest output, without its zero point.
    """
    found = multiply_by_quantized_multiplier(torch.from_numpy(accumulators), scale).numpy()
    return int(np.count_nonzero(found.clip(lowest, highest) != expected.clip(lowest, highest)))
