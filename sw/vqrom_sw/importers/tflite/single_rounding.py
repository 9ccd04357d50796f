"""FULLY_CONNECTED as LiteRT rounds it: once, in double precision, not twice in fixed point.

Since LiteRT 1.4 at the latest its reference kernel computes ``round(factor * accumulator)``, ties
away from zero, where convolutions still have ``MultiplyByQuantizedMultiplier`` with two roundings.
An int8 output changes at 255 accumulators at most, so that multipliers of the hardware can be
compared with that rounding at all of them, and the best one taken: where none of them disagrees,
every accumulator gives LiteRT's byte.
"""

from __future__ import annotations

import numpy as np
import torch

from vqrom_sw.arithmetic import (
    MIN_SHIFT,
    Requantization,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
)
from vqrom_sw.network import Conv, QuantizedNetwork

NEIGHBOURS = 2
"""Multipliers tried on either side of the nearest one."""


def quantize_multiplier_once(layer: str, factors: np.ndarray, lowest: int, highest: int,
                             reach: int) -> Requantization:
    """Multipliers and shifts with the fewest disagreements with one rounding.

    Parameters
    ----------
    layer:
        Whose factors they are, for errors.
    factors:
        Positive float64 ``[n]``.
    lowest, highest:
        Of the output before its zero point.
    reach:
        No accumulator is farther from 0.

    Raises
    ------
    VqromError
        As :func:`vqrom_sw.arithmetic.requantization.quantize_multiplier`.
    """
    distinct, places = np.unique(factors, return_inverse=True)
    chosen = [_best(layer, float(factor), lowest, highest, reach) for factor in distinct]
    multiplier, shift = (np.concatenate([getattr(scale, name) for scale in chosen])[places]
                         for name in ("multiplier", "shift"))
    return Requantization(multiplier, shift)


def edge_differences(network: QuantizedNetwork, layer: Conv) -> int:
    """At how many accumulators next to a change of its output a layer differs from one rounding,
    over all its output channels; 0: it gives LiteRT's bytes for every input.

    Parameters
    ----------
    layer:
        A linear layer with raw weights.
    """
    factors = (network.quantization_of(layer.inputs[0]).scale * layer.weight_scale
               / layer.quantization.scale)
    low, high = (bound - layer.quantization.zero_point for bound in layer.clamp)
    assert layer.raw is not None
    reach = accumulator_reach(layer.raw, layer.bias)
    total = 0
    for channel, factor in enumerate(factors):
        scale = Requantization(layer.requantization.multiplier[channel:channel + 1],
                               layer.requantization.shift[channel:channel + 1])
        accumulators = _edges(float(factor), low, high, int(reach[channel]))
        total += _differing(scale, accumulators, _rounded(accumulators, float(factor)), low, high)
    return total


def accumulator_reach(weights: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """int64 ``[C_out]``: no accumulator is farther from 0, whatever the input.

    Parameters
    ----------
    weights:
        int8 ``[C_out, ...]``.
    bias:
        int32 ``[C_out]``.
    """
    sums = np.abs(weights.astype(np.int64)).reshape(len(weights), -1).sum(1)
    return sums * 255 + np.abs(bias.astype(np.int64))


def _best(layer: str, factor: float, lowest: int, highest: int, reach: int) -> Requantization:
    usual = quantize_multiplier(layer, factor)
    accumulators = _edges(factor, lowest, highest, reach)
    expected = _rounded(accumulators, factor)
    best, fewest = usual, _differing(usual, accumulators, expected, lowest, highest)
    # A smaller shift after the product rounds less there, but leaves the multiplier fewer bits.
    for shift in range(min(0, int(usual.shift[0])), 1)[::-1]:
        if fewest == 0 or usual.shift[0] > 0 or shift < MIN_SHIFT:
            break
        nearest = round(factor * 2.0 ** (31 - shift))
        for step in sorted(range(-NEIGHBOURS, NEIGHBOURS + 1), key=abs):
            if not 0 < nearest + step < 1 << 31:
                continue
            scale = Requantization(np.array([nearest + step], np.int32), np.array([shift], np.int8))
            count = _differing(scale, accumulators, expected, lowest, highest)
            if count < fewest:
                best, fewest = scale, count
    return best


def _edges(factor: float, lowest: int, highest: int, reach: int) -> np.ndarray:
    """int64: the accumulators on both sides of each change of the output."""
    halves = np.arange(lowest, highest) + 0.5
    first = np.floor(halves / factor)
    edges = np.unique(np.concatenate([first - 1, first, first + 1, first + 2]))
    return edges[np.abs(edges) <= reach].astype(np.int64)


def _rounded(accumulators: np.ndarray, factor: float) -> np.ndarray:
    scaled = accumulators.astype(np.float64) * factor
    return np.trunc(scaled + np.copysign(0.5, scaled)).astype(np.int64)


def _differing(scale: Requantization, accumulators: np.ndarray, expected: np.ndarray, lowest: int,
               highest: int) -> int:
    found = multiply_by_quantized_multiplier(torch.from_numpy(accumulators), scale).numpy()
    return int(np.count_nonzero(found.clip(lowest, highest) != expected.clip(lowest, highest)))
