"""Tensors of a graph that do not depend on the network's input."""

from __future__ import annotations

from typing import Any

import torch
from torch.fx import Node
from torch.fx.node import map_arg

from .graph_node import GraphNode
from .layout import BATCH
from .walk import is_number

CREATING = ("zeros_like", "ones_like", "full_like", "new_zeros", "new_ones", "new_full")
"""Operations that take nothing but the shape and type from a tensor."""

EXAMPLES = 2
"""Number of images with which constants are computed that have a dimension of images."""


def is_constant(op: GraphNode) -> bool:
    """Whether a node's result does not depend on the network's input."""
    return op.kind in CREATING or all(source in op.walk.constants or is_number(source)
                                      for source in op.node.all_input_nodes)


def computed(op: GraphNode) -> Any:
    """Compute an operation on constants alone.

    Returns
    -------
    Any
        The result, a tensor or a list of them. A dimension that counts images has size 1.

    Raises
    ------
    VqromError
        If the result is not the same for each image.
    """
    arguments, keywords = map_arg((op.node.args, op.node.kwargs), lambda n: _argument(op, n))
    assert callable(op.node.target)
    result = op.node.target(*arguments, **keywords)
    return _single(op, result) if isinstance(result, torch.Tensor) else result


def _argument(op: GraphNode, node: Node) -> Any:
    """An argument for :data:`EXAMPLES` images."""
    value = node.meta["val"]
    if is_number(node):
        return _count(value)
    if node not in op.walk.constants:
        return torch.empty([_count(size) for size in value.shape], dtype=value.dtype)
    constant = op.walk.constants[node]
    if isinstance(value, torch.Tensor) and node.op != "placeholder":
        return constant.expand([_count(size) for size in value.shape])
    return constant


def _count(value: Any) -> Any:
    """A number of the graph for :data:`EXAMPLES` images."""
    if not isinstance(value, torch.SymInt):
        return value
    expression = value.node.expr
    return int(expression.subs({symbol: EXAMPLES for symbol in expression.free_symbols}))


def _single(op: GraphNode, result: torch.Tensor) -> torch.Tensor:
    """The constant with one image, if all images have the same."""
    for dim, size in enumerate(op.shape):
        if size % BATCH == 0:
            first = result.narrow(dim, 0, 1)
            if size != BATCH or not torch.equal(first.expand_as(result), result):
                raise op.error("a constant must be the same for each image")
            return first
    return result
