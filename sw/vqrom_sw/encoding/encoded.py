"""A convolution on the codebook before quantisation, and how it is run in float32."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from vqrom_sw.network import FloatConv, FloatLayer
from vqrom_sw.reference import float_layer, linear_part

Pair = tuple[torch.Tensor, torch.Tensor]
"""One feature map ``[N, C, H, W]`` twice: of the float network, and of the encoded one.

Layers are encoded one after the other. Both networks run beside each other meanwhile, so that each
layer sees what the encoded layers before it made of the inputs, and what they should have made.
"""


@dataclass(frozen=True)
class Encoded:
    """A convolution on the codebook, or raw, before its feature maps are quantised.

    Its weights are ``scale * integers``, and its bias replaces the float layer's.

    Members
    -------
    indices:
        uint16 ``[C_out, kernel_y, kernel_x, ceil(C_in / groups / d)]``; None if the layer is raw.
    integers:
        int8 ``[C_out, C_in / groups, kernel_y, kernel_x]``: the codewords' entries, or raw weights.
    fitted:
        float64 ``[C_out]``: scale at which the integers are nearest to the float weights.
    scale:
        float64 ``[C_out]``: scale that the layer runs with, at which its outputs have the float
        layer's statistics or are nearest to them.
    bias:
        float64 ``[C_out]``, in the units of the float network.
    aim:
        float32 ``[C_out, C_in / groups, kernel_y, kernel_x]``: what the integers stand for, in
        units of the codewords; None if that is ``weight / fitted``. Construction takes its
        candidates from around it.
    """

    indices: np.ndarray | None
    integers: torch.Tensor
    fitted: np.ndarray
    scale: np.ndarray
    bias: np.ndarray
    aim: torch.Tensor | None = None


def encoded_pair(layer: FloatLayer, encoded: Encoded | None, inputs: list[Pair]) -> Pair:
    """Run a layer in the float network and in the encoded one, each on its own inputs.

    Parameters
    ----------
    layer:
        Layer of the float network.
    encoded:
        Its encoded weights; None for a layer without weights.
    inputs:
        A pair for each of the layer's inputs.
    """
    wanted, got = ([pair[side] for pair in inputs] for side in (0, 1))
    return float_layer(layer, wanted), encoded_layer(layer, encoded, got)


def encoded_layer(layer: FloatLayer, encoded: Encoded | None,
                  inputs: list[torch.Tensor]) -> torch.Tensor:
    """Run a layer in float32 with its encoded weights.

    Parameters
    ----------
    layer:
        Layer of the float network.
    encoded:
        Its encoded weights, or None to run it as it is.
    inputs:
        float32 ``[N, C, H, W]`` for each of the layer's inputs.

    Returns
    -------
    torch.Tensor
        float32 ``[N, C_out, H, W]``, after the activation.
    """
    if encoded is None or not isinstance(layer, FloatConv):
        return float_layer(layer, inputs)
    scale = torch.from_numpy(encoded.scale).float().reshape(-1, 1, 1, 1)
    bias = torch.from_numpy(encoded.bias).float()
    return linear_part(layer, encoded.integers.float() * scale, bias, inputs[0]) \
        .clamp(*layer.bounds)
