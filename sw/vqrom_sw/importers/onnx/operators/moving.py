"""Operators that take values from other places: parts, joins, borders, and blocks of pixels.

Source of all formulas here: the operators' definitions in the ONNX standard.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from vqrom_sw.importers.imported_module import Call

from ..node import OnnxNode
from ..values import COUNTS, Data

TORCH_MODES = {"reflect": "reflect", "edge": "replicate", "wrap": "circular"}
"""PyTorch's names of the standard's borders."""


class Selected(nn.Module):
    """Given entries of an axis, in a given order."""

    def __init__(self, axis: int, entries: Sequence[int]):
        super().__init__()
        self._axis = axis
        self.entries: torch.Tensor
        self.register_buffer("entries", torch.tensor(list(entries), dtype=torch.int64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.index_select(x, self._axis, self.entries)


def concat(node: OnnxNode) -> nn.Module:
    """``Concat``; constants are repeated for each image where the computed tensors have those."""
    operands = [node.operand(place) for place in range(node.inputs)]
    like = next(operand for operand in operands if isinstance(operand, Data))
    axis = node.axis(node.required("axis"), like.rank)
    images = None if like.images is None else like.images[0]
    alone = [not isinstance(operand, Data) and images not in (None, axis)
             and operand.shape[images] == 1 for operand in operands]
    first = next(place for place, operand in enumerate(operands) if operand is like)

    def run(*parts: torch.Tensor) -> torch.Tensor:
        spread = []
        for part, single in zip(parts, alone, strict=True):
            sizes = [-1] * part.dim()
            if single:
                sizes[images or 0] = parts[first].shape[images or 0]
            spread.append(part.expand(sizes) if single else part)
        return torch.cat(spread, axis)

    node.operands.clear()
    return node.apply(run)


def split(node: OnnxNode) -> nn.Module:
    """``Split`` into parts of given sizes, or of one size with a smaller last one."""
    data = node.data(0)
    axis = node.axis(node.attribute("axis", 0), data.rank)
    size, count = node.size(data, axis), node.attribute("num_outputs", node.results)
    sizes = node.integers(1)
    if sizes is None:
        each = -(-size // count)
        sizes = [each] * (count - 1) + [size - each * (count - 1)]
    if sum(sizes) != size or min(sizes) < 0 or len(sizes) != node.results:
        raise node.error(f"sizes {sizes!r} must sum up to {size}")
    return Call(lambda x: tuple(x.split(sizes, axis)))


def slice_(node: OnnxNode) -> nn.Module | Data:
    """``Slice`` with starts, ends, axes and steps of any sign."""
    data = node.data(0)
    starts, ends = node.static(1), node.static(2)
    axes = node.integers(3)
    axes = list(range(starts.at[0].size)) if axes is None else axes
    steps = node.integers(4) or [1] * len(axes)
    taken: list[nn.Module] = []
    parts: list[slice] = [slice(None)] * data.rank
    for place, (axis, step) in enumerate(zip(axes, steps, strict=True)):
        axis = node.axis(axis, data.rank)
        bounds = [(int(start.reshape(-1)[place]), int(end.reshape(-1)[place]))
                  for start, end in zip(starts.at, ends.at, strict=True)]
        if _whole(node, data, axis, step, bounds):
            continue
        if data.size(axis) is None:
            raise node.error("must not take a part of the images")
        size = node.size(data, axis)
        found = [_entries(size, *bound, step) for bound in bounds]
        if len(set(found)) > 1:
            raise node.error("its bounds must not depend on the number of images")
        if step > 0:
            parts[axis] = slice(found[0].start, found[0].stop, step)
        else:
            taken.append(Selected(axis, found[0]))
    if any(part != slice(None) for part in parts):
        taken.insert(0, Call(lambda x: x[tuple(parts)]))
    if not taken:
        return data
    return taken[0] if len(taken) == 1 else nn.Sequential(*taken)


def _whole(node: OnnxNode, data: Data, axis: int, step: int, bounds: list[tuple[int, int]]) -> bool:
    """Whether a slice takes an axis as it is, with any number of images."""
    counts = COUNTS
    if node.batch is not None and len(set(bounds)) == 1:
        counts = (node.batch,) * len(COUNTS)
    return all(_entries(size, *bound, step) == range(size) for size, bound in zip(
        (data.shape(images)[axis] for images in counts), bounds, strict=True))


def _entries(size: int, start: int, end: int, step: int) -> range:
    """Entries of an axis that a slice takes; Python counts as the standard does."""
    # For a negative step, an end far below 0 means down to the first entry, as in Python.
    return range(*slice(start, end, step).indices(size))


def gather(node: OnnxNode) -> nn.Module:
    """``Gather`` of constant places along one axis."""
    data, places = node.data(0), np.asarray(node.constant(1))
    axis = node.axis(node.attribute("axis", 0), data.rank)
    size = node.size(data, axis)
    flat = [int(place) for place in places.reshape(-1)]
    if any(not -size <= place < size for place in flat):
        raise node.error(f"indices must be {-size} to {size - 1}, not {flat!r}")
    flat = [place % size for place in flat]
    if places.ndim == 0:
        return Call(lambda x: x.select(axis, flat[0]))
    if places.ndim == 1:
        return Selected(axis, flat)
    return nn.Sequential(Selected(axis, flat), Call(lambda x: x.unflatten(axis, places.shape)))


def tile(node: OnnxNode) -> nn.Module:
    """``Tile``: the whole tensor several times along each axis."""
    data, counts = node.data(0), node.integers(1) or []
    if data.images is not None and counts[data.images[0]] != 1:
        raise node.error("must not repeat the images")
    return Call(lambda x: x.repeat(counts))


def pad(node: OnnxNode) -> nn.Module | Data:
    """``Pad`` with a constant, a mirror image, the edge's value, or what is at the other end."""
    data = node.data(0)
    mode = node.expect("mode", "constant", ("constant", *TORCH_MODES))
    amounts, value = node.integers(1) or [], node.optional(2)
    axes = node.integers(3)
    axes = list(range(data.rank)) if axes is None else axes
    before, after = [0] * data.rank, [0] * data.rank
    for place, axis in enumerate(axes):
        axis = node.axis(axis, data.rank)
        before[axis], after[axis] = amounts[place], amounts[len(axes) + place]
    if not any(before + after):
        return data
    padded = [axis for axis in range(data.rank) if before[axis] or after[axis]]
    for axis in padded:
        node.size(data, axis)
    last = [amount for axis in reversed(range(padded[0], data.rank))
            for amount in (before[axis], after[axis])]
    if mode == "constant":
        number = 0.0 if value is None else float(value.reshape(()))
        return Call(lambda x: F.pad(x, last, value=number))
    if padded[0] >= 2 and data.rank in (3, 4) and min(last) >= 0:
        whole = last + [0] * (2 * (data.rank - 2) - len(last))
        short = all(max(before[axis], after[axis]) < node.size(data, axis) for axis in padded)
        if short or mode == "edge":
            return Call(lambda x: F.pad(x, whole, TORCH_MODES[mode]))
    return nn.Sequential(*(Selected(axis, _bordered(node.size(data, axis), before[axis],
                                                    after[axis], mode)) for axis in padded))


def _bordered(size: int, before: int, after: int, mode: Any) -> list[int]:
    """Entries of an axis with a border, by numpy's rules, which are the standard's."""
    entries = np.pad(np.arange(size), (max(before, 0), max(after, 0)), mode)
    return entries[max(-before, 0):len(entries) - max(-after, 0)].tolist()


def depth_to_space(node: OnnxNode) -> nn.Module:
    """``DepthToSpace``: channels become blocks of pixels; in DCR, blocks are the slower axis."""
    data, block = node.data(0), node.required("blocksize")
    mode = node.expect("mode", "DCR", ("DCR", "CRD"))
    shuffle = nn.PixelShuffle(block)
    if mode == "CRD":
        return shuffle
    order = np.arange(node.size(data, 1)).reshape(block * block, -1).T.reshape(-1)
    return nn.Sequential(Selected(1, order.tolist()), shuffle)


def space_to_depth(node: OnnxNode) -> nn.Module:
    """``SpaceToDepth``: blocks of pixels become channels, blocks being the slower axis."""
    data, block = node.data(0), node.required("blocksize")
    order = np.arange(node.size(data, 1) * block * block).reshape(-1, block * block).T.reshape(-1)
    mode = node.expect("mode", "DCR", ("DCR", "CRD"))
    shuffle = nn.PixelUnshuffle(block)
    return shuffle if mode == "CRD" else nn.Sequential(shuffle, Selected(1, order.tolist()))


def cumulative(node: OnnxNode) -> nn.Module:
    """``CumSum`` along a constant axis, from either end."""
    data = node.data(0)
    axis = node.axis(int(node.constant(1).reshape(())), data.rank)
    exclusive, reverse = node.attribute("exclusive", 0), node.attribute("reverse", 0)

    def run(x: torch.Tensor) -> torch.Tensor:
        x = x.flip(axis) if reverse else x
        total = x.cumsum(axis)
        total = total - x if exclusive else total
        return total.flip(axis) if reverse else total

    return Call(run)


def triangle(node: OnnxNode) -> nn.Module:
    """``Trilu``: zeros above or below a diagonal of the last two axes."""
    node.data(0)
    upper, diagonal = node.attribute("upper", 1), node.integers(1) or [0]
    keep: Callable[..., torch.Tensor] = torch.triu if upper else torch.tril
    return Call(lambda x: keep(x, diagonal[0]))


OPERATORS = {"Concat": concat, "Split": split, "Slice": slice_, "Gather": gather, "Tile": tile,
             "Pad": pad, "DepthToSpace": depth_to_space, "SpaceToDepth": space_to_depth,
             "CumSum": cumulative, "Trilu": triangle}
"""What reads each operator of this file, by name."""
