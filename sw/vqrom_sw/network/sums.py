"""The range of sums: what int32 accumulators cannot hold is refused before anything runs.

Accelerators add the bias and shift to the left in int32, which wraps around; the integer reference
does both in int64. Both refuse the layers on which the two could differ, by the largest sum that
int8 inputs can make of the layer's own weights.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import HIGHEST, LOWEST

from .quantized_layers import Conv, GlobalAveragePool, Layer
from .quantized_network import QuantizedNetwork

LIMIT = 1 << 31
"""Sums, after their shift to the left, must be below it in magnitude."""


def check_sums(network: QuantizedNetwork, layers: Sequence[Layer],
               codewords: np.ndarray | None) -> None:
    """Refuse layers whose sums can leave int32.

    Parameters
    ----------
    network:
        The quantised network.
    layers:
        The layers of it that are to run.
    codewords:
        Its codebook, int8 ``[k, d]``; None for a network without indices.

    Raises
    ------
    VqromError
        If the bias plus the largest sum of an output channel, or that shifted left by the channel's
        shift, does not fit int32; the message names the layer, the channel and the value.
    """
    for layer in layers:
        if not isinstance(layer, Conv | GlobalAveragePool):
            continue
        height, width, channels = network.shape_of(layer.inputs[0])
        zero_point = network.quantization_of(layer.inputs[0]).zero_point
        shift = np.maximum(layer.requantization.shift.astype(np.int64), 0)
        if isinstance(layer, GlobalAveragePool):
            largest = np.full(1, height * width * max(HIGHEST - zero_point, zero_point - LOWEST))
        else:
            per_channel = layer.kernel[0] * layer.kernel[1] * channels // layer.groups
            bias = layer.bias.astype(np.int64)
            # Whatever the weights are: enough for nearly all layers.
            largest = np.abs(bias) + per_channel * -LOWEST * (HIGHEST - LOWEST)
            if (largest << shift).max() >= LIMIT:
                largest = _largest(layer, bias, zero_point, channels // layer.groups, codewords)
        shifted = largest << shift
        worst = int(shifted.argmax())
        if shifted[worst] >= LIMIT:
            raise VqromError(
                f"layer {layer.name!r}: sums of channel {worst}, with bias and shift to the left, "
                f"must fit int32, not reach {int(shifted[worst])}")


def _largest(layer: Conv, bias: np.ndarray, zero_point: int, channels: int,
             codewords: np.ndarray | None) -> np.ndarray:
    """Greatest magnitude of each output channel's sum with bias, int64 ``[C_out]``."""
    weights = layer.raw
    if weights is None:
        assert layer.indices is not None and codewords is not None
        weights = codewords[layer.indices].reshape(*layer.indices.shape[:3], -1)[..., :channels]
    positive, negative = (part.sum((1, 2, 3), dtype=np.int64)
                          for part in (np.maximum(weights, 0), np.minimum(weights, 0)))
    below, above = LOWEST - zero_point, HIGHEST - zero_point
    greatest = bias + positive * above + negative * below
    least = bias + positive * below + negative * above
    return np.maximum(np.abs(greatest), np.abs(least))
