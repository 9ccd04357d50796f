"""The state of one walk over an exported graph: feature maps, constants and layers so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch.fx import Node

from vqrom_sw.network import INPUT, FloatLayer, FloatPad, Shape

from .layout import Layout, layout_of

NO_PADDING = (0, 0, 0, 0)
"""Padding of a map that has none."""


@dataclass(frozen=True)
class TracedMap:
    """A feature map as the walk knows it: the layer that makes it, and how the graph sees it.

    Members
    -------
    layer:
        Name of the layer that makes it, or ``"input"``.
    map:
        Shape ``(H, W, C)`` of the layer's output.
    layout:
        What each dimension of the tensor in the graph counts.
    exclusive:
        Whether nothing else reads the layer's output, so that an operation that follows may be
        fused into it.
    padding:
        Pixels ``(top, left, bottom, right)`` around it that are not in a layer yet: the
        convolutions or poolings that read it take them over.
    fill:
        Value of those pixels.
    """

    layer: str
    map: Shape
    layout: Layout
    exclusive: bool
    padding: tuple[int, int, int, int] = NO_PADDING
    fill: float = 0.0


class Deferred(Protocol):
    """The nodes left to the host, whose layers are made when a hardware layer reads a result."""

    def __contains__(self, node: object) -> bool:
        """Whether the node is left to the host and has no layer yet."""
        ...

    def emit(self, node: Node) -> TracedMap:
        """Make the host layer that computes the node, and return its result."""
        ...


class Walk:
    """The state of one walk over an exported graph.

    Parameters
    ----------
    constants:
        Parameters and buffers of the module, by node.

    Members
    -------
    constants:
        The same, and what was computed from them alone. Where the graph has the number of images
        as a size, the constant has 1.
    values:
        Feature maps that exist already, by node.
    lists:
        Feature maps of nodes with several results, by node.
    deferred:
        Nodes left to the host; None until :func:`vqrom_sw.importers.capture` attaches them.
    layers:
        Layers made so far, by name, in execution order.
    private:
        Names of layers that alone read what made their input.
    """

    def __init__(self, constants: dict[Node, torch.Tensor]):
        self.constants = constants
        self.values: dict[Node, TracedMap] = {}
        self.lists: dict[Node, Sequence[TracedMap]] = {}
        self.deferred: Deferred | None = None
        self.layers: dict[str, FloatLayer] = {}
        self.private: set[str] = set()

    def value(self, node: Node) -> TracedMap | None:
        """A node's feature map, or None; a node left to the host gets its layer now."""
        if self.deferred is not None and node in self.deferred:
            self.values[node] = self.deferred.emit(node)
        return self.values.get(node)

    def whole_value(self, node: Node) -> TracedMap | None:
        """A node's feature map as :meth:`value` has it, with its padding in a layer of its own."""
        value = self.value(node)
        if value is not None and any(value.padding):
            value = self.values[node] = self._padded(value)
        return value

    def _padded(self, value: TracedMap) -> TracedMap:
        top, left, bottom, right = value.padding
        height, width, channels = value.map
        shape = (height + top + bottom, width + left + right, channels)
        layer = self.append(lambda name: FloatPad(
            name, (value.layer,), shape, value.padding, value.fill), "", "pad")
        axes = value.layout.axes(value.map)
        assert axes is not None, "only maps that are seen in a usual way are padded"
        return TracedMap(layer.name, shape, layout_of(shape, *axes), value.exclusive)

    def read_once(self, node: Node) -> bool:
        """Whether exactly one operation reads the node's result."""
        return len(readers(node)) == 1

    def append(self, make: Callable[[str], FloatLayer], path: str, suffix: str) -> FloatLayer:
        """Add a layer that runs after all layers added before.

        Parameters
        ----------
        make:
            Makes the layer of the name that it gets.
        path:
            Path of the layer's module, which becomes its name; a number makes it unique.
        suffix:
            Name for a layer without a path.

        Returns
        -------
        FloatLayer
            The layer.
        """
        base = path or suffix
        name, count = base, 1
        while name in self.layers or name == INPUT:
            count += 1
            name = f"{base}_{count}"
        self.layers[name] = layer = make(name)
        return layer


def is_number(node: Node) -> bool:
    """Whether a node's result is a number, such as a size, and no tensor."""
    return isinstance(node.meta.get("val"), int | float | bool | torch.SymInt | torch.SymFloat
                      | torch.SymBool)


def readers(node: Node) -> list[Node]:
    """The operations that read a node's numbers, and not only its shape."""
    return [user for user in node.users if not is_number(user)]
