"""Normalisations: by stored statistics, by those of a map, a group, an element, or a neighbourhood.

Source of all formulas here: the operators' definitions in the ONNX standard.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from vqrom_sw.importers.imported_module import Call, WithConstants

from ..node import OnnxNode

BATCH_NORMS: tuple[Any, ...] = (nn.BatchNorm1d, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
INSTANCE_NORMS: tuple[Any, ...] = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)


def batch_norm(node: OnnxNode) -> nn.Module:
    """``BatchNormalization`` with stored statistics over axis 1."""
    data = node.data(0)
    node.ignore("momentum")
    node.expect("training_mode", 0, (0,))
    node.expect("spatial", 1, (1,))
    for place in range(1, 5):
        node.unread(place, "statistics")
    scale, bias, mean, variance = (node.weight(place) for place in (1, 2, 3, 4))
    if not 2 <= data.rank <= 5:
        raise node.error(f"its input must have 2 to 5 axes, not {data.rank}")
    norm = BATCH_NORMS[data.rank - 2](len(scale), eps=node.attribute("epsilon", 1e-5))
    _fill(norm, scale, bias)
    norm.running_mean, norm.running_var = mean.clone(), variance.clone()
    return norm


def instance_norm(node: OnnxNode) -> nn.Module:
    """``InstanceNormalization``: each channel of each image by its own statistics."""
    data = node.data(0)
    scale, bias = node.weight(1), node.weight(2)
    if not 3 <= data.rank <= 5:
        raise node.error(f"its input must have 3 to 5 axes, not {data.rank}")
    norm = INSTANCE_NORMS[data.rank - 3](len(scale), eps=node.attribute("epsilon", 1e-5),
                                         affine=True)
    _fill(norm, scale, bias)
    return norm


def group_norm(node: OnnxNode) -> nn.Module:
    """``GroupNormalization`` with a scale of each channel, as since operator set 21."""
    data = node.data(0)
    groups, channels = node.required("num_groups"), node.size(data, 1)
    scale, bias = node.weight(1), node.weight(2)
    node.expect("stash_type", 1, (1,))
    if scale.shape != (channels,) or bias.shape != (channels,):
        raise node.error(f"scale and bias must have {channels} values")
    norm = nn.GroupNorm(groups, channels, node.attribute("epsilon", 1e-5))
    _fill(norm, scale, bias)
    return norm


def layer_norm(node: OnnxNode) -> nn.Module:
    """``LayerNormalization`` over an axis and all after it; scale and bias are broadcast."""
    data = node.data(0)
    axis = node.axis(node.attribute("axis", -1), data.rank)
    epsilon = node.attribute("epsilon", 1e-5)
    node.expect("stash_type", 1, (1,))
    node.unread(1, "mean")
    node.unread(2, "deviation")
    sizes = [node.size(data, place) for place in range(axis, data.rank)]
    scale = node.weight(1)
    bias = node.weight(2) if node.has(2) else torch.zeros(1)
    if _fits(scale, sizes) and _fits(bias, sizes):
        norm = nn.LayerNorm(sizes, epsilon)
        _fill(norm, scale.expand(sizes).clone(), bias.expand(sizes).clone())
        return norm
    return WithConstants(lambda x, a, b: F.layer_norm(x, sizes, eps=epsilon) * a + b,
                         [None, scale, bias])


def rms_norm(node: OnnxNode) -> nn.Module:
    """``RMSNormalization`` over an axis and all after it."""
    data = node.data(0)
    axis = node.axis(node.attribute("axis", -1), data.rank)
    epsilon = node.attribute("epsilon", 1e-5)
    node.expect("stash_type", 1, (1,))
    axes = tuple(range(axis, data.rank))
    return WithConstants(
        lambda x, scale: x / ((x * x).mean(axes, keepdim=True) + epsilon).sqrt() * scale,
        [None, node.weight(1)])


def local_response(node: OnnxNode) -> nn.Module:
    """``LRN``: each value by the squares of the same pixel's neighbouring channels."""
    data = node.data(0)
    size = node.required("size")
    alpha, beta = node.attribute("alpha", 1e-4), node.attribute("beta", 0.75)
    constant = node.attribute("bias", 1.0)
    if size % 2 == 0:
        raise node.error(f"size must be odd, not {size}")
    before = after = size // 2
    channels = node.size(data, 1)

    def run(x: torch.Tensor) -> torch.Tensor:
        squares = F.pad(x * x, [0, 0] * (x.dim() - 2) + [before, after])
        total = squares[:, :channels]
        for shift in range(1, size):
            total = total + squares[:, shift:shift + channels]
        return x / (constant + alpha / size * total) ** beta

    return Call(run)


def lp_norm(node: OnnxNode) -> nn.Module:
    """``LpNormalization``: divided by the norm along an axis."""
    data = node.data(0)
    axis = node.axis(node.attribute("axis", -1), data.rank)
    power = node.expect("p", 2, (1, 2))

    def run(x: torch.Tensor) -> torch.Tensor:
        norm = x.norm(power, axis, keepdim=True)
        return torch.where(norm == 0, torch.zeros_like(x), x / norm)

    return Call(run)


def mean_variance(node: OnnxNode) -> nn.Module:
    """``MeanVarianceNormalization`` over given axes."""
    axes = tuple(node.attribute("axes", [0, 2, 3]))
    node.data(0)

    def run(x: torch.Tensor) -> torch.Tensor:
        centred = x - x.mean(axes, keepdim=True)
        return centred / ((centred * centred).mean(axes, keepdim=True).sqrt() + 1e-9)

    return Call(run)


def _fits(value: torch.Tensor, sizes: list[int]) -> bool:
    """Whether a tensor can be broadcast to the sizes, without an axis in front of them."""
    return value.dim() <= len(sizes) and all(
        own in (1, size) for own, size in zip(reversed(value.shape), reversed(sizes), strict=False))


def _fill(norm: Any, scale: torch.Tensor, bias: torch.Tensor) -> None:
    norm.weight = nn.Parameter(scale.clone(), requires_grad=False)
    norm.bias = nn.Parameter(bias.clone(), requires_grad=False)


OPERATORS = {
    "BatchNormalization": batch_norm, "InstanceNormalization": instance_norm,
    "GroupNormalization": group_norm, "LayerNormalization": layer_norm,
    "RMSNormalization": rms_norm, "LRN": local_response, "LpNormalization": lp_norm,
    "MeanVarianceNormalization": mean_variance,
}
"""What reads each operator of this file, by name."""
