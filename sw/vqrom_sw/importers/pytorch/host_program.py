"""The steps of one host layer, between the feature maps that it reads and the one that it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from vqrom_sw.network import EXPAND_BATCH, FloatHost, HostStep, Native, Shape

from .layout import BATCH, Atom, Group, Layout
from .walk import TracedMap, Walk

Reference = dict[str, int]
"""What a step refers to: ``{"input": n}``, ``{"constant": n}`` or ``{"step": n}``."""


@dataclass(frozen=True)
class View:
    """What the dimensions of a tensor on the host count.

    Members
    -------
    layout:
        Their layout, in axes of a feature map or of the tensor's own.
    map:
        The feature map ``(H, W, C)`` whose axes they are, or None.
    """

    layout: Layout
    map: Shape | None


class HostProgram:
    """The steps of a host layer in the making.

    Members
    -------
    steps, constants:
        Those of the layer so far.
    inputs:
        Names of the layers whose maps it reads, with how it sees each of them.
    """

    def __init__(self):
        self.steps: list[HostStep] = []
        self.constants: list[torch.Tensor] = []
        self.inputs: list[tuple[str, Native]] = []

    def step(self, op: str, *arguments: Any,
             keywords: Mapping[str, Any] | None = None) -> Reference:
        """Add a step, and return the reference to its result."""
        self.steps.append(HostStep(op, arguments, keywords or {}))
        return {"step": len(self.steps) - 1}

    def constant(self, tensor: torch.Tensor, batch: int | None = None) -> Reference:
        """Add a constant tensor.

        Parameters
        ----------
        tensor:
            The constant; float numbers become float32.
        batch:
            Dimension of size 1 that is to count images, if there is one.
        """
        plain = tensor.detach()
        plain = plain.float() if plain.is_floating_point() else plain
        self.constants.append(plain.clone().contiguous())
        place = {"constant": len(self.constants) - 1}
        return place if batch is None else self.step(EXPAND_BATCH, place, {"input": 0}, batch)

    def read(self, value: TracedMap) -> Reference:
        """Add a feature map as an input, and what brings it to the graph's tensor."""
        native = value.layout.native(value.map)
        if native is not None:
            return self._input(value.layer, native)
        place = self._input(value.layer, Native(value.map, "HWC"))
        atoms = value.layout.atoms
        ordered = _in_order(atoms)
        place = self._reshape(place, [atom.length for atom in ordered], (BATCH, *value.map))
        place = self._permute(place, [ordered.index(atom) for atom in atoms])
        return self._reshape(place, value.layout.sizes, [atom.length for atom in atoms])

    def write(self, place: Reference, layout: Layout, shape: Shape) -> Native:
        """Add what brings a tensor, whose layout is one of a map, to that map.

        Returns
        -------
        Native
            How the float network sees the map after these steps.
        """
        native = layout.native(shape)
        if native is None:
            atoms = layout.atoms
            place = self._reshape(place, [atom.length for atom in atoms], layout.sizes)
            place = self._permute(place, [atoms.index(atom) for atom in _in_order(atoms)])
            native = Native(shape, "HWC")
            place = self._reshape(place, (BATCH, *shape), None)
        if not self.steps or place != {"step": len(self.steps) - 1}:
            self.step("clone.default", place)
        return native

    def layer(self, walk: Walk, path: str, kind: str, shape: Shape, native: Native) -> FloatHost:
        """Make the layer of the steps so far."""
        made = walk.append(lambda name: FloatHost(
            name, tuple(layer for layer, _ in self.inputs), shape, kind, tuple(self.steps),
            tuple(self.constants), tuple(seen for _, seen in self.inputs), native), path, kind)
        assert isinstance(made, FloatHost)
        return made

    def reshape(self, place: Reference, sizes: Sequence[int]) -> Reference:
        """Add a reshape to sizes of which one at most holds the number of images."""
        return self.step("reshape.default", place, plain_sizes(sizes))

    def _input(self, layer: str, native: Native) -> Reference:
        if (layer, native) not in self.inputs:
            self.inputs.append((layer, native))
        return {"input": self.inputs.index((layer, native))}

    def _reshape(self, place: Reference, sizes: Sequence[int],
                 before: Sequence[int] | None) -> Reference:
        same = before is not None and tuple(sizes) == tuple(before)
        return place if same else self.reshape(place, sizes)

    def _permute(self, place: Reference, dims: list[int]) -> Reference:
        return place if dims == sorted(dims) else self.step("permute.default", place, dims)


def plain_sizes(sizes: Sequence[int]) -> list[int]:
    """Sizes of which one may hold the number of images, as a step has them: it is -1 there."""
    return [size if size % BATCH else -1 for size in sizes]


def placed(layout: Layout, groups: Mapping[str, Sequence[Group]]) -> View:
    """Give the dimensions of a tensor on the host their place in a feature map.

    Parameters
    ----------
    layout:
        The tensor's layout, in axes of its own.
    groups:
        For each axis ``"H"``, ``"W"``, ``"C"`` of the map what it counts, the slowest first.
    """
    atoms: dict[Atom, Atom] = {}
    lengths = dict.fromkeys("HWC", 1)
    for axis, parts in groups.items():
        for atom in reversed([atom for group in parts for atom in group if atom.axis != "N"]):
            atoms[atom] = Atom(axis, atom.length, lengths[axis])
            lengths[axis] *= atom.length
    made = Layout(tuple(tuple(atoms.get(atom, atom) for atom in group)
                        for group in layout.groups))
    return View(made, (lengths["H"], lengths["W"], lengths["C"]))


def _in_order(atoms: Sequence[Atom]) -> list[Atom]:
    """Atoms in the order images, rows, columns, channels."""
    return sorted(atoms, key=lambda atom: ("NHWC".index(atom.axis), -atom.step))
