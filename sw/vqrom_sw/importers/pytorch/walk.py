"""The state of one walk over an exported graph: feature maps, constants and layers so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch.fx import Node

from vqrom_sw.network import INPUT, FloatLayer


@dataclass(frozen=True)
class TracedMap:
    """A feature map as the walk knows it: the layer that makes it, and its shape in the graph.

    Members
    -------
    layer:
        Name of the layer that makes it, or ``"input"``.
    map:
        Shape ``(H, W, C)`` of the layer's output.
    shape:
        Shape in the graph, batch first. Whatever reshaping happened, the elements of one image
        are in the order channel, row, column; those of a sequence ``(1, H, C)`` in that one.
    exclusive:
        Whether nothing else reads the layer's output, so that an operation that follows may be
        fused into it.
    padding:
        Zero pixels ``(top, left, bottom, right)`` around it, which convolutions alone read.
    """

    layer: str
    map: tuple[int, int, int]
    shape: tuple[int, ...]
    exclusive: bool
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)


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
        The same, and what was computed from them alone.
    values:
        Feature maps that exist already, by node.
    deferred:
        Nodes left to the host; None until :func:`vqrom_sw.importers.capture` attaches them.
    layers:
        Layers made so far, by name, in execution order.
    """

    def __init__(self, constants: dict[Node, torch.Tensor]):
        self.constants = constants
        self.values: dict[Node, TracedMap] = {}
        self.deferred: Deferred | None = None
        self.layers: dict[str, FloatLayer] = {}

    def value(self, node: Node) -> TracedMap | None:
        """A node's feature map, or None; a node left to the host gets its layer now."""
        if self.deferred is not None and node in self.deferred:
            self.values[node] = self.deferred.emit(node)
        return self.values.get(node)

    def read_once(self, node: Node) -> bool:
        """Whether exactly one operation reads the node's result."""
        return len(node.users) == 1

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
