"""The steps of the host layer that computes one node of the graph."""

from __future__ import annotations

import operator
from typing import Any, Protocol

import torch
from torch.fx import Node

from vqrom_hw.errors import VqromError
from vqrom_sw.network import GETITEM, OPERATIONS, RESHAPES

from .graph_node import GraphNode, kind_of
from .host_program import HostProgram, Reference, plain_sizes
from .layout import BATCH, sizes_of
from .walk import Walk, is_number

SILENT = ("view", "reshape", "_unsafe_view", "clone", "contiguous", "expand", "getitem", "permute",
          "transpose", "unsqueeze", "squeeze", "flatten", "expand_batch")
"""Operations that a host layer's kind does not name, unless there is nothing else."""

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


class Waiting(Protocol):
    """The nodes that are left to the host and have no layer yet."""

    def __contains__(self, node: object) -> bool:
        """Whether a node is among them."""
        ...

    def becomes_map(self, node: Node, program: set[Node]) -> bool:
        """Whether a result is to be a feature map, as operations outside a program read it."""
        ...


class HostBuilder:
    """Collects the steps that compute one node from feature maps and constants.

    Parameters
    ----------
    walk:
        The walk that is under way.
    host:
        The nodes left to the host.
    root:
        The node to compute, one of these.

    Members
    -------
    program:
        The steps so far.
    kinds:
        Names of the operations so far.
    """

    def __init__(self, walk: Walk, host: Waiting, root: Node):
        self.program = HostProgram()
        self.kinds: list[str] = []
        self._walk, self._host, self._root = walk, host, root
        self._places: dict[Node, Reference] = {}
        self._nodes: set[Node] = set()
        self._collect(root)

    def place(self, node: Node) -> Reference:
        """The reference to a node's result, whose steps are added where they are missing."""
        # By a list of what is to be done, not by recursion: a chain may be thousands long.
        pending = [node]
        while pending:
            missing = [] if pending[-1] in self._places else [
                source for source in self._sources(pending[-1]) if source not in self._places]
            if missing:
                pending += reversed(missing)
                continue
            last = pending.pop()
            if last not in self._places:
                self._places[last] = self._placed(last)
        return self._places[node]

    def _sources(self, node: Node) -> list[Node]:
        """What a node's own step reads; nothing, if it is to be a constant or a map."""
        if node in self._walk.constants or not self._is_step(node):
            return []
        sources = node.all_input_nodes[:1] if operation_of(node) in CONVERSIONS \
            else node.all_input_nodes
        return [source for source in sources if not is_number(source)]

    def _is_step(self, node: Node) -> bool:
        """Whether a node is computed by a step of this program."""
        return node in self._host and (node is self._root
                                       or not self._host.becomes_map(node, self._nodes))

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
        if self._is_step(node):
            return self._add_step(node)
        value = self._walk.whole_value(node)
        assert value is not None
        return self.program.read(value)

    def _add_step(self, node: Node) -> Reference:
        name = operation_of(node)
        assert name is not None
        if name in CONVERSIONS:
            return self._convert(node)
        # The order of elements in memory is the exporter's business, not ours.
        name = "reshape.default" if name in ("view.default", "_unsafe_view.default") else name
        sized = name in RESHAPES
        arguments = [self._argument(node, argument)
                     for argument in (node.args[:1] if sized else node.args)]
        if sized:
            # Any batch: the traced one was an example.
            arguments.append(plain_sizes(GraphNode(self._walk, node).shape))
        keywords = {key: self._argument(node, value) for key, value in node.kwargs.items()
                    if not isinstance(value, torch.dtype | torch.layout | torch.device
                                      | torch.memory_format)}
        if kind_of(node) not in SILENT:
            self.kinds.append(kind_of(node))
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
