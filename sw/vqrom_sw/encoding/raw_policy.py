"""Which layers keep int8 weights (raw layers) instead of indices into the codebook.

Some layers hold few of a network's weights, or spoil much with little: first layers of images,
depthwise convolutions, layers whose error reaches everything after them. Raw weights cost them
little memory and save accuracy.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from vqrom_sw.arithmetic import HIGHEST
from vqrom_sw.network import FloatConv, FloatNetwork, is_sum, readers_of

RAW_LIMIT = HIGHEST
"""Largest magnitude of a raw weight: they are symmetric, -127..127."""

SMALL_SHARE = 0.02
"""Most weights that the smallest layers may hold together, as a share of those of all layers that
are not narrow.
"""


class RawLayers(StrEnum):
    """A policy that names the layers which keep raw int8 weights.

    Members
    -------
    NARROW:
        Layers with fewer input channels (of a group) than a sub-vector is long: first layers of
        images and depthwise ones, where few weights would share an index.
    SMALL:
        The narrow layers, and the smallest ones as long as they hold at most :data:`SMALL_SHARE`
        of the other weights: where many layers follow few weights, these cost little and spoil
        much.
    STREAMS:
        Those of ``SMALL``, and the first layer of each residual path, whose error is in every sum
        that follows: the linear bottlenecks without a shortcut of MobileNets and EfficientNets.
    ENDS:
        The narrow layers, the first layer and the last one.
    NONE:
        No layer.
    ALL:
        Every layer: the network in int8, without a codebook, to compare with.
    """

    NARROW = "narrow"
    SMALL = "small"
    STREAMS = "streams"
    ENDS = "ends"
    NONE = "none"
    ALL = "all"


def raw_layers(network: FloatNetwork, subvector: int, policy: RawLayers) -> frozenset[str]:
    """Name the layers of a network that a policy leaves raw.

    Parameters
    ----------
    network:
        The network in float, as it was captured.
    subvector:
        Weights of a codeword, ``d``; it decides which layers are narrow.
    policy:
        Kinds of layers that stay raw.
    """
    if policy == RawLayers.NONE:
        return frozenset()
    convolutions = [layer for layer in network.layers if isinstance(layer, FloatConv)]
    if policy == RawLayers.ALL:
        return frozenset(layer.name for layer in convolutions)
    narrow = [layer for layer in convolutions if layer.weight.shape[1] < subvector]
    wide = [layer for layer in convolutions if layer.weight.shape[1] >= subvector]
    others = {RawLayers.NARROW: [], RawLayers.SMALL: _smallest(wide),
              RawLayers.STREAMS: _smallest(wide) + _residual_path_heads(network),
              RawLayers.ENDS: convolutions[:1] + convolutions[-1:]}[policy]
    return frozenset(layer.name for layer in narrow + others)


def _smallest(layers: list[FloatConv]) -> list[FloatConv]:
    """Take the layers of the fewest weights, as many as hold :data:`SMALL_SHARE` of all at most."""
    ordered = sorted(layers, key=lambda layer: layer.weight.numel())
    held = np.cumsum([layer.weight.numel() for layer in ordered])
    return ordered[:int((held <= SMALL_SHARE * held[-1:]).sum())]


def _residual_path_heads(network: FloatNetwork) -> list[FloatConv]:
    """Find the convolutions whose output is a shortcut: a sum reads it, and another layer, too."""
    readers = readers_of(network)
    return [layer for layer in network.layers if isinstance(layer, FloatConv)
            and len(readers[layer.name]) > 1
            and any(is_sum(reader) for reader in readers[layer.name])]
