"""Convolutions on the codebook, before quantisation: nearest codewords, matched statistics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from vqrom_sw.network import FloatConv, FloatLayer
from vqrom_sw.reference import float_layer, linear_part

Pair = tuple[torch.Tensor, torch.Tensor]
"""A feature map of the float network and of the encoded one."""


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
