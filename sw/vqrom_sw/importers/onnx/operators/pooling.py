"""Pooling: the greatest, the mean, or a norm of what is in a window, or of a whole map.

Source of all formulas here: the operators' definitions in the ONNX standard.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from vqrom_sw.importers.imported_module import Call

from ..node import OnnxNode
from .windows import Window, window

MAXIMA: tuple[Any, ...] = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
MEANS: tuple[Any, ...] = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)
PRODUCTS: tuple[Callable[..., torch.Tensor], ...] = (F.conv1d, F.conv2d, F.conv3d)


def max_pool(node: OnnxNode) -> nn.Module:
    """``MaxPool``; where the indices of the greatest values are read, it is refused."""
    place, ceil = _place(node)
    node.unread(1, "indices")
    node.ignore("storage_order")
    pool = MAXIMA[len(place.kernel) - 1]
    if _small(place):
        return pool(place.kernel, place.strides, place.before, place.dilations, ceil_mode=ceil)
    return nn.Sequential(Call(lambda x: place.padded(x, -math.inf, ceil)),
                         pool(place.kernel, place.strides, 0, place.dilations))


def average_pool(node: OnnxNode) -> nn.Module:
    """``AveragePool``, with the padding in the mean or without."""
    place, ceil = _place(node)
    with_padding = bool(node.attribute("count_include_pad", 0))
    if _small(place) and max(place.dilations) == 1:
        return MEANS[len(place.kernel) - 1](place.kernel, place.strides, place.before,
                                            ceil_mode=ceil, count_include_pad=with_padding)
    ones = torch.ones(1, 1, *place.sizes)
    if with_padding:
        amounts = [amount for pair in reversed(list(zip(place.before, place.after, strict=True)))
                   for amount in pair]
        inner = Window(place.kernel, place.strides, place.dilations, (0,) * len(place.kernel),
                       (0,) * len(place.kernel), tuple(F.pad(ones, amounts).shape[2:]))
        counts = _counts(inner, place, F.pad(ones, amounts, value=1.0), ceil)
    else:
        counts = _sums(place, ones, ceil)
    return _Scaled(lambda x: _sums(place, x, ceil), 1 / counts)


def _counts(inner: Window, place: Window, ones: torch.Tensor, ceil: bool) -> torch.Tensor:
    """How many elements of the padded tensor each window has."""
    missing = [(count - 1) * stride + reach - size for count, stride, reach, size in zip(
        place.steps(ceil), place.strides, place.reach, inner.sizes, strict=True)]
    amounts = [amount for behind in reversed(missing) for amount in (0, behind)]
    return _product(inner, F.pad(ones, amounts))


def lp_pool(node: OnnxNode) -> nn.Module:
    """``LpPool``: the p-norm of each window."""
    place, ceil = _place(node)
    power = node.attribute("p", 2)
    return Call(lambda x: _sums(place, x.abs() ** power, ceil) ** (1 / power))


def _place(node: OnnxNode) -> tuple[Window, bool]:
    data = node.data(0)
    place = window(node, data, node.required("kernel_shape"))
    return place, bool(node.attribute("ceil_mode", 0))


def _small(place: Window) -> bool:
    """Whether PyTorch's own pooling takes the padding."""
    return place.even and all(2 * before <= kernel for before, kernel
                              in zip(place.before, place.kernel, strict=True))


def _sums(place: Window, x: torch.Tensor, ceil: bool) -> torch.Tensor:
    """Sum of each window, channel by channel."""
    return _product(place, place.padded(x, 0.0, ceil))


def _product(place: Window, x: torch.Tensor) -> torch.Tensor:
    ones = x.new_ones(x.shape[1], 1, *place.kernel)
    return PRODUCTS[len(place.kernel) - 1](x, ones, None, place.strides, 0, place.dilations,
                                           x.shape[1])


class _Scaled(nn.Module):
    """A function whose result is multiplied by constants."""

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor], factors: torch.Tensor):
        super().__init__()
        self._function = function
        self.factors: torch.Tensor
        self.register_buffer("factors", factors)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self._function(x) * self.factors


def global_average(node: OnnxNode) -> nn.Module:
    """``GlobalAveragePool``: the mean over all axes but the first two."""
    data = node.data(0)
    if data.rank == 4:
        return nn.AdaptiveAvgPool2d(1)
    return Call(lambda x: x.mean(tuple(range(2, x.dim())), keepdim=True))


def global_max(node: OnnxNode) -> nn.Module:
    """``GlobalMaxPool``: the greatest value over all axes but the first two."""
    node.data(0)
    return Call(lambda x: x.amax(tuple(range(2, x.dim())), keepdim=True))


def global_lp(node: OnnxNode) -> nn.Module:
    """``GlobalLpPool``: the p-norm over all axes but the first two."""
    node.data(0)
    power = node.attribute("p", 2)
    return Call(lambda x: (x.abs() ** power).sum(tuple(range(2, x.dim())), keepdim=True)
                ** (1 / power))


OPERATORS = {"MaxPool": max_pool, "AveragePool": average_pool, "LpPool": lp_pool,
             "GlobalAveragePool": global_average, "GlobalMaxPool": global_max,
             "GlobalLpPool": global_lp}
"""What reads each operator of this file, by name."""
