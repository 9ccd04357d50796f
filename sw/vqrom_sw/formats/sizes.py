"""What a network stores, counted to the byte, and how much smaller that is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vqrom_hw.codebook import index_width
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.network import Conv, Host, QuantizedNetwork

from .packing import packed_bytes

SCALE_BYTES = 5
"""Requantisation of a channel: a 4-byte multiplier and a 1-byte shift."""

BIAS_BYTES = 4


@dataclass(frozen=True)
class NetworkSize:
    """Bytes that a network stores beside the ROM, and weights that they stand for.

    Members
    -------
    weights, indexed_weights:
        Weights of all layers, and of those with indices.
    index, raw:
        Bytes of index maps, packed, and of raw int8 weights.
    channels:
        Bytes of multipliers, shifts and biases.
    host:
        Bytes of the host's constants, float32.
    rom:
        Bytes of the codebook, which all networks share and none stores.
    """

    weights: int
    indexed_weights: int
    index: int
    raw: int
    channels: int
    host: int
    rom: int

    @property
    def stored(self) -> int:
        """Bytes of everything but the ROM."""
        return self.index + self.raw + self.channels + self.host

    @property
    def float_bytes(self) -> int:
        """Bytes of the same network in float32: weights, a bias per channel, host constants."""
        biases = self.channels // (SCALE_BYTES + BIAS_BYTES)
        return 4 * (self.weights + biases) + self.host

    @property
    def int8_bytes(self) -> int:
        """Bytes with an int8 for each weight, and the rest as here."""
        return self.weights + self.channels + self.host

    @property
    def indexed_ratio(self) -> float:
        """float32 weights of the indexed layers against their indices; 0 if there are none."""
        return 4 * self.indexed_weights / self.index if self.index else 0.0

    @property
    def ratio(self) -> float:
        """Everything in float32 against everything here."""
        return self.float_bytes / self.stored

    @property
    def int8_ratio(self) -> float:
        """Everything in int8 against everything here."""
        return self.int8_bytes / self.stored


def network_size(network: QuantizedNetwork, codebook: UniversalCodebook) -> NetworkSize:
    """Count a network's bytes."""
    width = index_width(codebook.size)
    weights = indexed = index = raw = channels = 0
    for layer in network.layers:
        if not isinstance(layer, Conv):
            continue
        if layer.indices is not None:
            indexed += network.weights_of(layer)
            index += packed_bytes(layer.indices.size, width)
        else:
            assert layer.raw is not None
            raw += layer.raw.size
        weights += network.weights_of(layer)
        channels += layer.shape[2] * (SCALE_BYTES + BIAS_BYTES)
    host = sum(int(np.prod(constant.shape)) * 4 for layer in network.layers
               if isinstance(layer, Host) for constant in layer.constants)
    return NetworkSize(weights, indexed, index, raw, channels, host, codebook.rom_bytes)
