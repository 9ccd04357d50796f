"""Handlers of arithmetic: of two maps, or of a map and constants; and of concatenation."""

from __future__ import annotations

from dataclasses import replace

import torch

from vqrom_sw.network import UNBOUNDED, FloatConcat, FloatElementwise, Operator

from ..graph_node import GraphNode
from ..layout import Atom, Layout, length, whole
from ..walk import TracedMap, readers
from .functions import function, same_source
from .rearrange import select, settled
from .scaling import constant_of, extended, scaled

OPERATORS: dict[str, Operator] = {
    "add": "add", "sub": "subtract", "rsub": "subtract", "mul": "multiply", "maximum": "maximum",
    "minimum": "minimum", "max": "maximum", "min": "minimum"}
"""The operator of elementwise layers that each operation is."""


def arithmetic(op: GraphNode) -> None:
    """Combine two maps, or a map with constants.

    Constants go into a convolution that made the operand, or into a table. So do two maps that
    are functions of one. Other maps make an elementwise layer.
    """
    count = len(op.maps())
    if (count == 1 and _both_operands(op)) or count == 2:
        _two_maps(op)
        return
    name = "other" if op.arguments["self"] in op.walk.constants else "self"
    value = extended(op, op.value(name))
    constant = constant_of(op, value, op.arguments["self" if name == "other" else "other"])
    if constant is None:
        raise op.error("operands must be feature maps or constants")
    if value.layout.sizes != op.shape:
        raise op.error("a constant must not make the feature map larger")
    parts = _affine(op, constant, name == "self")
    if parts is None or not scaled(op, value, *parts):
        function(op)


def _both_operands(op: GraphNode) -> bool:
    return op.arguments["self"] is op.arguments.get("other")


def _affine(op: GraphNode, constant: torch.Tensor,
            first: bool) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Factor and offset of arithmetic with a constant, or None if it is nothing of that kind.

    Parameters
    ----------
    first:
        Whether the map is the first operand.
    """
    one, zero = torch.tensor(1.0), torch.tensor(0.0)
    alpha = float(op.arguments.get("alpha", 1))
    match op.kind:
        case "add":
            return (one, alpha * constant) if first else (alpha * one, constant)
        case "sub":
            return (one, -alpha * constant) if first else (-alpha * one, constant)
        case "rsub":
            return (-alpha * one, constant) if first else (one, -alpha * constant)
        case "mul":
            return constant, zero
        case "div" if first and bool((constant != 0).all()) \
                and op.arguments.get("rounding_mode") is None:
            return 1 / constant, zero
        case _:
            return None


def _two_maps(op: GraphNode) -> None:
    first, second = extended(op, op.value("self")), extended(op, op.value("other"))
    if same_source(op, [first, second]):
        function(op)
        return
    if op.kind not in OPERATORS or op.arguments.get("alpha", 1) != 1:
        raise op.error("the hardware has no such operator of two feature maps")
    if op.kind == "rsub":
        first, second = second, first
    first, second = settled(op, first), settled(op, second)
    operator = OPERATORS[op.kind]
    if not _fits(first, second) and _fits(second, first) and operator != "subtract":
        first, second = second, first
    if not _fits(first, second) or first.layout.sizes != op.shape:
        raise op.error("both operands must be of one shape, or the second a single pixel")
    op.emit(lambda name: FloatElementwise(
        name, (first.layer, second.layer), first.map, operator, UNBOUNDED), first.layout)


def _fits(first: TracedMap, second: TracedMap) -> bool:
    """Whether an elementwise layer can have these operands, which have equally many dimensions."""
    if (first.map, first.layout) == (second.map, second.layout):
        return True
    groups = list(zip(second.layout.groups, first.layout.groups, strict=True))
    return second.map == (1, 1, first.map[2]) and \
        all(group in ((), there) for group, there in groups) and \
        all(group == there for group, there in groups if any(
            atom.axis in "NC" for atom in there))


def concatenate(op: GraphNode) -> None:
    """Make a concatenation of channels; constant channels of zeros are a selection."""
    parts = op.arguments["tensors"]
    values = [settled(op, value) for part in parts
              if (value := op.walk.whole_value(part)) is not None]
    if not values:
        raise op.error("an operand must depend on the input")
    dim = op.arguments["dim"] % len(op.shape)
    if len(values) < len(parts):
        _zeros_beside(op, values, dim)
        return
    if all(value.map[:2] == (1, 1) and not value.layout.groups[dim] for value in values):
        _stacked(op, values, dim)
        return
    rest = [_without_channels(value, dim) for value in values]
    if any(layout is None or layout != rest[0] for layout in rest) or \
            len({value.map[:2] for value in values}) > 1:
        raise op.error("only channels of maps of one height and width can be concatenated")
    shape = (*values[0].map[:2], sum(value.map[2] for value in values))
    op.emit(lambda name: FloatConcat(name, tuple(value.layer for value in values), shape),
            values[0].layout.replaced(dim, whole(shape, "C")))


def _stacked(op: GraphNode, values: list[TracedMap], dim: int) -> None:
    """Concatenate vectors along a dimension of size 1 that they have: their channels follow one
    another."""
    if any((value.map, value.layout) != (values[0].map, values[0].layout) for value in values):
        raise op.error("vectors must be of one size")
    count = values[0].map[2]
    layout = values[0].layout.replaced(dim, (Atom("C", len(values), count),))
    op.emit(lambda name: FloatConcat(
        name, tuple(value.layer for value in values), (1, 1, count * len(values))), layout)


def _without_channels(value: TracedMap, dim: int) -> Layout | None:
    """The layout beside a dimension that counts the channels, or None if it does not."""
    return value.layout.replaced(dim, ()) if value.layout.holds(dim, "C", value.map) and \
        (length(value.map, "C") > 1 or _may_hold_channels(value, dim)) else None


def _may_hold_channels(value: TracedMap, dim: int) -> bool:
    """Whether a dimension of size 1 is that of a single channel, as layouts usually are."""
    axes = value.layout.axes(value.map)
    return axes is not None and axes[dim] == "C"


def _zeros_beside(op: GraphNode, values: list[TracedMap], dim: int) -> None:
    (value, *others) = values
    if others or _without_channels(value, dim) is None:
        raise op.error("constants can be beside the channels of a single feature map only")
    sources: list[int] = []
    for part in op.arguments["tensors"]:
        constant = op.walk.constants.get(part)
        if constant is None:
            sources += range(value.map[2])
        elif bool((constant == 0).all()):
            sources += [-1] * constant.shape[dim]
        else:
            raise op.error("constant channels must be zeros")
    shape = (*value.map[:2], len(sources))
    select(op, value, tuple(sources), (1, 1), value.layout.replaced(dim, whole(shape, "C")))


def expand(op: GraphNode) -> None:
    """Repeat a single pixel where a map is combined with it; or make an image of it."""
    value = settled(op, op.value("self"))
    axes = value.layout.axes(value.map)
    if value.layout.sizes == op.shape:
        op.pass_on(value)
    elif axes is not None and value.map[:2] == (1, 1) and _combined_only(op):
        # Elementwise layers repeat a single pixel by themselves.
        op.walk.values[op.node] = replace(value, exclusive=False)
    else:
        raise op.error("only single pixels can be repeated, where maps are combined with them")


def _combined_only(op: GraphNode) -> bool:
    return all(GraphNode(op.walk, user).kind in OPERATORS
               and len(GraphNode(op.walk, user).maps()) == 2 for user in readers(op.node))

