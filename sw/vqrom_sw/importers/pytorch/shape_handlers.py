"""Handlers of operations that move elements or change the shape, and compute nothing.

Each handler takes one node of the graph, as those of :mod:`layer_handlers` do.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from vqrom_sw.network import UNBOUNDED, FloatSelect

from .graph_node import GraphNode
from .walk import TracedMap


def _extend_identity(op: GraphNode, value: TracedMap, stride: tuple[int, int],
                     channels: tuple[int, int]) -> None:
    """Add subsampling or zero channels to the identity before, or start one."""
    _, count, height, width = op.shape
    shape, layer = (height, width, count), op.producer(value)
    zeros = tuple((-1,) * number for number in channels)
    # A clamp comes last in the layer, so nothing can be added after one.
    if isinstance(layer, FloatSelect) and layer.bounds == UNBOUNDED:
        op.fuse(value, shape=shape, sources=zeros[0] + layer.sources + zeros[1],
                stride=(layer.stride[0] * stride[0], layer.stride[1] * stride[1]))
        return
    op.emit(lambda name: FloatSelect(
        name, (value.layer,), shape, zeros[0] + tuple(range(value.map[2])) + zeros[1], stride,
        UNBOUNDED), "shortcut")


def slice_(op: GraphNode) -> None:
    """Keep every n-th row or column; a slice that takes everything leaves no layer."""
    value = op.value("self")
    if op.shape == value.shape:
        op.pass_on(value)
        return
    value = op.image("self")
    dim, step = op.arguments["dim"] % 4, op.arguments["step"]
    size, start, end = value.shape[dim], op.arguments["start"] or 0, op.arguments["end"]
    if dim < 2 or start != 0 or (end is not None and end < size):
        raise op.error("only whole maps with a step over rows or columns, x[:, :, ::n, ::n], "
                       f"not [{start}:{end}:{step}] of dimension {dim}")
    _extend_identity(op, value, (step, 1) if dim == 2 else (1, step), (0, 0))


def pad(op: GraphNode) -> None:
    """Add zero channels before and after, or zero pixels where convolutions alone read them."""
    value = op.image("self")
    amounts = [*op.arguments["pad"], 0, 0, 0, 0, 0, 0][:6]
    mode, fill = op.arguments.get("mode", "constant"), op.arguments.get("value") or 0
    if mode == "constant" and fill == 0 and not any(amounts[4:]) and min(amounts) >= 0 \
            and len(op.arguments["pad"]) <= 6 and op.read_by_convolutions:
        top, left, bottom, right = value.padding
        op.pass_on(replace(value, exclusive=False, padding=(
            top + amounts[2], left + amounts[0], bottom + amounts[3], right + amounts[1])))
        return
    if mode != "constant" or fill != 0 or any(amounts[:4]) or min(amounts) < 0 or \
            len(op.arguments["pad"]) > 6:
        raise op.error("only zero padding of channels (that of pixels belongs to a convolution), "
                       f"not pad {list(op.arguments['pad'])!r} with mode {mode!r}, value {fill!r}")
    _extend_identity(op, value, (1, 1), (amounts[4], amounts[5]))


def reshape(op: GraphNode) -> None:
    """Flatten, view or squeeze, which leave no layer: the elements of an image keep their order."""
    value = op.value("self")
    if op.shape[:1] != value.shape[:1]:
        raise op.error(f"must keep the batch dimension, not make {op.shape!r} of {value.shape!r}")
    if op.shape != value.shape and 3 in (len(op.shape), len(value.shape)):
        raise op.error(f"the hardware cannot make {op.shape!r} of {value.shape!r}")
    op.pass_on(value)


def same(op: GraphNode) -> None:
    """Pass on what dropout in evaluation mode, an identity or a copy leaves as it is."""
    value = op.value("input" if "input" in op.arguments else "self")
    if op.node.meta["val"].dtype != torch.float32:
        raise op.error(f"must stay float32, not {op.node.meta['val'].dtype}")
    op.pass_on(value)


def getitem(op: GraphNode) -> None:
    """Take the first result of a batch norm that returns several."""
    source, item = op.node.args
    if source not in op.walk.values or item != 0:
        raise op.error(f"only the first result has a meaning, not item {item!r}")
    value = op.walk.values[source]  # type: ignore[index]
    op.pass_on(value)
