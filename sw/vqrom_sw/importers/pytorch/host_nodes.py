"""The operations of a graph that stay on the host.

They are collected until a hardware layer, or the output, needs one of their results; then all that
leads to it becomes one host layer.
"""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch.fx import Node

from vqrom_hw.errors import VqromError
from vqrom_sw.network import GETITEM, OPERATIONS, RESHAPES

from .graph_node import GraphNode, kind_of, shown
from .host_program import HostProgram, Reference, View, placed, plain_sizes
from .layout import BATCH, Atom, Group, Layout, N, sizes_of
from .walk import TracedMap, Walk, is_number, readers

SILENT = ("view", "reshape", "_unsafe_view", "clone", "contiguous", "expand", "getitem", "permute",
          "transpose", "unsqueeze", "squeeze", "flatten", "expand_batch")
"""Operations that a host layer's kind does not name, unless there is nothing else."""

VIEWS = ("view", "reshape", "_unsafe_view", "flatten", "unflatten", "squeeze", "unsqueeze")
"""Operations that only change the shape."""

PERMUTATIONS = ("permute", "transpose", "t")
"""Operations that put dimensions in another order."""

COPIES = ("clone", "contiguous", "alias", "detach", "dropout", "lift_fresh_copy", "feature_dropout")
"""Operations that change nothing."""

CHANNELS_FIRST = ("conv1d", "conv_transpose1d", "max_pool1d", "avg_pool1d", "adaptive_avg_pool1d",
                  "batch_norm", "prelu", "instance_norm", "group_norm")
"""Operations that take the dimension after the images for channels."""


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
        builder = _Builder(self._walk, self, node)
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
        fresh = _fresh(value.layout.sizes, [View(value.layout, value.map)])
        assert fresh is not None
        groups = [group for group in fresh.layout.groups if group != N]
        split = {"last": len(groups) - 1, "all": 0}.get(last)
        places = _usual_places(groups, last == "first") if split is None else \
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
        return outside and view is not None and _is_float(node) and len(view.layout.atoms) > 1

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
            or _fresh(sizes, operands)

    def _known_view(self, node: Node) -> View | None:
        if node in self._views:
            return self._views[node]
        value = self._walk.values.get(node)
        return None if value is None or any(value.padding) else View(value.layout, value.map)

    def _map_view(self, op: GraphNode) -> View:
        view = self._views[op.node]
        if view is None or not _is_float(op.node):
            raise op.error("result must be a float32 tensor with a dimension of images")
        atoms = view.layout.atoms
        if [atom.axis for atom in atoms].count("N") != 1:
            raise op.error(f"result must have a dimension of images, not shape {shown(op.shape)}")
        if view.map is not None:
            return view
        groups = [group for group in view.layout.groups if group != N]
        if not groups:
            raise op.error("result must have another dimension than that of images")
        return placed(view.layout, _usual_places(groups, _channels_first(op.node)))


class _Builder:
    """Collects the steps that compute one node from feature maps and constants."""

    def __init__(self, walk: Walk, host: HostNodes, root: Node):
        self.program = HostProgram()
        self.kinds: list[str] = []
        self._walk, self._host, self._root = walk, host, root
        self._places: dict[Node, Reference] = {}
        self._nodes: set[Node] = set()
        self._collect(root)

    def place(self, node: Node) -> Reference:
        """The reference to a node's result, whose steps are added where they are missing."""
        if node not in self._places:
            self._places[node] = self._placed(node)
        return self._places[node]

    def _collect(self, root: Node) -> None:
        pending = [root]
        while pending:
            node = pending.pop()
            if node in self._host and node not in self._nodes:
                self._nodes.add(node)
                pending += node.all_input_nodes

    def _placed(self, node: Node) -> Reference:
        constant = self._walk.constants.get(node)
        if constant is not None:
            sizes = sizes_of(node.meta["val"]) if node.op != "placeholder" else ()
            return self.program.constant(
                constant, next((dim for dim, size in enumerate(sizes) if size == BATCH), None))
        if node in self._host and (node is self._root
                                   or not self._host.becomes_map(node, self._nodes)):
            return self._add_step(node)
        value = self._walk.whole_value(node)
        assert value is not None
        return self.program.read(value)

    def _add_step(self, node: Node) -> Reference:
        name = operation_of(node)
        assert name is not None
        if kind_of(node) not in SILENT:
            self.kinds.append(kind_of(node))
        if name in CONVERSIONS:
            return self._convert(node)
        # The order of elements in memory is the exporter's business, not ours.
        name = "reshape.default" if name in ("view.default", "_unsafe_view.default") else name
        sized = name in RESHAPES
        arguments = [self._argument(node, argument)
                     for argument in (node.args[:1] if sized else node.args)]
        if sized:
            # Any batch: the traced one was an example.
            arguments.append(plain_sizes(sizes_of(node.meta["val"])))
        keywords = {key: self._argument(node, value) for key, value in node.kwargs.items()
                    if not isinstance(value, torch.dtype | torch.layout | torch.device
                                      | torch.memory_format)}
        return self.program.step(name, *arguments, keywords=keywords)

    def _convert(self, node: Node) -> Reference:
        """Add what changes a tensor's type: numbers become float32, or booleans."""
        source = node.args[0]
        assert isinstance(source, Node)
        place, before, after = (self.place(source), source.meta["val"].dtype,
                                node.meta["val"].dtype)
        if after == before:
            return place
        if after == torch.float32:
            return self.program.step("mul.Scalar", place, 1.0)
        return self.program.step("ne.Scalar", place, 0)

    def _argument(self, node: Node, argument: Any) -> Any:
        if isinstance(argument, Node):
            if is_number(argument):
                raise VqromError(f"layer {node.name!r} ({kind_of(node)}): arguments must not "
                                 "depend on the number of images")
            return self.place(argument)
        if isinstance(argument, list | tuple):
            return [self._argument(node, part) for part in argument]
        return argument


CONVERSIONS = ("to.dtype", "_to_copy.default", "type_as.default")
"""Operations that change the type of a tensor."""


def operation_of(node: Node) -> str | None:
    """The name of a node's operation, or None if the host does not have it.

    The host has the operations of :data:`vqrom_sw.network.OPERATIONS`, and conversions to float32
    and to booleans.
    """
    if node.target is operator.getitem:
        return GETITEM
    name = str(node.target).removeprefix("aten.")
    if name in CONVERSIONS:
        return name if node.meta["val"].dtype in (torch.float32, torch.bool) else None
    return name if name in OPERATIONS else None


def order_of(op: GraphNode) -> list[int]:
    """The dimensions of a permutation's operand in the order in which the result has them."""
    count = len(op.shape)
    order = list(range(count))
    if op.kind == "permute":
        return [dim % count for dim in op.arguments["dims"]]
    first, second = (op.arguments["dim0"] % count, op.arguments["dim1"] % count) \
        if op.kind == "transpose" else (0, count - 1)
    order[first], order[second] = order[second], order[first]
    return order


def _fresh(sizes: tuple[int, ...], operands: list[View]) -> View | None:
    """The view of a result that is unlike every operand: each dimension is an axis of its own.

    Where images and something else are one dimension, it is as an operand of that size has it.
    """
    groups: list[Group] = []
    for dim, size in enumerate(sizes):
        if size == BATCH:
            groups.append(N)
        elif size % BATCH:
            groups.append((Atom(str(dim), size),) if size > 1 else ())
        else:
            found = next((view.layout.groups[dim] for view in operands
                          if dim < len(view.layout.sizes) and view.layout.sizes[dim] == size), None)
            if found is None:
                return None
            groups.append(tuple(atom if atom.axis == "N" else
                                Atom(f"{dim} {atom.axis}", atom.length, atom.step)
                                for atom in found))
    return View(Layout(tuple(groups)), None)


def _usual_places(groups: list[Group], channels_first: bool) -> dict[str, list[Group]]:
    """The map of a vector, a sequence or signal, an image, or anything else, as a sequence."""
    if len(groups) == 2 and channels_first:
        return {"C": groups[:1], "H": groups[1:]}
    if len(groups) == 3:
        return {"C": groups[:1], "H": groups[1:2], "W": groups[2:]}
    return {"H": groups[:-1], "C": groups[-1:]}


def _channels_first(node: Node, depth: int = 4) -> bool:
    """Whether operations soon after take the dimension after the images for channels."""
    return depth > 0 and any(kind_of(user) in CHANNELS_FIRST or _channels_first(user, depth - 1)
                             for user in readers(node))


def _is_float(node: Node) -> bool:
    value = node.meta["val"]
    return isinstance(value, torch.Tensor) and value.dtype == torch.float32
