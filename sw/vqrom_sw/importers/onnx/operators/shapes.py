"""Operators that leave all values in their order: ``Reshape``, ``Flatten``, ``Squeeze`` and so on.

A file may hold the number of images in the sizes that it asks for. :func:`_placed` finds where.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from vqrom_sw.importers.imported_module import Call

from ..node import OnnxNode
from ..values import COUNTS, Data, reshaped


def reshape(node: OnnxNode) -> nn.Module:
    """``Reshape`` to sizes that are constant or follow from shapes."""
    data, requested = node.data(0), node.static(1)
    keep_zeros = bool(node.attribute("allowzero", 0))
    try:
        if requested.constant and node.batch is not None:
            sizes = requested.at[0].reshape(-1).tolist()
            return _view(node, data, _placed(node, data, sizes, keep_zeros, node.batch))
        return _view(node, data, [reshaped(data.shape(images), at.reshape(-1).tolist(), keep_zeros)
                                  for images, at in zip(COUNTS, requested.at, strict=True)])
    except ValueError as error:
        raise node.error(f"its sizes must fit any number of images: {error}") from None


def _placed(node: OnnxNode, data: Data, sizes: Sequence[int], keep_zeros: bool, batch: int
            ) -> list[list[int]]:
    """Sizes with other numbers of images than the one for which a file has them.

    The images stay behind the same number of elements as before. Where an axis begins there, it
    gets the images, unless it and those after it are made of whole axes behind the images; then
    the images join the axis before.
    """
    target = reshaped(data.shape(batch), sizes, keep_zeros)
    if data.images is None:
        return [target] * len(COUNTS)
    in_front, behind = _in_front(data), list(data.shape(batch)[data.images[0] + 1:])
    starts = [math.prod(target[:place]) for place in range(len(target))]
    places = [place for place, start in enumerate(starts) if start == in_front]
    places = [place for place in places if not place or target[place] == batch
              or not _joined(behind, target[place:])]
    places += [place for place, start in reversed(list(enumerate(starts)))
               if start < in_front and in_front % start == 0]
    places += [0] if in_front == 1 else []
    for place in places:
        if target[place] % (in_front // starts[place] * batch) == 0:
            return [[*target[:place], target[place] // batch * images, *target[place + 1:]]
                    for images in COUNTS]
    raise node.error(f"sizes {target!r} must leave the {batch} images of the file apart")


def _joined(sizes: Sequence[int], target: Sequence[int]) -> bool:
    """Whether sizes become others when neighbours among them are joined."""
    edges = {math.prod(sizes[:place]) for place in range(len(sizes) + 1)}
    return all(math.prod(target[:place]) in edges for place in range(len(target) + 1))


def _in_front(data: Data) -> int:
    """How many elements there are in front of the first change of images."""
    assert data.images is not None
    return math.prod(data.probes[0].shape[:data.images[0]]) * data.front


class Reshaped(nn.Module):
    """A reshape; one size may be -1.

    Members
    -------
    front:
        How many entries of the axis with the images are in front of these.
    """

    def __init__(self, sizes: Sequence[int], front: int):
        super().__init__()
        self._sizes, self.front = list(sizes), front

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape(self._sizes)


def _view(node: OnnxNode, data: Data, targets: Sequence[Sequence[int]]) -> nn.Module:
    """Reshape to sizes, given for each number of images in :data:`COUNTS`."""
    if len({len(target) for target in targets}) > 1:
        raise node.error("the number of axes must not depend on the number of images")
    sizes = [size[0] if len(set(size)) == 1 else -1 for size in zip(*targets, strict=True)]
    if sizes.count(-1) > 1:
        raise node.error(f"one axis at most must grow with the images, not those of {sizes!r}")
    front = 1
    if -1 in sizes and data.images is not None:
        front = max(_in_front(data) // math.prod(sizes[:sizes.index(-1)]), 1)
    return Reshaped(sizes, front)


def flatten(node: OnnxNode) -> nn.Module:
    """``Flatten`` to a matrix: the axes in front of one, and those from it on."""
    data = node.data(0)
    axis = node.attribute("axis", 1)
    axis = axis + data.rank if axis < 0 else axis
    if axis == 1 and data.images is not None and data.images[0] == 0:
        return nn.Flatten()
    if node.batch is not None:
        shape = data.shape(node.batch)
        sizes = [math.prod(shape[:axis]), math.prod(shape[axis:])]
        return _view(node, data, _placed(node, data, sizes, True, node.batch))
    return _view(node, data, [[math.prod(shape[:axis]), math.prod(shape[axis:])]
                              for shape in (data.shape(images) for images in COUNTS)])


def squeeze(node: OnnxNode) -> nn.Module:
    """``Squeeze`` of given axes, or of all of size 1 but that of the images."""
    data, axes = node.data(0), node.integers(1)
    if axes is None:
        axes = [axis for axis in range(data.rank) if data.size(axis) == 1]
    axes = [node.axis(axis, data.rank) for axis in axes]
    for axis in axes:
        if data.size(axis) != 1:
            raise node.error(f"axis {axis} must have the size 1 with any number of images")
    return Call(lambda x: x.squeeze(axes)) if len(axes) != 1 else Call(lambda x: x.squeeze(axes[0]))


def unsqueeze(node: OnnxNode) -> nn.Module:
    """``Unsqueeze``: new axes of size 1 at places counted in the result."""
    data, axes = node.data(0), node.integers(1) or []
    axes = sorted(node.axis(axis, data.rank + len(axes)) for axis in axes)
    if len(axes) == 1:
        return Call(lambda x: x.unsqueeze(axes[0]))

    def run(x):
        for axis in axes:
            x = x.unsqueeze(axis)
        return x

    return Call(run)


def transpose(node: OnnxNode) -> nn.Module:
    """``Transpose``; without ``perm``, all axes in reverse order."""
    data = node.data(0)
    order = node.attribute("perm", list(range(data.rank))[::-1])
    return Call(lambda x: x.permute(*order))


def expand(node: OnnxNode) -> nn.Module:
    """``Expand``: repeat along axes of size 1, and along new ones in front."""
    data, requested = node.data(0), node.static(1)
    targets = []
    for images, at in zip(COUNTS, requested.at, strict=True):
        wanted = at.reshape(-1).tolist()
        if node.batch is not None and data.images is not None:
            place = data.images[0] - data.rank
            if len(wanted) >= -place and wanted[place] == node.batch * data.images[1]:
                wanted[place] = 1
        try:
            targets.append(np.broadcast_shapes(data.shape(images), tuple(wanted)))
        except ValueError:
            raise node.error(f"sizes {wanted!r} must fit any number of images") from None
    new = len(targets[0]) - data.rank
    sizes: list[int] = []
    for place, found in enumerate(zip(*targets, strict=True)):
        own = [data.shape(images)[place - new] if place >= new else 0 for images in COUNTS]
        if list(found) != own and len(set(found)) > 1:
            raise node.error("must not repeat along the images")
        sizes.append(-1 if list(found) == own else found[0])
    return Call(lambda x: x.expand(sizes))


OPERATORS = {"Reshape": reshape, "Flatten": flatten, "Squeeze": squeeze, "Unsqueeze": unsqueeze,
             "Transpose": transpose, "Expand": expand}
"""What reads each operator of this file, by name."""
