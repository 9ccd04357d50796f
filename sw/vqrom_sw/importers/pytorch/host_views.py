"""What the dimensions of tensors on the host count, and which maps they become."""

from __future__ import annotations

import torch
from torch.fx import Node

from .graph_node import GraphNode, kind_of
from .host_program import View
from .layout import BATCH, Atom, Group, Layout, N
from .walk import readers

VIEWS = ("view", "reshape", "_unsafe_view", "flatten", "unflatten", "squeeze", "unsqueeze")
"""Operations that only change the shape."""

PERMUTATIONS = ("permute", "transpose", "t")
"""Operations that put dimensions in another order."""

COPIES = ("clone", "contiguous", "alias", "detach", "dropout", "lift_fresh_copy", "feature_dropout")
"""Operations that change nothing."""

CHANNELS_FIRST = ("conv1d", "conv_transpose1d", "max_pool1d", "avg_pool1d", "adaptive_avg_pool1d",
                  "batch_norm", "prelu", "instance_norm", "group_norm")
"""Operations that take the dimension after the images for channels."""


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


def fresh_view(sizes: tuple[int, ...], operands: list[View]) -> View | None:
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


def usual_places(groups: list[Group], channels_first: bool) -> dict[str, list[Group]]:
    """The map of a vector, a sequence or signal, an image, or anything else, as a sequence."""
    if len(groups) == 2 and channels_first:
        return {"C": groups[:1], "H": groups[1:]}
    if len(groups) == 3:
        return {"C": groups[:1], "H": groups[1:2], "W": groups[2:]}
    return {"H": groups[:-1], "C": groups[-1:]}


def channels_first(node: Node, depth: int = 4) -> bool:
    """Whether operations soon after take the dimension after the images for channels."""
    return depth > 0 and any(kind_of(user) in CHANNELS_FIRST or channels_first(user, depth - 1)
                             for user in readers(node))


def is_float(node: Node) -> bool:
    value = node.meta["val"]
    return isinstance(value, torch.Tensor) and value.dtype == torch.float32
