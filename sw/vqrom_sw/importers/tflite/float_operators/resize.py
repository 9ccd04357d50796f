"""Images of another size: nearest neighbours and straight lines between pixels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from vqrom_sw.importers.imported_module import Call

from ..float_node import FloatNode, Part
from ..resizing import nearest_places, places, whole_factor
from .windows import around

Sizes = tuple[int, int]
"""Height and width."""


def _sizes(node: FloatNode) -> tuple[Sizes, Sizes]:
    """Height and width before and after."""
    data, wanted = node.data(), node.integers(1)
    if len(data.shape) != 4 or not data.leading or len(wanted) != 2 or min(wanted) < 1:
        raise node.error(f"must make an image of an image, not {wanted!r} of {data.shape!r}")
    return (data.shape[1], data.shape[2]), (wanted[0], wanted[1])


def nearest(node: FloatNode) -> Part:
    """Read a RESIZE_NEAREST_NEIGHBOR."""
    sizes, wanted = _sizes(node)
    align, half = (bool(node.option("ResizeNearestNeighborOptions", name))
                   for name in ("alignCorners", "halfPixelCenters"))
    found = [nearest_places(size, want, align, half)
             for size, want in zip(sizes, wanted, strict=True)]
    factors = [whole_factor(index, size) for index, size in zip(found, sizes, strict=True)]
    if all(factors):
        return around(node, nn.UpsamplingNearest2d(wanted))
    rows, columns = (torch.from_numpy(index) for index in found)
    return node.call(lambda x: x.index_select(1, rows).index_select(2, columns))


def bilinear(node: FloatNode) -> Part:
    """Read a RESIZE_BILINEAR."""
    sizes, wanted = _sizes(node)
    align, half = (bool(node.option("ResizeBilinearOptions", name))
                   for name in ("alignCorners", "halfPixelCenters"))
    if align != half:
        return around(node, Call(lambda x: nn.functional.interpolate(
            x, wanted, mode="bilinear", align_corners=align)))
    lines = [_line(size, want, align, half) for size, want in zip(sizes, wanted, strict=True)]

    def resize(x: torch.Tensor) -> torch.Tensor:
        for axis, (lower, upper, share) in zip((1, 2), lines, strict=True):
            weight = share.reshape(-1, *[1] * (3 - axis))
            x = x.index_select(axis, lower) * (1 - weight) + x.index_select(axis, upper) * weight
        return x
    return node.call(resize)


def _line(size: int, wanted: int, align: bool,
          half: bool) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The pixels before and after each place along an axis, and the share of the latter."""
    exact = places(size, wanted, align, half) - np.float32(0.5 if half else 0)
    lower = np.maximum(np.floor(exact), 0).astype(np.int64)
    upper = np.minimum(np.ceil(exact), size - 1).astype(np.int64)
    share = exact - lower.astype(np.float32)
    return torch.from_numpy(lower), torch.from_numpy(upper), torch.from_numpy(share)


OPERATORS: dict[str, Callable[[FloatNode], Part]] = {
    "RESIZE_NEAREST_NEIGHBOR": nearest, "RESIZE_BILINEAR": bilinear}
"""What reads each change of size, by its name."""
