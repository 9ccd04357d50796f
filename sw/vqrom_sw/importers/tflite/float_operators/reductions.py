"""Reductions along axes, and normalisations that need them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from vqrom_sw.importers.imported_module import Call

from ..float_node import FloatNode, Part

Reduction = Callable[[torch.Tensor, Sequence[int], bool], torch.Tensor]
"""A function of a tensor, axes, and whether these stay as axes of 1."""


def _product(x: torch.Tensor, axes: Sequence[int], keep: bool) -> torch.Tensor:
    for axis in sorted(axes, reverse=True):
        x = x.prod(axis, keep)
    return x


REDUCTIONS: dict[str, Reduction] = {
    "MEAN": lambda x, axes, keep: x.mean(list(axes), keep),
    "SUM": lambda x, axes, keep: x.sum(list(axes), keep),
    "REDUCE_MAX": lambda x, axes, keep: x.amax(list(axes), keep),
    "REDUCE_MIN": lambda x, axes, keep: x.amin(list(axes), keep),
    "REDUCE_PROD": _product,
}
"""The function of each reduction, by operator."""


def reduction(node: FloatNode) -> Part:
    """Read a reduction over constant axes, which may include the file's axis of one image."""
    data, function = node.data(), REDUCTIONS[node.kind]
    keep = bool(node.option("ReducerOptions", "keepDims"))
    axes = sorted({node.axis(axis, len(data.shape)) for axis in node.integers(1)})
    if not axes:
        return node.part(nn.Identity())
    if data.leading and axes[0] > 0:
        return node.call(lambda x: function(x, axes, keep))
    return node.within(lambda x: function(x, [axis + 1 for axis in axes], keep))


def softmax(node: FloatNode) -> Part:
    """Read a SOFTMAX over the last axis, with a factor on its input."""
    beta = node.option("SoftmaxOptions", "beta")
    before = () if beta == 1 else (Call(lambda x: x * beta),)
    return node.part(*before, nn.Softmax(-1))


def log_softmax(node: FloatNode) -> Part:
    """Read a LOG_SOFTMAX over the last axis."""
    return node.part(nn.LogSoftmax(-1))


def l2_normalization(node: FloatNode) -> Part:
    """Read an L2_NORMALIZATION over the last axis; squares below 1e-6 in all count as that."""
    def normalise(x: torch.Tensor) -> torch.Tensor:
        total = (x * x).sum(-1, keepdim=True)
        return x / torch.sqrt(total.clamp(min=1e-6))
    group = "L2NormOptions"
    return node.part(Call(normalise), *node.fused(group))


OPERATORS: dict[str, Callable[[FloatNode], Part]] = {
    **dict.fromkeys(REDUCTIONS, reduction), "SOFTMAX": softmax, "LOG_SOFTMAX": log_softmax,
    "L2_NORMALIZATION": l2_normalization,
}
"""What reads each reduction, by its name."""
