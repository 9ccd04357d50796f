"""TODO."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from vqrom_sw.network import FloatConv, FloatLayer, FloatNetwork
from vqrom_sw.reference import float_layer, fold_layers, linear_part, pad

MOST, MOST_INPUTS = 1 << 17, 1 << 28
"""Positions at most, and inputs at all of them: more say little that is new."""

CHUNK_INPUTS = 1 << 24
"""Inputs looked at in one go."""

LEAST_WEIGHT, MOST_WEIGHT = 0.01, 10.0
"""Bounds of a position's importance, relative to the mean."""

GRADIENT_BATCH = 32
"""Inputs whose gradients are computed at once."""

DAMPING = 0.01
"""Added to the moments' diagonal, relative to its mean; more where few images are there."""

DISTINCT = 16
"""Positions of one image that say something of their own: neighbours resemble each other."""


@dataclass(frozen=True)
class Statistics:
    """Of a layer's inputs and wanted outputs, for each of ``G`` groups of channels.

    Members
    -------
    inputs, cross:
        float64 ``[G, n, n]`` and ``[G, n, C_out / G]``: second moments of the ``n`` inputs (in the
        order y, x, channel), and of inputs with outputs; without the means, weighted by importance.
    input_mean, output_mean:
        float64 ``[G, n]`` and ``[C_out]``.
    damping:
        To be added to the inputs' diagonal, relative to its mean.
    """

    inputs: torch.Tensor
    cross: torch.Tensor
    input_mean: torch.Tensor
    output_mean: torch.Tensor
    damping: float


def position_weights(network: FloatNetwork, images: torch.Tensor, seed: int,
                     counts: Mapping[str, int]) -> dict[str, torch.Tensor]:
    """How much each position of a convolution's output matters to the network's output.

    The mean square of the gradient of the output along a random direction, ``[count, H, W]`` by
    the layer's name: 1 on average, and between :data:`LEAST_WEIGHT` and :data:`MOST_WEIGHT`. What
    is masked later, or negative before a ReLU, counts less.

    Parameters
    ----------
    counts:
        Of the inputs that each layer is looked at with, the first ones.
    """
    generator = torch.Generator().manual_seed(seed)
    parts: dict[str, list[torch.Tensor]] = {}
    for first in range(0, max(counts.values()), GRADIENT_BATCH):
        chunk = images[first:first + GRADIENT_BATCH]
        outputs: dict[str, torch.Tensor] = {}

        def run(layer: FloatLayer, inputs: list[torch.Tensor],
                outputs: dict[str, torch.Tensor] = outputs) -> torch.Tensor:
            if not isinstance(layer, FloatConv):
                return float_layer(layer, inputs)
            made = linear_part(layer, layer.weight, layer.bias, inputs[0])
            outputs[layer.name] = made
            return made.clamp(*layer.bounds)

        with torch.enable_grad():
            last = fold_layers(network, chunk.clone().requires_grad_(), run)
            direction = torch.randn(last.shape, generator=generator)
            # Layers that are looked at with fewer inputs need no gradient of these.
            asked = {name: made for name, made in outputs.items() if counts[name] > first}
            gradients = torch.autograd.grad((last * direction).sum(), list(asked.values()),
                                            materialize_grads=True)
        for name, gradient in zip(asked, gradients, strict=True):
            parts.setdefault(name, []).append(gradient.square().mean(1))
    return {name: _normal(torch.cat(found)[:counts[name]]) for name, found in parts.items()}


def _normal(weights: torch.Tensor) -> torch.Tensor:
    root = weights.sqrt()
    relative = root / root.mean().clamp(min=1e-30)
    return relative.clamp(LEAST_WEIGHT, MOST_WEIGHT)


def layer_statistics(layer: FloatConv, got: torch.Tensor, aim: torch.Tensor,
                     weights: torch.Tensor, seed: int) -> Statistics:
    """Of a layer at random positions of its output.

    Parameters
    ----------
    got, aim:
        float32 ``[N, C_in, H', W']`` inputs and ``[N, C_out, H, W]`` wanted outputs.
    weights:
        float32 ``[N, H, W]``: importance of the positions.
    seed:
        Of the positions, where there are too many to look at all.
    """
    images, outputs, height, width = aim.shape
    groups, length = layer.groups, layer.weight[0].numel()
    chosen, weight = _positions(weights, MOST_INPUTS // (length * groups), seed)
    inputs, cross, input_mean = (torch.zeros(groups, length, *size, dtype=torch.float64)
                                 for size in ((length,), (outputs // groups,), ()))
    output_mean = torch.zeros(outputs, dtype=torch.float64)
    # Near their means first: what is far larger than it varies would lose its moments to rounding.
    near, near_wanted = (part.mean((0, 2, 3)) for part in (got, aim))
    padded = pad(got, layer.padding)
    step = max(1, CHUNK_INPUTS // (length * groups))
    for positions, share in zip(chosen.split(step), weight.split(step), strict=True):
        image, place = positions // (height * width), positions % (height * width)
        y, x = place // width, place % width
        columns = _patches(layer, padded, near, image, y, x)
        wanted = aim[image, :, y, x] - near_wanted
        weighted = columns * share.float()[:, None]
        by_group = wanted.reshape(len(image), groups, -1).transpose(0, 1)
        inputs += weighted.transpose(1, 2) @ columns
        cross += weighted.transpose(1, 2) @ by_group
        input_mean += weighted.sum(1)
        output_mean += share @ wanted.double()
    inputs -= input_mean.unsqueeze(2) * input_mean.unsqueeze(1)
    cross -= input_mean.unsqueeze(2) * output_mean.reshape(groups, 1, -1)
    near_places = near.reshape(groups, 1, -1).expand(-1, length * groups // len(near), -1)
    return Statistics(inputs, cross, input_mean + near_places.flatten(1), output_mean + near_wanted,
                      DAMPING + min(1.0, length / (images * min(height * width, DISTINCT))))


def _positions(weights: torch.Tensor, most: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Random positions, int64 ``[P]``, and their importance, float64 ``[P]`` of sum 1."""
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(weights.numel(), generator=generator)[:min(MOST, most)]
    weight = weights.flatten()[chosen].double()
    return chosen, weight / weight.sum()


def _patches(layer: FloatConv, padded: torch.Tensor, near: torch.Tensor, image: torch.Tensor,
             y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """What the output's positions read, less ``near`` of each channel, ``[G, P, n]``."""
    kernel_y, kernel_x = (torch.arange(size) for size in layer.weight.shape[2:])
    rows = (y * layer.stride[0])[:, None, None] + kernel_y[:, None]
    columns = (x * layer.stride[1])[:, None, None] + kernel_x
    found = padded[image[:, None, None], :, rows, columns] - near
    return found.reshape(*found.shape[:3], layer.groups, -1).permute(3, 0, 1, 2, 4) \
        .reshape(layer.groups, len(image), -1)
