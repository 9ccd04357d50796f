"""Layouts: which axes of a feature map, and of the batch, each dimension of a tensor counts.

A tensor of the graph often is a feature map seen in another way: flattened, with its axes in
another order, with channels split into groups. As long as a layout can say how, no number moves.

Sizes that hold the number of images are multiples of :data:`BATCH`, a prime far above any other
size. So sizes can be multiplied and divided like plain numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.fx.experimental.symbolic_shapes import free_unbacked_symbols

from vqrom_sw.network import Native, Shape

BATCH = (1 << 61) - 1
"""Stands for the number of images in sizes."""


@dataclass(frozen=True)
class Atom:
    """A dimension that is an axis of the map, or a part of one.

    Members
    -------
    axis:
        ``"N"`` for the batch, ``"H"``, ``"W"`` or ``"C"`` of the map; layouts of tensors on the
        host name their axes by numbers.
    length:
        How many positions it counts.
    step:
        By how many positions of the axis it goes on each time.
    """

    axis: str
    length: int
    step: int = 1


Group = tuple[Atom, ...]
"""What one dimension counts: the last atom changes fastest. A dimension of size 1 counts none."""

N: Group = (Atom("N", BATCH),)
"""The group of a dimension that counts images."""


USUAL = ("NCHW", "NHWC", "NCH", "NHC", "NCW", "NWC", "NC")
"""The usual ways of seeing a map: images, sequences or signals, and vectors."""


@dataclass(frozen=True)
class Layout:
    """What each dimension of a tensor counts.

    Members
    -------
    groups:
        One group for each dimension.
    """

    groups: tuple[Group, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sizes of the tensor."""
        return tuple(math.prod(atom.length for atom in group) for group in self.groups)

    @property
    def atoms(self) -> list[Atom]:
        """All atoms in the order of counting, neighbours merged where they are one."""
        return list(_merged(atom for group in self.groups for atom in group))

    def reshaped(self, sizes: Sequence[int]) -> Layout | None:
        """The layout of the tensor in another shape, or None if no layout says it."""
        rest, groups = self.atoms, []
        for size in sizes:
            group: list[Atom] = []
            while size != 1:
                if not rest:
                    return None
                atom = rest.pop(0)
                if size % atom.length == 0:
                    size //= atom.length
                elif atom.length % size == 0:
                    inner = atom.length // size
                    rest.insert(0, Atom(atom.axis, inner, atom.step))
                    atom, size = Atom(atom.axis, size, atom.step * inner), 1
                else:
                    return None
                group.append(atom)
            groups.append(tuple(_merged(group)))
        return None if rest else Layout(tuple(groups))

    def permuted(self, dims: Sequence[int]) -> Layout:
        """The layout of the tensor with its dimensions in another order."""
        return Layout(tuple(self.groups[dim] for dim in dims))

    def replaced(self, dim: int, group: Group) -> Layout:
        """The layout with another group for one dimension."""
        groups = list(self.groups)
        groups[dim] = group
        return Layout(tuple(groups))

    def axes(self, shape: Shape) -> str | None:
        """The axis of each dimension, if the tensor is a map ``(H, W, C)`` seen in a usual way.

        Returns
        -------
        str
            One of :data:`USUAL`, or None.
        """
        unit = {axis for axis in "HWC" if length(shape, axis) == 1}
        return next((axes for axes in USUAL if len(axes) == len(self.groups)
                     and set("HWC") <= unit | set(axes)
                     and all(self.holds(dim, axis, shape) for dim, axis in enumerate(axes))), None)

    def native(self, shape: Shape) -> Native | None:
        """How a float network sees a map ``(H, W, C)`` that has this layout, or None.

        There is such a view if images come first and whole axes follow in any order.
        """
        if not self.groups or self.groups[0] != N:
            return None
        rest = self.atoms[1:]
        if any(atom.step != 1 or atom.length != length(shape, atom.axis) for atom in rest):
            return None
        order = "".join(atom.axis for atom in rest)
        order += "".join(axis for axis in "HWC" if axis not in order)
        return Native(self.sizes[1:], _usual(order, shape))

    def holds(self, dim: int, axis: str, shape: Shape) -> bool:
        """Whether a dimension counts an axis of a map ``(H, W, C)``, all of it and nothing else."""
        return self.groups[dim] == whole(shape, axis)

    def dims_of(self, axis: str) -> list[int]:
        """The dimensions that count an axis or parts of it."""
        return [dim for dim, group in enumerate(self.groups)
                if any(atom.axis == axis for atom in group)]

    def channels(self) -> torch.Tensor | None:
        """The channel that each position of the tensor is of.

        Returns
        -------
        torch.Tensor
            int64 with as many dimensions as the tensor; those that do not count channels have
            size 1. None if a dimension counts channels and something else.
        """
        found = torch.zeros([1] * len(self.groups), dtype=torch.int64)
        for dim in self.dims_of("C"):
            if any(atom.axis != "C" for atom in self.groups[dim]):
                return None
            part = torch.zeros(1, dtype=torch.int64)
            for atom in self.groups[dim]:
                part = (part[:, None] + torch.arange(atom.length) * atom.step).flatten()
            places = [1] * len(self.groups)
            places[dim] = len(part)
            found = found + part.reshape(places)
        return found


def length(shape: Shape, axis: str) -> int:
    """Length of an axis of a map ``(H, W, C)``."""
    return shape["HWC".index(axis)]


def whole(shape: Shape, axis: str) -> Group:
    """The group of a dimension that counts a whole axis of a map, or the batch."""
    if axis == "N":
        return N
    return (Atom(axis, length(shape, axis)),) if length(shape, axis) > 1 else ()


def layout_of(shape: Shape, *dims: str) -> Layout:
    """The layout whose dimensions count whole axes.

    Parameters
    ----------
    shape:
        The map ``(H, W, C)``.
    dims:
        For each dimension its axes, e.g. ``"N", "HW", "C"``; ``""`` for a dimension of size 1.
    """
    return Layout(tuple(tuple(atom for axis in axes for atom in whole(shape, axis))
                        for axes in dims))


def sizes_of(tensor: Any) -> tuple[int, ...]:
    """Sizes of a traced tensor, in which :data:`BATCH` stands for the number of images.

    Raises
    ------
    ValueError
        If a size is no multiple of the number of images, such as one more than it, or is known only
        when the module runs.
    """
    return tuple(_size(size) for size in tensor.shape)


def _size(size: Any) -> int:
    if isinstance(size, int):
        return size
    expression = size.node.expr
    symbols = list(expression.free_symbols)
    if any(free_unbacked_symbols(symbol) for symbol in symbols):
        raise ValueError("sizes must not depend on values")
    factor = expression / symbols[0]
    if len(symbols) > 1 or not factor.is_Integer:
        raise ValueError(f"size {expression} must be a multiple of the number of images")
    return int(factor) * BATCH


def _merged(atoms: Iterable[Atom]) -> list[Atom]:
    found: list[Atom] = []
    for atom in atoms:
        last = found[-1] if found else None
        if last is not None and last.axis == atom.axis and last.step == atom.length * atom.step:
            found[-1] = Atom(atom.axis, last.length * atom.length, atom.step)
        else:
            found.append(atom)
    return found


def _usual(order: str, shape: Shape) -> str:
    """The order that is usual, of those that differ in axes of length 1 alone."""
    def essential(axes: str) -> str:
        return "".join(axis for axis in axes if length(shape, axis) > 1)
    return next((usual for usual in ("CHW", "HWC") if essential(usual) == essential(order)), order)
