"""Functions of single numbers: fused bounds, and tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.fx import Node

from vqrom_sw.network import (
    OPERATIONS,
    UNBOUNDED,
    FloatConv,
    FloatElementwise,
    FloatSelect,
    FloatTable,
    HostStep,
)

from ..graph_node import GraphNode
from ..host_builder import operation_of
from ..walk import TracedMap
from .scaling import constant_of, extended, linear_producer

FUNCTIONS = (
    "gelu", "sigmoid", "tanh", "silu", "hardswish", "hardsigmoid", "log_sigmoid", "selu", "celu",
    "leaky_relu", "elu", "softplus", "mish", "threshold", "softshrink", "hardshrink", "neg", "abs",
    "exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan", "atan", "asin", "acos",
    "sinh", "cosh", "asinh", "acosh", "atanh", "floor", "ceil", "round", "trunc", "sign", "sqrt",
    "rsqrt", "reciprocal", "pow", "square", "erf", "relu", "relu6", "hardtanh", "clamp",
    "clamp_min", "clamp_max", "prelu", "remainder")
"""Operations of one tensor that take each number by itself."""


@dataclass(frozen=True)
class _Function:
    """A map as a function of the numbers of another map, channel by channel."""

    source: str
    steps: tuple[HostStep, ...]
    constants: tuple[torch.Tensor, ...]
    by_channel: bool
    names: tuple[str, ...]
    absorbed: str | None


def bounded(op: GraphNode, lowest: float | None, highest: float | None) -> None:
    """Clamp a map: in the layer that made it, or as a function.

    Parameters
    ----------
    lowest, highest:
        The bounds, or None.
    """
    value = op.value("self" if "self" in op.arguments else "input")
    low = -math.inf if lowest is None else float(lowest)
    high = math.inf if highest is None else float(highest)
    if not low < high:
        raise op.error(f"the lower bound must be below the upper one, not {low!r} and {high!r}")
    linear = linear_producer(op, value)
    layer = linear[0] if linear else op.producer(value)
    if isinstance(layer, FloatConv | FloatElementwise | FloatSelect):
        # clamp(clamp(x, a, b), c, d): each bound of the first one clamped by the second.
        op.change(layer.name, bounds=tuple(min(max(bound, low), high) for bound in layer.bounds))
        op.pass_on(value)
    elif isinstance(layer, FloatTable):
        function(op)
    else:
        op.emit(lambda name: FloatSelect(
            name, (value.layer,), value.map, tuple(range(value.map[2])), (1, 1), (low, high)),
            value.layout)


def relu(op: GraphNode) -> None:
    """``max(x, 0)``."""
    bounded(op, 0.0, None)


def relu6(op: GraphNode) -> None:
    """``min(max(x, 0), 6)``."""
    bounded(op, 0.0, 6.0)


def hardtanh(op: GraphNode) -> None:
    """``clamp(x, min_val, max_val)``; ReLU6 is among them."""
    bounded(op, op.arguments["min_val"], op.arguments["max_val"])


def clamp(op: GraphNode) -> None:
    """``clamp(x, min, max)`` with constant bounds."""
    for name in ("min", "max"):
        if not isinstance(op.arguments.get(name), int | float | None):
            raise op.error(f"{name} must be a number")
    bounded(op, op.arguments.get("min"), op.arguments.get("max"))


def function(op: GraphNode) -> None:
    """Make a table of a function of each number, or extend the table that made the operand.

    The operands may be several maps, if all are functions of the numbers of one.
    """
    nodes = op.maps()
    values = [op.walk.whole_value(node) for node in nodes]
    known = [extended(op, value) for value in values if value is not None]
    if not same_source(op, known) or len(known) != len(nodes):
        raise op.error("operands must be functions of one feature map")
    parts = [_as_function(op, value) for value in known]
    table = _Table(op, known[0])
    for node, part in zip(nodes, parts, strict=True):
        table.place(node, part)
    step = table.step()
    for part in parts:
        if part.absorbed is not None:
            op.walk.layers.pop(part.absorbed, None)
    names = dict.fromkeys((*(name for part in parts for name in part.names), op.kind))
    op.emit(lambda name: FloatTable(
        name, (parts[0].source,), known[0].map, ", ".join(names), (*table.steps, step),
        tuple(table.constants), table.by_channel or any(part.by_channel for part in parts)),
        known[0].layout)


def same_source(op: GraphNode, values: Sequence[TracedMap]) -> bool:
    """Whether several maps are functions of the numbers of one."""
    first = values[0] if values else None
    return first is not None and all(
        value.layout == first.layout and value.map == first.map
        and _as_function(op, value).source == _as_function(op, first).source for value in values)


def _as_function(op: GraphNode, value: TracedMap) -> _Function:
    layer = op.producer(value)
    if isinstance(layer, FloatTable):
        return _Function(layer.inputs[0], layer.steps, layer.constants, layer.by_channel,
                         tuple(layer.kind.split(", ")), layer.name)
    identity = tuple(range(value.map[2]))
    if isinstance(layer, FloatSelect) and layer.sources == identity and \
            layer.stride == (1, 1) and layer.bounds != UNBOUNDED:
        bounds = [bound if math.isfinite(bound) else None for bound in layer.bounds]
        step = HostStep("clamp.default", ({"input": 0}, *bounds), {})
        return _Function(layer.inputs[0], (step,), (), False, ("clamp",), layer.name)
    return _Function(value.layer, (), (), False, (), None)


class _Table:
    """The steps of a table in the making."""

    def __init__(self, op: GraphNode, value: TracedMap):
        self.steps: list[HostStep] = []
        self.constants: list[torch.Tensor] = []
        self.by_channel = False
        self._op, self._value = op, value
        self._places: dict[Node, dict[str, int]] = {}

    def place(self, node: Node, part: _Function) -> None:
        """Add the steps that make an operand."""
        shift = {"step": len(self.steps), "constant": len(self.constants), "input": 0}

        def moved(argument: Any) -> Any:
            if isinstance(argument, dict):
                return {kind: number + shift[kind] for kind, number in argument.items()}
            return argument

        self.steps += [replace(step, arguments=tuple(map(moved, step.arguments)))
                       for step in part.steps]
        self.constants += part.constants
        self._places[node] = {"step": len(self.steps) - 1} if part.steps else {"input": 0}

    def step(self) -> HostStep:
        """The step of the operation itself."""
        name = operation_of(self._op.node)
        if name is None or name not in OPERATIONS:
            raise self._op.unknown()
        node = self._op.node
        return HostStep(name, tuple(map(self._argument, node.args)),
                        {key: self._argument(part) for key, part in node.kwargs.items()})

    def _argument(self, argument: Any) -> Any:
        if not isinstance(argument, Node):
            return argument
        if argument in self._places:
            return self._places[argument]
        found = self._constant(argument)
        self.constants.append(found)
        self.by_channel |= found.numel() > 1
        return {"constant": len(self.constants) - 1}

    def _constant(self, argument: Node) -> torch.Tensor:
        """A constant for a map ``[N, C, H, W]``; the weight of a PReLU has one dimension."""
        if self._op.kind == "prelu":
            weight = self._op.tensor("weight")
            assert weight is not None
            dims = len(self._value.layout.groups)
            if len(weight) > 1 and not (dims > 1 and self._value.layout.holds(
                    1, "C", self._value.map)):
                raise self._op.error("the dimension after the images must hold the channels")
            return weight.clone()
        found = constant_of(self._op, self._value, argument)
        assert found is not None
        return found.reshape(-1, 1, 1).clone() if found.dim() else found.clone()
