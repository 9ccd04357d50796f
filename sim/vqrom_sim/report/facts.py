"""What is inside a codebook and a compressed network, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Bin:
    """One bar of a histogram: how many values are in ``low <= value < high``.

    The last bar holds the highest value, too.
    """

    low: float
    high: float
    count: int


@dataclass(frozen=True)
class CodebookFacts:
    """What a codebook holds.

    Members
    -------
    sha256:
        Identity of its content; network files and the accelerator's registers carry it.
    codewords, subvector:
        How many codewords there are, and the weights of each.
    rom_bytes:
        Bytes of the ROM; fewer than the codewords' if they are sums of rows of tables.
    bits_per_weight:
        Bits of an index over the weights of a codeword.
    values, norms:
        Histograms of all int8 entries, and of the codewords' Euclidean lengths.
    networks:
        Names of the networks whose indices were counted.
    uses:
        How many indices of them stand for each codeword; empty without networks.
    """

    sha256: str
    codewords: int
    subvector: int
    rom_bytes: int
    bits_per_weight: float
    values: tuple[Bin, ...]
    norms: tuple[Bin, ...]
    networks: tuple[str, ...]
    uses: tuple[int, ...]

    @property
    def used(self) -> int:
        """Codewords that stand for a sub-vector at all."""
        return sum(count > 0 for count in self.uses)

    @property
    def entropy(self) -> float:
        """Shannon entropy of the indices in bits: what one would take with an ideal code."""
        counts = np.array([count for count in self.uses if count], np.float64)
        shares = counts / max(counts.sum(), 1)
        return float(-(shares * np.log2(shares)).sum()) + 0.0


@dataclass(frozen=True)
class LayerFacts:
    """One layer of a compressed network.

    Members
    -------
    name, kind, inputs:
        The layer, what it does, and the layers that it reads.
    shape:
        Its output feature map, ``(H, W, C)``.
    kernel, stride:
        ``(y, x)``; empty where there is none.
    weights, encoding, stored_bits:
        Its weights; whether they are ``"indexed"`` or ``"raw"``; bits of its index map or int8
        weights, packed.
    scale, zero_point:
        Quantisation of its output: ``real = scale * (q - zero_point)``.
    where:
        ``"accelerator"``, or ``"host"`` for a layer that the accelerator does not do.
    reason:
        Why it does not; empty for its own layers.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    shape: tuple[int, int, int]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    weights: int
    encoding: str
    stored_bits: int
    scale: float
    zero_point: int
    where: str
    reason: str

    @property
    def bits_per_weight(self) -> float:
        """Stored bits of each weight; 0 where there are no weights."""
        return self.stored_bits / self.weights if self.weights else 0.0


@dataclass(frozen=True)
class NetworkFacts:
    """What a compressed network is made of.

    Members
    -------
    name:
        The network's name.
    config:
        Name of the accelerator's configuration, on which it depends what runs on the host.
    input_shape:
        ``(H, W, C)``.
    outputs:
        Shape of each output, by name, as the float network gives it.
    input_scale, input_zero_point:
        Quantisation of the input.
    codebook_sha256, codewords:
        The codebook that its indices point into; None if it has no indices.
    layers:
        In the order of execution.
    """

    name: str
    config: str
    input_shape: tuple[int, int, int]
    outputs: Mapping[str, tuple[int, ...]]
    input_scale: float
    input_zero_point: int
    codebook_sha256: str | None
    codewords: int | None
    layers: tuple[LayerFacts, ...]

    @property
    def weights(self) -> int:
        """Weights of all layers."""
        return sum(layer.weights for layer in self.layers)

    @property
    def stored_bits(self) -> int:
        """Bits of all index maps and int8 weights."""
        return sum(layer.stored_bits for layer in self.layers)
