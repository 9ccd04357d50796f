"""The feature map that a network's input is."""

from __future__ import annotations

import math

from torch.fx import Node

from vqrom_sw.network import INPUT, Shape

from .graph_node import kind_of
from .handlers.functions import FUNCTIONS
from .host_views import CHANNELS_FIRST, COPIES, VIEWS
from .layout import Layout, layout_of, sizes_of
from .walk import TracedMap, readers

AXES_LAST = [0, 3, 1, 2]
"""The permutation that makes an image of PyTorch of one whose channels come last."""

ARITHMETIC = ("add", "sub", "mul", "div", "minimum", "maximum")
"""Operations of two tensors, number by number."""


def input_map(node: Node) -> TracedMap:
    """Tell how the graph sees the network's input, by what first reads it.

    An image has its channels first, unless the graph permutes it at once, or what functions of
    single numbers make of it. Other inputs of three
    dimensions are sequences, unless a one-dimensional convolution or the like reads them. What is
    only flattened is a vector from the start.
    """
    shape, layout = _view(node, sizes_of(node.meta["val"])[1:])
    # Never fusable: no layer of that name exists.
    return TracedMap(INPUT, shape, layout, len(readers(node)) == 1)


def _view(node: Node, sizes: tuple[int, ...]) -> tuple[Shape, Layout]:
    users = list(readers(node))
    count = math.prod(sizes)
    if len(sizes) > 3 or (len(sizes) > 1 and users and all(map(_flattens, users))):
        shape = (1, 1, count)
        layout = layout_of(shape, "N", "C").reshaped((layout_of(shape, "N").sizes[0], *sizes))
        assert layout is not None
        return shape, layout
    if len(sizes) == 3:
        if users and all(map(_channels_last, users)):
            return sizes, layout_of(sizes, *"NHWC")
        shape = (sizes[1], sizes[2], sizes[0])
        return shape, layout_of(shape, *"NCHW")
    if len(sizes) == 2:
        if users and all(map(_channels_first, users)):
            shape = (sizes[1], 1, sizes[0])
            return shape, layout_of(shape, *"NCH")
        shape = (sizes[0], 1, sizes[1])
        return shape, layout_of(shape, *"NHC")
    shape = (1, 1, count)
    return shape, layout_of(shape, *"NC")


def _channels_last(node: Node) -> bool:
    """Whether an image's channels are moved to the front, now or behind functions of numbers."""
    if kind_of(node) in (*FUNCTIONS, *ARITHMETIC):
        return bool(readers(node)) and all(map(_channels_last, readers(node)))
    return kind_of(node) == "permute" and node.args[1] == AXES_LAST


def _flattens(node: Node) -> bool:
    """Whether an operation makes vectors of its operand, now or after copies of it."""
    if kind_of(node) in COPIES:
        return bool(readers(node)) and all(map(_flattens, readers(node)))
    return kind_of(node) in VIEWS and len(node.meta["val"].shape) == 2


def _channels_first(node: Node) -> bool:
    """Whether an operation takes the first dimension of a signal for its channels."""
    if kind_of(node) in (*COPIES, "pad", "constant_pad_nd"):
        return bool(readers(node)) and all(map(_channels_first, readers(node)))
    return kind_of(node) in CHANNELS_FIRST
