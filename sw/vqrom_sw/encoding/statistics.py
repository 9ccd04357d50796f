"""Moments of a layer's inputs and wanted outputs, and how much each position matters.

The moments are sums over positions: a position is one pixel of a layer's output for one sample
input, and its inputs are what the kernel reads there. They are all that encoding by outputs has to
know of the samples (:mod:`vqrom_sw.encoding.columns`). Positions are weighted by their importance,
which a gradient of the float network's output tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from vqrom_sw.network import FloatConv, FloatLayer, FloatNetwork
from vqrom_sw.reference import float_layer, fold_layers, linear_part, pad

MOST_POSITIONS = 1 << 17
"""Most positions of a layer that are looked at: half as many left EfficientNet-Lite0 with a larger
error on new inputs (docs/decisions/0018-more-positions).
"""

MOST_VALUES = 1 << 28
"""Most input values at all positions of a layer together, which bounds the time of gathering:
layers with many weights are looked at in fewer positions.
"""

CHUNK_VALUES = 1 << 24
"""Input values that are gathered at once, which bounds the memory: 64 MiB of float32."""

LEAST_IMPORTANCE, MOST_IMPORTANCE = 0.01, 10.0
"""Bounds of a position's importance, relative to the layer's mean, so that no position is lost and
none decides alone.
"""

GRADIENT_BATCH = 32
"""Sample inputs whose gradients are computed at once, which bounds the memory."""

DAMPING = 0.01
"""Least amount that is added to the moments' diagonal, relative to the diagonal's mean; where there
are few samples for a layer's weights, up to 1 more is added.
"""

DISTINCT = 16
"""Positions of one sample input that count as samples of their own when damping is set, since
neighbouring positions resemble each other.
"""


@dataclass(frozen=True)
class Statistics:
    """Moments of one layer, for each of its ``G`` groups (1 where it is not grouped).

    At a position, a group has ``n`` inputs, in the order y, x, channel. Means over positions are
    weighted by importance.

    Members
    -------
    inputs:
        float64 ``[G, n, n]``: means of products of two inputs, each without its own mean.
    cross:
        float64 ``[G, n, C_out / G]``: means of products of an input and a wanted output, each
        without its own mean.
    input_mean:
        float64 ``[G, n]``.
    output_mean:
        float64 ``[C_out]``.
    damping:
        What is to be added to the diagonal of ``inputs``, relative to the diagonal's mean.
    """

    inputs: torch.Tensor
    cross: torch.Tensor
    input_mean: torch.Tensor
    output_mean: torch.Tensor
    damping: float


def position_importance(network: FloatNetwork, images: torch.Tensor, seed: int,
                        counts: Mapping[str, int]) -> dict[str, torch.Tensor]:
    """Measure how much each position of a convolution's output matters to the network's output.

    It is the root of the mean square, over the channels there, of the gradient of the network's
    output along a random direction. What is masked later, or negative before a ReLU, counts little.

    Parameters
    ----------
    network:
        The network in float, as it was captured.
    images:
        float32 ``[N, C, H, W]``.
    seed:
        Seed of the random direction, which is another for each input.
    counts:
        How many of the inputs each layer is looked at with, by its name; it is the first ones.

    Returns
    -------
    dict
        float32 ``[count, H, W]`` by the convolution's name: relative to the layer's mean, and
        within :data:`LEAST_IMPORTANCE` and :data:`MOST_IMPORTANCE`.
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
            results = fold_layers(network, chunk.clone().requires_grad_(), run)
            total = torch.stack([(result * torch.randn(result.shape, generator=generator)).sum()
                                 for result in results]).sum()
            # Layers that are looked at with fewer inputs need no gradient of these.
            asked = {name: made for name, made in outputs.items() if counts[name] > first}
            gradients = torch.autograd.grad(total, list(asked.values()), materialize_grads=True)
        for name, gradient in zip(asked, gradients, strict=True):
            parts.setdefault(name, []).append(gradient.square().mean(1))
    return {name: _relative(torch.cat(found)[:counts[name]]) for name, found in parts.items()}


def _relative(power: torch.Tensor) -> torch.Tensor:
    """Turn mean squared gradients into importance relative to the mean, within its bounds."""
    root = power.sqrt()
    relative = root / root.mean().clamp(min=1e-30)
    return relative.clamp(LEAST_IMPORTANCE, MOST_IMPORTANCE)


def layer_statistics(layer: FloatConv, got: torch.Tensor, aim: torch.Tensor,
                     importance: torch.Tensor, seed: int) -> Statistics:
    """Gather the moments of a layer at random positions of its output.

    Parameters
    ----------
    layer:
        Layer of the float network.
    got:
        float32 ``[N, C_in, H', W']``: the layer's inputs in the encoded network.
    aim:
        float32 ``[N, C_out, H, W]``: the outputs wanted of it, before the activation.
    importance:
        float32 ``[N, H, W]`` of the positions, from :func:`position_importance`.
    seed:
        Seed of the choice of positions, where there are too many to look at all.
    """
    images, outputs, height, width = aim.shape
    groups, length = layer.groups, layer.weight[0].numel()
    chosen, shares = _positions(importance, MOST_VALUES // (length * groups), seed)
    inputs, cross, input_mean = (torch.zeros(groups, length, *size, dtype=torch.float64)
                                 for size in ((length,), (outputs // groups,), ()))
    output_mean = torch.zeros(outputs, dtype=torch.float64)
    # Near their means first: what is far larger than it varies would lose its moments to rounding.
    near, near_wanted = (part.mean((0, 2, 3)) for part in (got, aim))
    padded = pad(got, layer.padding)
    step = max(1, CHUNK_VALUES // (length * groups))
    for positions, share in zip(chosen.split(step), shares.split(step), strict=True):
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


def _positions(importance: torch.Tensor, most: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Choose positions, int64 ``[P]``, with their shares of the importance, float64 ``[P]``."""
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(importance.numel(), generator=generator)[:min(MOST_POSITIONS, most)]
    found = importance.flatten()[chosen].double()
    return chosen, found / found.sum()


def _patches(layer: FloatConv, padded: torch.Tensor, near: torch.Tensor, image: torch.Tensor,
             y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Gather what the output's positions read, less ``near`` of each channel: ``[G, P, n]``."""
    kernel_y, kernel_x = (torch.arange(size) for size in layer.weight.shape[2:])
    ys = (y * layer.stride[0])[:, None, None] + kernel_y[:, None]
    xs = (x * layer.stride[1])[:, None, None] + kernel_x
    found = padded[image[:, None, None], :, ys, xs] - near
    return found.reshape(*found.shape[:3], layer.groups, -1).permute(3, 0, 1, 2, 4) \
        .reshape(layer.groups, len(image), -1)
