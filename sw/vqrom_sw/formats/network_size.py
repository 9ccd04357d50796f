"""The bytes that a compressed network stores, and how much smaller it is than in float or int8."""

from __future__ import annotations

from dataclasses import dataclass

from vqrom_hw.codebook_shape import index_width
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.network import GATES, Conv, Host, Lstm, QuantizedNetwork

from .index_packing import packed_bytes

SCALE_BYTES = 5
"""Bytes of the factor of one output channel: a multiplier of 4 bytes and a shift of 1."""

BIAS_BYTES = 4
"""Bytes of the bias of one output channel."""

LSTM_FACTORS = 2 * GATES + 1
"""Factors of an LSTM: of both sums of each gate, and of the output."""


@dataclass(frozen=True)
class NetworkSize:
    """Bytes that a network stores beside the codebook, and the number of weights they stand for.

    Members
    -------
    weights, indexed_weights:
        Number of weights of all layers, and of the layers with indices.
    index, raw:
        Bytes of packed index maps, and of raw int8 weights.
    channels:
        Bytes of multipliers, shifts and biases.
    host:
        Bytes of the host layers' constants: tensors, or biases and factors.
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
        """Bytes of everything but the codebook."""
        return self.index + self.raw + self.channels + self.host

    @property
    def float_bytes(self) -> int:
        """Bytes of the same network in float32: weights, one bias per channel, host constants."""
        biases = self.channels // (SCALE_BYTES + BIAS_BYTES)
        return 4 * (self.weights + biases) + self.host

    @property
    def int8_bytes(self) -> int:
        """Bytes of the same network with an int8 number for each weight."""
        return self.weights + self.channels + self.host

    @property
    def indexed_ratio(self) -> float:
        """Bytes of the indexed layers' weights in float32 over those of their indices, or 0."""
        return 4 * self.indexed_weights / self.index if self.index else 0.0

    @property
    def ratio(self) -> float:
        """Bytes of the whole network in float32 over those stored."""
        return self.float_bytes / self.stored

    @property
    def int8_ratio(self) -> float:
        """Bytes of the whole network in int8 over those stored."""
        return self.int8_bytes / self.stored


def network_size(network: QuantizedNetwork, codebook: UniversalCodebook) -> NetworkSize:
    """Count the bytes of a network.

    Parameters
    ----------
    network:
        The quantised network.
    codebook:
        Its codebook, whose size fixes the width of an index.
    """
    width = index_width(codebook.size)
    weights = indexed = index = raw = channels = host = 0
    for layer in network.layers:
        weights += network.weights_of(layer)
        match layer:
            case Conv():
                channels += layer.shape[2] * (SCALE_BYTES + BIAS_BYTES)
                if layer.indices is not None:
                    indexed += network.weights_of(layer)
                    index += packed_bytes(layer.indices.size, width)
                else:
                    assert layer.raw is not None
                    raw += layer.raw.size
            case Lstm():
                raw += layer.weights
                host += layer.bias.nbytes + LSTM_FACTORS * SCALE_BYTES
            case Host():
                host += sum(constant.nbytes for constant in layer.constants)
    return NetworkSize(weights, indexed, index, raw, channels, host, codebook.rom_bytes)
