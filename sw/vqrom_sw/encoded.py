"""Convolutions on the codebook, before quantisation: nearest codewords, matched statistics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from .assign import Assignment, assign
from .codebook import UniversalCodebook
from .float_network import (
    INPUT,
    FloatConv,
    FloatLayer,
    FloatNetwork,
    float_forward,
    float_layer,
    linear_part,
)

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Encoded:
    """A convolution on the codebook, before it is quantised.

    Members
    -------
    assignment:
        Indices and integer weights.
    scale:
        float64 ``[C_out]``: real weight = ``scale * integer``.
    bias:
        float64 ``[C_out]``.
    """

    assignment: Assignment
    scale: np.ndarray
    bias: np.ndarray


@torch.no_grad()
def encode_nearest(network: FloatNetwork, codebook: UniversalCodebook, images: torch.Tensor,
                   progress: Progress | None = None) -> dict[str, Encoded]:
    """Give every sub-vector its nearest codeword, and every channel its float statistics.

    Layer by layer, with the layers before already encoded, each output channel's scale and bias
    are set so that its pre-activation has the float network's mean and standard deviation: what
    re-estimating the statistics of batch norm would do, for networks whose batch norm is folded or
    that have none.

    Parameters
    ----------
    images:
        float32 ``[N, C, H, W]`` inputs like those to come.
    progress:
        Called with what is being done, layers done, and layers in all.

    Returns
    -------
    dict
        Each convolution by its layer's name.
    """
    targets = float_forward(network, images)
    maps, encoded = {INPUT: images}, {}
    for number, layer in enumerate(network.layers):
        inputs = [maps[name] for name in layer.inputs]
        if isinstance(layer, FloatConv):
            wanted = linear_part(layer, layer.weight, layer.bias, targets[layer.inputs[0]])
            encoded[layer.name] = _encode(layer, codebook, inputs[0], wanted)
        maps[layer.name] = encoded_layer(layer, encoded.get(layer.name), inputs)
        if progress:
            progress("assigning codewords", number + 1, len(network.layers))
    return encoded


def encoded_layer(layer: FloatLayer, encoded: Encoded | None,
                  inputs: list[torch.Tensor]) -> torch.Tensor:
    """Run a layer in float32 with its encoded weights, if it has any: ``[N, C, H, W]``."""
    if encoded is None or not isinstance(layer, FloatConv):
        return float_layer(layer, inputs)
    scale = torch.from_numpy(encoded.scale).float().reshape(-1, 1, 1, 1)
    weight = encoded.assignment.integers.float() * scale
    bias = torch.from_numpy(encoded.bias).float()
    return linear_part(layer, weight, bias, inputs[0]).clamp(*layer.bounds)


def _encode(layer: FloatConv, codebook: UniversalCodebook, x: torch.Tensor,
            wanted: torch.Tensor) -> Encoded:
    assignment = assign(layer.weight, codebook)
    weight = assignment.integers.float()
    got = linear_part(layer, weight, torch.zeros(len(weight)), x)
    dims = (0, 2, 3)
    spread_got, spread_wanted = (part.double().std(dims, correction=0) for part in (got, wanted))
    mean_got, mean_wanted = (part.double().mean(dims) for part in (got, wanted))
    fitted = torch.from_numpy(assignment.scale)
    # A channel that hardly varies says nothing about its scale.
    usable = (spread_got * fitted > 1e-6) & (spread_wanted > 1e-6) & (x.shape[0] > 1)
    ratio = torch.where(usable, spread_wanted / (spread_got * fitted).clamp(min=1e-12), 1.0)
    scale = fitted * ratio.clamp(0.5, 2.0)
    bias = mean_wanted - scale * mean_got
    return Encoded(assignment, scale.numpy(), bias.numpy())
