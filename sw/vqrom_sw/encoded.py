"""Convolutions on the codebook, before quantisation: nearest codewords, matched statistics."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import torch

from .assign import assign
from .codebook import UniversalCodebook
from .float_network import (
    FloatAdd,
    FloatConv,
    FloatLayer,
    FloatNetwork,
    float_layer,
    fold_layers,
    linear_part,
    readers_of,
)

Progress = Callable[[str, int, int], None]
Pair = tuple[torch.Tensor, torch.Tensor]
"""A feature map of the float network and of the encoded one."""

RAW_LIMIT = 127
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


@dataclass(frozen=True)
class Encoded:
    """A convolution on the codebook, or raw, before its activations are quantised.

    Members
    -------
    indices:
        uint16 ``[C_out, kernel_y, kernel_x, ceil(C_in / groups / d)]``; None if raw.
    integers:
        int8 ``[C_out, C_in / groups, kernel_y, kernel_x]``: the codewords' entries, or raw.
    fitted:
        float64 ``[C_out]``: scale at which the integers are nearest to the float weights.
    scale:
        float64 ``[C_out]``: real weight = ``scale * integer``; statistics matched.
    bias:
        float64 ``[C_out]``.
    aim:
        float32 ``[C_out, C_in / groups, kernel_y, kernel_x]``: what the codewords stand for, in
        their units; the float weights if None.
    """

    indices: np.ndarray | None
    integers: torch.Tensor
    fitted: np.ndarray
    scale: np.ndarray
    bias: np.ndarray
    aim: torch.Tensor | None = None


@torch.no_grad()
def encode_nearest(network: FloatNetwork, codebook: UniversalCodebook, images: torch.Tensor,
                   raw: Collection[str] = (), progress: Progress | None = None
                   ) -> dict[str, Encoded]:
    """Give every sub-vector its nearest codeword, and every channel its float statistics.

    Layer by layer, with the layers before already encoded, each output channel's scale and bias
    are set so that its pre-activation has the float network's mean and standard deviation: what
    re-estimating the statistics of batch norm would do, for networks whose batch norm is folded or
    that have none.

    Parameters
    ----------
    images:
        float32 ``[N, C, H, W]`` inputs like those to come.
    raw:
        Names of the layers that keep raw int8 weights.
    progress:
        Called with what is being done, layers done, and layers in all.

    Returns
    -------
    dict
        Each convolution by its layer's name.
    """
    encoded: dict[str, Encoded] = {}
    done = 0

    def run(layer: FloatLayer, inputs: list[Pair]) -> Pair:
        nonlocal done
        if isinstance(layer, FloatConv):
            weights = round_raw(layer.weight) if layer.name in raw \
                else _assigned(layer.weight, codebook)
            encoded[layer.name] = _matched(layer, *weights, *inputs[0])
        done += 1
        if progress:
            progress("assigning codewords", done, len(network.layers))
        return encoded_pair(layer, encoded.get(layer.name), inputs)

    fold_layers(network, (images, images), run)
    return encoded


def _matched(layer: FloatConv, indices: np.ndarray | None, integers: torch.Tensor,
             fitted: np.ndarray, wanted: torch.Tensor, got: torch.Tensor) -> Encoded:
    scale, bias = match_statistics(linear_part(layer, integers.float(), None, got),
                                   linear_part(layer, layer.weight, layer.bias, wanted), fitted)
    return Encoded(indices, integers, fitted, scale, bias)


def encoded_pair(layer: FloatLayer, encoded: Encoded | None, inputs: list[Pair]) -> Pair:
    """A layer's output of the float network and of the encoded one, each from its own inputs."""
    wanted, got = ([pair[side] for pair in inputs] for side in (0, 1))
    return float_layer(layer, wanted), encoded_layer(layer, encoded, got)


def encoded_layer(layer: FloatLayer, encoded: Encoded | None,
                  inputs: list[torch.Tensor]) -> torch.Tensor:
    """Run a layer in float32 with its encoded weights, if it has any: ``[N, C, H, W]``."""
    if encoded is None or not isinstance(layer, FloatConv):
        return float_layer(layer, inputs)
    scale = torch.from_numpy(encoded.scale).float().reshape(-1, 1, 1, 1)
    bias = torch.from_numpy(encoded.bias).float()
    return linear_part(layer, encoded.integers.float() * scale, bias, inputs[0]) \
        .clamp(*layer.bounds)


def round_raw(weight: torch.Tensor) -> tuple[None, torch.Tensor, np.ndarray]:
    """Symmetric int8 weights and the scale of each output channel, float64 ``[C_out]``."""
    scale = weight.double().flatten(1).abs().amax(1) / RAW_LIMIT
    divisor = torch.where(scale > 0, scale, 1.0).reshape(-1, 1, 1, 1)
    return None, (weight.double() / divisor).round().to(torch.int8), scale.numpy()


def _assigned(weight: torch.Tensor, codebook: UniversalCodebook
              ) -> tuple[np.ndarray, torch.Tensor, np.ndarray]:
    found = assign(weight, codebook)
    return found.indices, found.integers, found.scale


def match_statistics(got: torch.Tensor, wanted: torch.Tensor,
                     fitted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scale and bias with which ``got`` has the channel means and deviations of ``wanted``.

    Parameters
    ----------
    got, wanted:
        float32 ``[N, C, H, W]``.
    fitted:
        Scale of each channel by its weights, float64 ``[C]``; the result is within a factor of 2,
        and equal where a channel hardly varies.
    """
    dims = (0, 2, 3)
    spread_got, spread_wanted = (part.double().std(dims, correction=0) for part in (got, wanted))
    mean_got, mean_wanted = (part.double().mean(dims) for part in (got, wanted))
    start = torch.from_numpy(fitted)
    usable = (spread_got * start > 1e-6) & (spread_wanted > 1e-6) & (got.shape[0] > 1)
    ratio = torch.where(usable, spread_wanted / (spread_got * start).clamp(min=1e-12), 1.0)
    scale = start * ratio.clamp(0.5, 2.0)
    return scale.numpy(), (mean_wanted - scale * mean_got).numpy()
