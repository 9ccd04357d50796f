"""The operations of a graph that stay on the host.

They are collected until a hardware layer, or the output, needs one of their results; then all that
leads to it becomes one host layer.
"""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch.fx import Node

from vqrom_sw.network import GETITEM, OPERATIONS, RESHAPES, FloatHost, HostStep, native_of

from .graph_node import GraphNode
from .walk import TracedMap, Walk

SILENT = ("view", "reshape", "_unsafe_view", "clone", "contiguous", "expand", "getitem", "permute",
          "transpose", "unsqueeze", "squeeze", "flatten")
"""Operations that a host layer's kind does not name, unless there is nothing else."""


class HostNodes:
    """The nodes whose results exist on the host only.

    Parameters
    ----------
    walk:
        The walk that is under way.
    """

    def __init__(self, walk: Walk):
        self._walk = walk
        self._nodes: set[Node] = set()

    def __contains__(self, node: object) -> bool:
        return node in self._nodes

    def reads(self, node: Node) -> bool:
        """Whether an operation reads a result that exists on the host only."""
        return any(source in self._nodes for source in node.all_input_nodes)

    def add(self, node: Node) -> bool:
        """Leave an operation to the host.

        Returns
        -------
        bool
            Whether the host has the operation and all its operands are known.
        """
        known = all(source in self._nodes or source in self._walk.values
                    or source in self._walk.constants for source in node.all_input_nodes)
        computed = any(source not in self._walk.constants for source in node.all_input_nodes)
        if not known or not computed or operation_of(node) is None:
            return False
        self._nodes.add(node)
        return True

    def emit(self, node: Node) -> TracedMap:
        """Make the host layer that computes a node; its result is a feature map from now on."""
        op = GraphNode(self._walk, node)
        size = map_of(op)
        program = _Program(self)
        program.place(node)
        kind = ", ".join(dict.fromkeys(program.kinds)) or op.kind
        sources = [self._walk.values[source] for source in program.inputs]
        layer = self._walk.append(lambda name: FloatHost(
            name, tuple(value.layer for value in sources), size, kind, tuple(program.steps),
            tuple(program.constants), tuple(native_of(value.shape[1:]) for value in sources),
            native_of(op.shape[1:])),
            op.path, op.kind)
        self._nodes.discard(node)
        # Never fusable: the hardware's layers alone take activations.
        return TracedMap(layer.name, size, op.shape, exclusive=False)

    def is_host(self, node: Node) -> bool:
        """Whether the node's result exists on the host only."""
        return node in self._nodes

    def constant(self, node: Node) -> torch.Tensor | None:
        """The constant tensor that a node stands for, or None."""
        return self._walk.constants.get(node)


class _Program:
    """The steps of a host layer that compute one node from feature maps and constants."""

    def __init__(self, host: HostNodes):
        self._host = host
        self.steps: list[HostStep] = []
        self.constants: list[torch.Tensor] = []
        self.inputs: list[Node] = []
        self.kinds: list[str] = []
        self._places: dict[Node, dict[str, int]] = {}

    def place(self, node: Node) -> dict[str, int]:
        """The reference to a node's result, whose steps are added where they are missing."""
        if node not in self._places:
            constant = self._host.constant(node)
            if constant is not None:
                self.constants.append(constant.detach().float())
                self._places[node] = {"constant": len(self.constants) - 1}
            elif self._host.is_host(node):
                self._add_step(node)
            else:
                self.inputs.append(node)
                self._places[node] = {"input": len(self.inputs) - 1}
        return self._places[node]

    def _add_step(self, node: Node) -> None:
        name = operation_of(node)
        assert name is not None
        # The order of elements in memory is the exporter's business, not ours.
        name = "reshape.default" if name in ("view.default", "_unsafe_view.default") else name
        arguments = tuple(self._argument(argument) for argument in node.args)
        keywords = {key: self._argument(value) for key, value in node.kwargs.items()
                    if not isinstance(value, torch.dtype | torch.layout | torch.device
                                      | torch.memory_format)}
        if name in RESHAPES:
            # Any batch: the example's was 1.
            arguments = (arguments[0], [-1, *(int(size) for size in node.meta["val"].shape[1:])])
        self.steps.append(HostStep(name, arguments, keywords))
        kind = "batch_norm" if "batch_norm" in name else name.split(".")[0]
        if kind not in SILENT:
            self.kinds.append(kind)
        self._places[node] = {"step": len(self.steps) - 1}

    def _argument(self, argument: Any) -> Any:
        if isinstance(argument, Node):
            return self.place(argument)
        if isinstance(argument, list | tuple):
            return [self._argument(part) for part in argument]
        return argument


def operation_of(node: Node) -> str | None:
    """The name of a node's operation, or None if the host does not have it.

    The host has the operations of :data:`vqrom_sw.network.OPERATIONS` whose results keep the batch
    dimension.
    """
    if node.target is operator.getitem:
        return GETITEM
    name = str(node.target).removeprefix("aten.")
    result = node.meta.get("val")
    sizes = [part.shape for part in (result if isinstance(result, list | tuple) else [result])
             if isinstance(part, torch.Tensor)]
    # A batch norm returns empty statistics beside its result.
    keeps = bool(sizes) and all(len(size) and int(size[0]) <= 1 for size in sizes)
    return name if name in OPERATIONS and keeps else None


def map_of(op: GraphNode) -> tuple[int, int, int]:
    """Shape ``(H, W, C)`` of a node's result, which is an image, a sequence or a vector.

    Raises
    ------
    VqromError
        If it is none of these.
    """
    match op.shape:
        case (_, channels):
            return 1, 1, channels
        case (_, length, channels):
            return length, 1, channels
        case (_, channels, height, width):
            return height, width, channels
        case shape:
            raise op.error(f"result must be a vector, a sequence or an image, not {shape!r}")
