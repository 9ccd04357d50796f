"""TODO."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from vqrom_sw.arithmetic import HIGHEST
from vqrom_sw.network import FloatAdd, FloatConv, FloatNetwork, readers_of

RAW_LIMIT = HIGHEST
"""Raw weights are symmetric: -127..127."""

SMALL_SHARE = 0.02
"""Of the weights of the layers that may be raw or not."""


class RawLayers(StrEnum):
    """Which layers keep raw int8 weights.

    Members
    -------
    NARROW:
        Those with fewer input channels (of a group) than a sub-vector is long: first layers of
        images and depthwise ones, where an index is shared by few weights.
    SMALL:
        Those, and the smallest ones as long as they hold at most :data:`SMALL_SHARE` of the other
        weights: where many layers follow few weights, these cost little and spoil much.
    STREAMS:
        Those, and the first of each stream of sums, whose error is in every sum that follows: the
        linear bottlenecks without a shortcut of MobileNets and EfficientNets.
    ENDS:
        Those, the first and the last.
    NONE:
        No layer.
    """

    NARROW = "narrow"
    SMALL = "small"
    STREAMS = "streams"
    ENDS = "ends"
    NONE = "none"


def raw_layers(network: FloatNetwork, subvector: int, policy: RawLayers) -> frozenset[str]:
    """Names of the layers that the policy leaves raw."""
    if policy == RawLayers.NONE:
        return frozenset()
    convolutions = [layer for layer in network.layers if isinstance(layer, FloatConv)]
    narrow = [layer for layer in convolutions if layer.weight.shape[1] < subvector]
    wide = [layer for layer in convolutions if layer.weight.shape[1] >= subvector]
    others = {RawLayers.NARROW: [], RawLayers.SMALL: _smallest(wide),
              RawLayers.STREAMS: _smallest(wide) + _stream_heads(network),
              RawLayers.ENDS: convolutions[:1] + convolutions[-1:]}[policy]
    return frozenset(layer.name for layer in narrow + others)


def _smallest(layers: list[FloatConv]) -> list[FloatConv]:
    """Layers of the fewest weights, as many as hold at most :data:`SMALL_SHARE` of all."""
    ordered = sorted(layers, key=lambda layer: layer.weight.numel())
    held = np.cumsum([layer.weight.numel() for layer in ordered])
    return ordered[:int((held <= SMALL_SHARE * held[-1:]).sum())]


def _stream_heads(network: FloatNetwork) -> list[FloatConv]:
    """Convolutions whose output a sum reads, and another layer, too."""
    readers = readers_of(network)
    return [layer for layer in network.layers if isinstance(layer, FloatConv)
            and len(readers[layer.name]) > 1
            and any(isinstance(reader, FloatAdd) for reader in readers[layer.name])]
