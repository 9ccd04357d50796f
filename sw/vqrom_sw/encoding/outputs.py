"""Encoding by outputs: layer by layer, codewords that keep each layer's outputs, not its weights.

The squared error of a layer's outputs is a quadratic form of its weights' error, whose matrix are
the second moments of its inputs (:mod:`vqrom_sw.encoding.columns`). A layer's inputs are those of
the encoded network and its outputs those of the float network, so that a layer also makes up for
the errors of those before it.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import torch

from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.network import FloatAdd, FloatConv, FloatNetwork, readers_of
from vqrom_sw.progress import Progress
from vqrom_sw.reference import linear_part

from .columns import Moments, on_codebook, positive
from .encoded import Encoded, encoded_pair
from .kept_maps import KeptMaps
from .raw_layers import RAW_LIMIT
from .statistics import Statistics, layer_statistics, position_weights


@torch.no_grad()
def encode_outputs(network: FloatNetwork, codebook: UniversalCodebook, images: torch.Tensor,
                   raw: Collection[str] = (), progress: Progress | None = None, *,
                   seed: int = 0) -> dict[str, Encoded]:
    """Give every sub-vector the codeword with which its layer's outputs are kept best.

    Parameters and result are those of :func:`vqrom_sw.encoding.nearest.encode_nearest`.

    Parameters
    ----------
    seed:
        Of the positions that are looked at.
    """
    encoded: dict[str, Encoded] = {}
    maps = KeptMaps(network, images, encoded)
    importance = position_weights(network, images, seed, maps.counts)
    partners = _partners(network)
    for done, layer in enumerate(network.layers):
        inputs = maps.prepare(layer)
        if isinstance(layer, FloatConv):
            wanted, got = inputs[0]
            aim = linear_part(layer, layer.weight, layer.bias, wanted)
            if partners.get(layer.name) in maps.results:
                one, other = maps.results[partners[layer.name]]
                aim = aim + (one - other)
            statistics = layer_statistics(layer, got, aim, importance[layer.name], seed + done)
            encoded[layer.name] = _encode(layer, codebook, statistics, layer.name in raw)
        maps.put(layer, encoded_pair(layer, encoded.get(layer.name), inputs))
        if progress:
            progress("keeping outputs", done + 1, len(network.layers))
    return encoded


def _partners(network: FloatNetwork) -> dict[str, str]:
    """Of a convolution that a sum alone reads: what else is summed."""
    readers = readers_of(network)
    found = {}
    for layer in network.layers:
        if isinstance(layer, FloatConv) and len(readers[layer.name]) == 1:
            reader = readers[layer.name][0]
            if isinstance(reader, FloatAdd) and layer.bounds == (-np.inf, np.inf):
                found[layer.name] = reader.inputs[reader.inputs[0] == layer.name]
    return found


def _encode(layer: FloatConv, codebook: UniversalCodebook, statistics: Statistics,
            raw: bool) -> Encoded:
    moments = _moments(layer, statistics)
    if raw:
        aim = torch.cat([part.weights for part in moments])
        scale = aim.double().abs().amax(1) / RAW_LIMIT
        integers = (aim / positive(scale).unsqueeze(1)).round()
        indices = None
    else:
        parts = [on_codebook(part, codebook, layer.weight.shape[1]) for part in moments]
        indices, integers, scale, aim = (torch.cat(same) for same in zip(*parts, strict=True))
    rows = integers.double().reshape(layer.groups, -1, integers.shape[1])
    means = (rows @ statistics.input_mean.unsqueeze(2)).flatten()
    bias = statistics.output_mean - scale * means
    shape = (len(scale), *layer.weight.shape[2:], layer.weight.shape[1])
    shaped, aimed = (part.float().reshape(shape).permute(0, 3, 1, 2).contiguous()
                     for part in (integers, aim))
    return Encoded(
        None if indices is None else
        indices.reshape(*shape[:3], -1).numpy().astype(np.uint16),
        shaped.to(torch.int8), scale.numpy(), scale.numpy(), bias.numpy(),
        None if raw else aimed)


def _moments(layer: FloatConv, statistics: Statistics) -> list[Moments]:
    """Damped moments, and the weights that are best by them, of each group."""
    own = layer.weight.permute(0, 2, 3, 1).reshape(layer.groups, -1, statistics.inputs.shape[1])
    diagonal = statistics.inputs.diagonal(dim1=1, dim2=2)
    added = statistics.damping * diagonal.mean(1).clamp(min=1e-12)
    inputs = statistics.inputs + torch.diag_embed(added.unsqueeze(1).expand_as(diagonal))
    cross = statistics.cross + added[:, None, None] * own.double().transpose(1, 2)
    weights = torch.linalg.solve(inputs, cross).transpose(1, 2)
    return [Moments(*pair) for pair in zip(inputs.float(), weights.float(), strict=True)]
