"""Networks with random weights: for the cycles and the traffic of shapes, which need no others."""

from __future__ import annotations

import math

import numpy as np
import torch

from vqrom_sw.arithmetic import HIGHEST, LOWEST
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.encoding import Encoded
from vqrom_sw.network import FloatConv, FloatNetwork, QuantizedNetwork
from vqrom_sw.quantization import quantize_network

IMAGES = 2
"""Random inputs from which the ranges of feature maps come."""

SPREAD = 74
"""Standard deviation of numbers that are anywhere in int8."""


def untrained(network: FloatNetwork, codebook: UniversalCodebook, raw: bool = False,
              seed: int = 0) -> QuantizedNetwork:
    """The shapes of a network with random indices, or random int8 weights.

    Parameters
    ----------
    network:
        The network in float, whose weights do not matter.
    codebook:
        The codebook that the indices point into.
    raw:
        Give every layer weights. Otherwise only layers that are narrower than a codeword get them.
    seed:
        Seed of the random numbers.

    Raises
    ------
    VqromError
        If a layer cannot be quantised.
    """
    random = np.random.default_rng(seed)
    encoded = {layer.name: _random(layer, codebook, raw, random) for layer in network.layers
               if isinstance(layer, FloatConv)}
    height, width, channels = network.input_shape
    images = random.standard_normal((IMAGES, channels, height, width)).astype(np.float32)
    return quantize_network(network, codebook, encoded, torch.from_numpy(images))


def _random(layer: FloatConv, codebook: UniversalCodebook, raw: bool,
            random: np.random.Generator) -> Encoded:
    """Random integers for a convolution, at a scale at which outputs are as large as inputs."""
    count, reduced, *kernel = layer.weight.shape
    indices = None
    if raw or reduced < codebook.subvector:
        merged = random.integers(LOWEST, HIGHEST + 1, (count, *kernel, reduced), np.int8)
    else:
        parts = -(-reduced // codebook.subvector)
        indices = random.integers(0, codebook.size, (count, *kernel, parts), np.uint16)
        merged = codebook.codewords[indices].reshape(count, *kernel, -1)[..., :reduced]
    integers = torch.from_numpy(np.ascontiguousarray(merged.transpose(0, 3, 1, 2)))
    scale = np.full(count, 1 / (SPREAD * math.sqrt(reduced * math.prod(kernel))))
    return Encoded(indices, integers, scale, scale, np.zeros(count))
