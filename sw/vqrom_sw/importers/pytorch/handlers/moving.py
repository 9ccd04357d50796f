"""Handlers of operations that move numbers and compute nothing: views, slices, selections, pads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch.fx import Node

from vqrom_sw.network import FloatPad

from ..graph_node import GraphNode, kind_of
from ..host_nodes import HostNodes
from ..host_views import COPIES, PERMUTATIONS, VIEWS, order_of
from ..layout import layout_of
from ..walk import TracedMap, readers
from .rearrange import channels_first, chosen, counted_axis, cropped, select, settled

CONVOLUTIONS = ("conv1d", "conv2d")
"""Operations that take zeros around their input over as their padding."""

POOLS = ("max_pool1d", "max_pool2d")
"""Operations that take minus infinity around their input over as their padding."""

PADS = ("pad", "constant_pad_nd")
"""Operations that put a constant around a tensor."""

MOVES = (*VIEWS, *COPIES, *PERMUTATIONS, "getitem", "select", "slice", "expand")
"""Operations that move numbers, and go to the host with what reads them."""

PRODUCTS = ("matmul", "bmm", "mm")
"""Products that the host does, unless one operand is constant."""


HOST_ONLY = ("scaled_dot_product_attention", "softmax", "_softmax", "layer_norm", "group_norm",
             "baddbmm")
"""Operations that the host always does."""


def reshape(op: GraphNode) -> None:
    """Flatten, view or squeeze: the numbers stay where they are."""
    value = op.value("self" if "self" in op.arguments else "input")
    layout = value.layout.reshaped(op.shape)
    if layout is None:
        raise op.error("dimensions must be axes of the feature map or parts of them")
    op.pass_on(value, layout)


def permute(op: GraphNode) -> None:
    """Put dimensions in another order: the numbers stay where they are."""
    value = op.value("self" if "self" in op.arguments else "input")
    op.pass_on(value, value.layout.permuted(order_of(op)))


def same(op: GraphNode) -> None:
    """Pass on what dropout in evaluation mode, an identity or a copy leaves as it is."""
    argument = op.arguments["input" if "input" in op.arguments else "self"]
    if op.node.meta["val"].dtype != torch.float32:
        raise op.error(f"must stay float32, not {op.node.meta['val'].dtype}")
    value = op.walk.value(argument)
    assert value is not None
    if any(value.padding):
        value = op.value("input" if "input" in op.arguments else "self")
    op.pass_on(value)


def slice_(op: GraphNode) -> None:
    """Keep some channels, rows or columns."""
    value = op.value("self")
    if op.shape == value.layout.sizes:
        op.pass_on(value)
        return
    _refuse_for_host(op)
    dim = op.arguments["dim"] % len(op.shape)
    size = value.layout.sizes[dim]
    places = range(size)[slice(op.arguments["start"], op.arguments["end"], op.arguments["step"])]
    _kept(op, value, dim, places)


def select_one(op: GraphNode) -> None:
    """Keep one channel, row or column, or one group of channels."""
    value = op.value("self")
    dim = op.arguments["dim"] % len(value.layout.groups)
    size = value.layout.sizes[dim]
    if size == 1:
        layout = value.layout.reshaped(op.shape)
        assert layout is not None
        op.pass_on(value, layout)
        return
    _refuse_for_host(op)
    place = op.arguments["index"] % size
    _kept(op, value, dim, range(place, place + 1), keep=False)


def index_select(op: GraphNode) -> None:
    """Choose channels by a constant list of their numbers."""
    index = op.tensor("index")
    assert index is not None
    value = op.value("self")
    chosen(op, value, op.arguments["dim"] % len(op.shape), index.long().tolist())


def index(op: GraphNode) -> None:
    """Choose channels by a constant list of their numbers, written ``x[:, numbers]``."""
    used = [(dim, part) for dim, part in enumerate(op.arguments["indices"]) if part is not None]
    numbers = op.walk.constants.get(used[0][1])
    if len(used) != 1 or numbers is None or numbers.dim() != 1 \
            or numbers.dtype not in (torch.int64, torch.int32):
        raise op.error("indices must be one constant list of numbers")
    value = op.value("self")
    dim = used[0][0]
    size = value.layout.sizes[dim]
    chosen(op, value, dim, [number % size for number in numbers.tolist()])


def flip(op: GraphNode) -> None:
    """Turn the order of channels round."""
    value = op.value("self")
    if len(op.arguments["dims"]) != 1:
        raise op.error(f"dims must be one dimension, not {op.arguments['dims']!r}")
    dim = op.arguments["dims"][0] % len(op.shape)
    chosen(op, value, dim, range(value.layout.sizes[dim])[::-1])


def split(op: GraphNode) -> None:
    """Note the parts into which channels, rows or columns are split; each is made where it is
    taken."""
    value = op.value("self")
    dim = op.arguments["dim"] % len(value.layout.groups)
    if all(_for_host(op, user) for user in readers(op.node)):
        raise op.error("what the host reads, the host splits")
    channels = value.layout.channels()
    if (channels is None or channels.shape[dim] != value.layout.sizes[dim]) \
            and not counted_axis(value, dim):
        if op.kind != "unbind":
            raise op.error("only channels, rows or columns can be split")
        # The steps of a recurrent layer: all of the sequence is one vector, once.
        value = HostNodes.rearranged(op.walk, value, op.path or op.kind, "all")
    op.walk.values[op.node] = replace(value, exclusive=False)


def getitem(op: GraphNode) -> None:
    """Take one part of a split, or the first result of an operation that has several."""
    source, item = op.node.args
    assert isinstance(source, Node) and isinstance(item, int)
    value = op.walk.values.get(source)
    if value is None:
        raise op.error("must be taken from a feature map")
    results = source.meta["val"]
    if kind_of(source) in ("split", "chunk", "split_with_sizes", "unbind"):
        _part(op, value, GraphNode(op.walk, source), item % len(results))
    elif item == 0:
        op.pass_on(value)
    else:
        raise op.error(f"only the first result has a meaning, not item {item!r}")


def _part(op: GraphNode, value: TracedMap, source: GraphNode, item: int) -> None:
    dim = source.arguments["dim"] % len(value.layout.groups)
    if source.kind == "unbind":
        _kept(op, value, dim, range(item, item + 1), keep=False)
        return
    sizes = [int(part.shape[dim]) for part in source.node.meta["val"]]
    start = sum(sizes[:item])
    _kept(op, value, dim, range(start, start + sizes[item]))


def _kept(op: GraphNode, value: TracedMap, dim: int, places: range, keep: bool = True) -> None:
    groups = value.layout.groups
    if any(atom.axis == "C" for atom in groups[dim]):
        chosen(op, value, dim, places, keep)
        return
    value = settled(op, value)
    if not counted_axis(value, dim) or not places:
        raise op.error(f"only channels, rows or columns can be taken, not of dimension {dim}")
    cropped(op, value, dim, places, keep)


def pad(op: GraphNode) -> None:
    """Put constant pixels, or channels of zeros, around a map; negative amounts take pixels off.

    Zero pixels that convolutions alone read become their padding, and so does minus infinity
    before max pooling.
    """
    amounts, fill = list(op.arguments["pad"]), _fill(op)
    if len(op.shape) > 4:
        raise op.error(f"input must have at most 4 dimensions, not {len(op.shape)}")
    value, axes = channels_first(op, op.value("self"), len(op.shape)) \
        if len(op.shape) != 2 else (op.value("self"), "NC")
    around = dict.fromkeys("NCHW", (0, 0))
    for number, axis in enumerate(reversed(axes)):
        pairs = amounts[2 * number:2 * number + 2]
        around[axis] = (pairs[0], pairs[1]) if pairs else (0, 0)
    if any(around["N"]) or min(around["C"]) < 0:
        raise op.error(f"amounts must be of channels, rows and columns, and those of channels not "
                       f"be negative, not {amounts!r}")
    padding = (around["H"][0], around["W"][0], around["H"][1], around["W"][1])
    if any(around["C"]):
        _pad_channels(op, value, axes, around["C"], padding, fill)
    elif min(padding) >= 0 and ((fill == 0 and read_by(op.node, CONVOLUTIONS)) or
                                (fill == -math.inf and read_by(op.node, POOLS))):
        _pad_later(op, value, padding, fill)
    elif math.isfinite(fill):
        _pad_now(op, value, axes, padding, fill)
    else:
        raise op.error(f"value must be finite, not {fill!r}, unless max pooling alone reads it")


def read_by(node: Node, kinds: Sequence[str]) -> bool:
    """Whether operations of some kinds alone read a result."""
    return all(kind_of(user) in kinds and user.args[0] is node for user in readers(node))


def _fill(op: GraphNode) -> float:
    mode = op.arguments.get("mode", "constant")
    if mode != "constant":
        raise op.error(f"mode must be 'constant', not {mode!r}")
    return float(op.arguments.get("value") or 0)


def _pad_channels(op: GraphNode, value: TracedMap, axes: str, channels: tuple[int, int],
                  padding: tuple[int, int, int, int], fill: float) -> None:
    if fill != 0 or any(padding):
        raise op.error("channels can be added with value 0 only, and not with pixels")
    sources = (-1,) * channels[0] + tuple(range(value.map[2])) + (-1,) * channels[1]
    select(op, value, sources, (1, 1), layout_of((*value.map[:2], len(sources)), *axes))


def _pad_later(op: GraphNode, value: TracedMap, padding: tuple[int, int, int, int],
               fill: float) -> None:
    op.put(replace(value, exclusive=False, padding=padding, fill=fill))


def _pad_now(op: GraphNode, value: TracedMap, axes: str, padding: tuple[int, int, int, int],
             fill: float) -> None:
    top, left, bottom, right = padding
    height, width, channels = value.map
    shape = (height + top + bottom, width + left + right, channels)
    op.emit(lambda name: FloatPad(name, (value.layer,), shape, padding, fill), axes)


def _refuse_for_host(op: GraphNode) -> None:
    """Leave a selection to the host if the host alone reads it."""
    if _for_host(op, op.node, itself=True):
        raise op.error("what the host reads, the host selects")


def _for_host(op: GraphNode, node: Node, itself: bool = False) -> bool:
    """Whether an operation is one that the host does, or moves numbers for such ones alone."""
    kind = kind_of(node)
    if kind in PRODUCTS:
        return not any(source in op.walk.constants for source in node.all_input_nodes)
    if itself or kind in MOVES:
        return bool(readers(node)) and all(_for_host(op, user) for user in readers(node))
    return kind in HOST_ONLY
