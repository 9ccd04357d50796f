"""Encoding by outputs: codewords that keep what each layer computes, and not its weights.

Layer by layer, sample inputs run through the float network and through the encoded one. The inputs
that a layer is fitted to are those of the encoded network, the outputs wanted of it those of the
float network, so that it also makes up for the errors of the layers before it. The squared error of
its outputs is a quadratic form of its weights' error, which the search in
:mod:`vqrom_sw.encoding.columns` makes small. Here the form is set up: the moments come from
:mod:`vqrom_sw.encoding.statistics` and are damped, and the weights that are best by them are solved
for.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import torch

from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.network import INPUT, UNBOUNDED, FloatConv, FloatNetwork, is_sum, readers_of
from vqrom_sw.progress import Progress
from vqrom_sw.reference import linear_part

from .columns import Moments, on_codebook, positive
from .encoded import Encoded, encoded_pair
from .kept_maps import KeptMaps
from .raw_policy import RAW_LIMIT
from .statistics import Statistics, layer_statistics, position_importance


@torch.no_grad()
def encode_outputs(network: FloatNetwork, codebook: UniversalCodebook, images: torch.Tensor,
                   raw: Collection[str] = (), progress: Progress | None = None, *,
                   seed: int = 0) -> dict[str, Encoded]:
    """Give every sub-vector the codeword with which its layer's outputs are kept best.

    Raw layers are fitted to the outputs in the same way, and rounded. Nothing is trained.

    Parameters
    ----------
    network:
        The network in float, as it was captured.
    codebook:
        Codewords to choose from.
    images:
        float32 ``[N, C, H, W]`` inputs like those to come; late layers see more of them than early
        ones (:mod:`vqrom_sw.encoding.kept_maps`).
    raw:
        Names of the layers that keep raw int8 weights.
    progress:
        Called with what is being done, layers done, and layers in all.
    seed:
        Seed of the random choice of positions that are looked at.

    Returns
    -------
    dict
        Each convolution by its layer's name.
    """
    encoded: dict[str, Encoded] = {}
    maps = KeptMaps(network, images, encoded)
    importance = position_importance(network, images, seed, maps.counts)
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
    """Name the other operand of the sum that is a convolution's only reader, by the convolution.

    Such a layer can make up for the error of the other operand, too, since nobody else reads it.
    """
    readers = readers_of(network)
    shapes = {INPUT: network.input_shape} | {layer.name: layer.shape for layer in network.layers}
    outputs = {output.layer for output in network.outputs}
    found = {}
    for layer in network.layers:
        if isinstance(layer, FloatConv) and len(readers[layer.name]) == 1 \
                and layer.name not in outputs:
            reader = readers[layer.name][0]
            if is_sum(reader) and layer.bounds == UNBOUNDED:
                other = reader.inputs[reader.inputs[0] == layer.name]
                if shapes[other] == layer.shape:
                    found[layer.name] = other
    return found


def _encode(layer: FloatConv, codebook: UniversalCodebook, statistics: Statistics,
            raw: bool) -> Encoded:
    """Encode one convolution, and set its bias so that the outputs' means are those wanted."""
    moments = _moments(layer, statistics)
    if raw:
        aim = torch.cat([part.weights for part in moments])
        scale = aim.double().abs().amax(1) / RAW_LIMIT
        integers = (aim / positive(scale).unsqueeze(1)).round()
        indices = None
    else:
        parts = [on_codebook(part, codebook, layer.weight.shape[1]) for part in moments]
        indices, integers, scale, aim = (torch.cat(same) for same in zip(*parts, strict=True))
    by_group = integers.double().reshape(layer.groups, -1, integers.shape[1])
    means = (by_group @ statistics.input_mean.unsqueeze(2)).flatten()
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
    """Damp each group's moments, and solve for the weights that are best by them.

    Damping adds to the diagonal what would be there if every input had independent noise, and to
    the products with the outputs what the float weights make of it: the fewer samples there are,
    the more the best weights stay near the float ones.
    """
    own = layer.weight.permute(0, 2, 3, 1).reshape(layer.groups, -1, statistics.inputs.shape[1])
    diagonal = statistics.inputs.diagonal(dim1=1, dim2=2)
    added = statistics.damping * diagonal.mean(1).clamp(min=1e-12)
    inputs = statistics.inputs + torch.diag_embed(added.unsqueeze(1).expand_as(diagonal))
    cross = statistics.cross + added[:, None, None] * own.double().transpose(1, 2)
    weights = torch.linalg.solve(inputs, cross).transpose(1, 2)
    return [Moments(*pair) for pair in zip(inputs.float(), weights.float(), strict=True)]
