"""Reductions over axes.

Source of all formulas here: the operators' definitions in the ONNX standard.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from vqrom_sw.importers.imported_module import Call

from ..node import OnnxNode
from ..values import Data, Value

Reduction = Callable[[torch.Tensor, list[int], bool], torch.Tensor]
"""Reduces a tensor over axes; the flag says whether they are kept with size 1."""


def _product(x: torch.Tensor, axes: list[int], keep: bool) -> torch.Tensor:
    for axis in sorted(axes, reverse=True):
        x = x.prod(axis, keepdim=keep)
    return x


REDUCTIONS: dict[str, Reduction] = {
    "ReduceMean": lambda x, axes, keep: x.mean(axes, keepdim=keep),
    "ReduceSum": lambda x, axes, keep: x.sum(axes, keepdim=keep),
    "ReduceMax": lambda x, axes, keep: x.amax(axes, keepdim=keep),
    "ReduceMin": lambda x, axes, keep: x.amin(axes, keepdim=keep),
    "ReduceProd": _product,
    "ReduceL1": lambda x, axes, keep: x.abs().sum(axes, keepdim=keep),
    "ReduceL2": lambda x, axes, keep: (x * x).sum(axes, keepdim=keep).sqrt(),
    "ReduceSumSquare": lambda x, axes, keep: (x * x).sum(axes, keepdim=keep),
    "ReduceLogSum": lambda x, axes, keep: x.sum(axes, keepdim=keep).log(),
    "ReduceLogSumExp": lambda x, axes, keep: torch.logsumexp(x, axes, keep),
}
"""What each operator computes, by name."""


def _reader(reduction: Reduction) -> Callable[[OnnxNode], nn.Module | Value]:
    def read(node: OnnxNode) -> nn.Module | Data:
        """Over constant axes, or over all."""
        data, axes = node.data(0), node.integers(1)
        keep = bool(node.attribute("keepdims", 1))
        unchanged = bool(node.attribute("noop_with_empty_axes", 0))
        if not axes and unchanged:
            return data if reduction in _UNCHANGED else Call(lambda x: reduction(
                x.unsqueeze(-1), [-1], False))
        axes = [node.axis(axis, data.rank) for axis in axes or range(data.rank)]
        if node.batch == 1 and keep and data.images is not None and data.images[1] == 1:
            # With one image, the mean over the images is that of each.
            axes = [axis for axis in axes if axis != data.images[0]]
        if not axes:
            return Call(lambda x: reduction(x.unsqueeze(-1), [-1], False))
        return Call(lambda x: reduction(x, axes, keep))
    return read


_UNCHANGED = [REDUCTIONS[name] for name in ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin",
                                            "ReduceProd")]

OPERATORS = {name: _reader(reduction) for name, reduction in REDUCTIONS.items()}
"""What reads each operator of this file, by name."""
