"""Tensors of a graph that do not depend on the network's input."""

from __future__ import annotations

from typing import Any

import torch
from torch.fx import Node
from torch.fx.node import map_arg

from .graph_node import GraphNode, shown
from .layout import BATCH
from .walk import is_number

CREATING = ("zeros_like", "ones_like", "full_like", "new_zeros", "new_ones", "new_full")
"""Operations that take nothing but the shape and type from a tensor."""

PLAIN_VIEWS = ("view", "_unsafe_view")
"""Reshapes that want the numbers in memory in a certain order. Constants are in another one, where
a dimension of images was made larger."""

VALUELESS = ("empty", "empty_like", "new_empty", "empty_strided", "new_empty_strided")
"""Operations that give memory as it is."""

EVALUATION = ("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout",
              "scaled_dot_product_attention", "lstm", "gru", "rnn_tanh", "rnn_relu")
"""Operations that draw no random numbers outside of training. What their handlers and the host say
of training is checked by them."""

EXAMPLES = 2
"""Number of images with which constants are computed that have a dimension of images."""


def check_kind(op: GraphNode) -> None:
    """Refuse operations whose results are not the same each time.

    Raises
    ------
    VqromError
        If it draws random numbers, or gives memory without values.
    """
    tags = getattr(op.node.target, "tags", ())
    if op.kind in VALUELESS:
        raise op.error("numbers must have values from the start")
    if torch.Tag.nondeterministic_seeded in tags and op.kind not in EVALUATION:
        raise op.error("random numbers must not be drawn, since no result would be the right one")


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
    target = torch.ops.aten.reshape.default if op.kind in PLAIN_VIEWS else op.node.target
    assert callable(target)
    result = target(*arguments, **keywords)
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
            if size != BATCH:
                raise op.error("a dimension of a constant must not count images and something "
                               f"else, as in {shown(op.shape)}")
            first = result.narrow(dim, 0, 1)
            if not torch.equal(first.expand_as(result), result):
                raise op.error("a constant must be the same for each image")
            return first
    return result
