"""The operations of a graph that stay on the host.

They are collected until a hardware layer, or the output, needs one of their results; then all that
leads to it becomes one host layer.
"""

from __future__ import annotations

import torch
from torch.fx import Node

from .graph_node import GraphNode, kind_of, shown
from .host_builder import HostBuilder, operation_of
from .host_program import HostProgram, View, placed
from .host_views import (
    COPIES,
    PERMUTATIONS,
    VIEWS,
    channels_first,
    fresh_view,
    is_float,
    order_of,
    usual_places,
)
from .layout import N, sizes_of
from .walk import TracedMap, Walk, is_number, readers


class HostNodes:
    """The nodes whose results exist on the host only.

    Parameters
    ----------
    walk:
        The walk that is under way.
    """

    def __init__(self, walk: Walk):
        self._walk = walk
        self._views: dict[Node, View | None] = {}

    def __contains__(self, node: object) -> bool:
        return node in self._views

    def reads(self, node: Node) -> bool:
        """Whether an operation reads a result that exists on the host only."""
        return any(source in self._views for source in node.all_input_nodes)

    def add(self, node: Node) -> bool:
        """Leave an operation to the host.

        Returns
        -------
        bool
            Whether the host has the operation and all its operands are known.
        """
        walk = self._walk
        known = all(source in self._views or source in walk.values or source in walk.constants
                    or is_number(source) for source in node.all_input_nodes)
        if not known or operation_of(node) is None:
            return False
        self._views[node] = self._view_of(node)
        return True

    def emit(self, node: Node) -> TracedMap:
        """Make the host layer that computes a node; its result is a feature map from now on."""
        op = GraphNode(self._walk, node)
        source = node.args[0]
        if isinstance(source, Node) and source in self and self.becomes_map(source, {node}) \
                and (seen := self._seen_again(op, source)) is not None:
            self._views.pop(node)
            return seen
        view = self._map_view(op)
        assert view.map is not None
        builder = HostBuilder(self._walk, self, node)
        native = builder.program.write(builder.place(node), view.layout, view.map)
        kind = ", ".join(dict.fromkeys(builder.kinds)) or op.kind
        layer = builder.program.layer(self._walk, op.path, kind, view.map, native)
        self._views.pop(node)
        # Never fusable: the hardware's layers alone take activations.
        return TracedMap(layer.name, view.map, view.layout, exclusive=False)

    def _seen_again(self, op: GraphNode, source: Node) -> TracedMap | None:
        """The map that a view is of an operand which is to be a map, or None if it is no view."""
        if op.kind not in (*VIEWS, *COPIES, *PERMUTATIONS):
            return None
        value = self._walk.whole_value(source)
        assert value is not None
        layout = value.layout.permuted(order_of(op)) if op.kind in PERMUTATIONS else \
            value.layout.reshaped(op.shape)
        return None if layout is None else TracedMap(value.layer, value.map, layout, False)

    @staticmethod
    def rearranged(walk: Walk, value: TracedMap, name: str, last: str = "usual") -> TracedMap:
        """Make a host layer that moves a map's numbers, so that its layout is a usual one.

        Parameters
        ----------
        value:
            The map.
        name:
            Name of the layer.
        last:
            What the channels are: ``"usual"`` for those of an image, sequence or vector,
            ``"last"`` for the last dimension, ``"first"`` for that after the images, ``"all"``
            for all dimensions.
        """
        fresh = fresh_view(value.layout.sizes, [View(value.layout, value.map)])
        assert fresh is not None
        groups = [group for group in fresh.layout.groups if group != N]
        split = {"last": len(groups) - 1, "all": 0}.get(last)
        places = usual_places(groups, last == "first") if split is None else \
            {"H": groups[:split], "C": groups[split:]}
        view = placed(fresh.layout, places)
        assert view.map is not None
        program = HostProgram()
        native = program.write(program.read(value), view.layout, view.map)
        layer = program.layer(walk, "", f"{name}_order", view.map, native)
        return TracedMap(layer.name, view.map, view.layout, exclusive=False)

    def becomes_map(self, node: Node, program: set[Node]) -> bool:
        """Whether a result is to be a feature map, as operations outside a program read it."""
        outside = any(user not in program for user in readers(node))
        view = self._views.get(node)
        return outside and view is not None and is_float(node) and len(view.layout.atoms) > 1

    def _view_of(self, node: Node) -> View | None:
        """What the dimensions of a result count; None if that cannot be said."""
        if not isinstance(node.meta["val"], torch.Tensor):
            return None
        try:
            sizes = sizes_of(node.meta["val"])
        except ValueError:
            return None
        operands = [view for source in node.all_input_nodes
                    if (view := self._known_view(source)) is not None]
        kind = kind_of(node)
        if operands and kind in VIEWS:
            layout = operands[0].layout.reshaped(sizes)
            if layout is not None:
                return View(layout, operands[0].map)
        if operands and kind in PERMUTATIONS:
            return View(operands[0].layout.permuted(order_of(GraphNode(self._walk, node))),
                        operands[0].map)
        return next((view for view in operands if view.layout.sizes == sizes), None) \
            or fresh_view(sizes, operands)

    def _known_view(self, node: Node) -> View | None:
        if node in self._views:
            return self._views[node]
        value = self._walk.values.get(node)
        return None if value is None or any(value.padding) else View(value.layout, value.map)

    def _map_view(self, op: GraphNode) -> View:
        view = self._views[op.node]
        if view is None or not is_float(op.node):
            raise op.error("result must be a float32 tensor with a dimension of images, not "
                           f"{op.node.meta['val'].dtype} of {shown(op.shape)}")
        atoms = view.layout.atoms
        if [atom.axis for atom in atoms].count("N") != 1:
            raise op.error(f"result must have a dimension of images, not shape {shown(op.shape)}")
        if view.map is not None:
            return view
        groups = [group for group in view.layout.groups if group != N]
        if not groups:
            raise op.error("result must have another dimension than that of images")
        return placed(view.layout, usual_places(groups, channels_first(op.node)))
