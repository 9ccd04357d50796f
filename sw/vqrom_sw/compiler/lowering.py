"""Layers as other layers that compute the same bytes and that a unit of the accelerator does."""

from __future__ import annotations

import numpy as np

from vqrom_sw.arithmetic import Requantization
from vqrom_sw.network import Conv, Layer, Select


def lower(layer: Layer, channels: int) -> Layer:
    """The layer that a task is made of.

    Parameters
    ----------
    layer:
        Any layer.
    channels:
        Channels of its first input.
    """
    return _select_as_conv(layer, channels) if isinstance(layer, Select) else layer


def _select_as_conv(layer: Select, channels: int) -> Conv:
    """A convolution of one pixel with raw weights 0 and 1, whose factor is 1."""
    count = layer.shape[2]
    raw = np.zeros((count, 1, 1, channels), np.int8)
    chosen = np.flatnonzero(layer.sources >= 0)
    raw[chosen, 0, 0, layer.sources[chosen]] = 1
    one = Requantization(np.full(count, 1 << 30, np.int32), np.ones(count, np.int8))
    return Conv(layer.name, layer.inputs, layer.shape, layer.quantization, "conv", (1, 1),
                layer.stride, (0, 0, 0, 0), None, raw, np.ones(count), np.zeros(count, np.int32),
                one, layer.clamp)
