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
from vqrom_sw.network import Conv, QuantizedNetwork

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


def edge_differences(network: QuantizedNetwork, layer: Conv) -> int:
    """Count the accumulators for which a linear layer's output differs from one rounded once.

    Only accumulators next to a change of the output are tried, which are all that can differ. At 0
    the layer gives LiteRT's bytes for every input.

    Parameters
    ----------
    network:
        The network that the layer is part of.
    layer:
        A raw linear layer.

    Returns
    -------
    int
        The count over all output channels.
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
    """The accumulators on both sides of each change of the output, int64."""
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
