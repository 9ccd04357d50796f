"""Maps brought to a usual layout, by the accelerator where it can, or else by the host."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from vqrom_sw.network import UNBOUNDED, FloatConv, FloatDepthToSpace, FloatSelect

from ..graph_node import GraphNode
from ..host_nodes import HostNodes
from ..layout import Atom, Layout, layout_of, whole
from ..walk import TracedMap

MAX_CROP = 3
"""Largest kernel of the convolution that takes pixels off a map; the host takes more off."""


def settled(op: GraphNode, value: TracedMap) -> TracedMap:
    """Bring the channels of a map in order, if they alone are in another: a channel or pixel
    shuffle."""
    layout, shape = value.layout, value.map
    if layout.axes(shape) is not None:
        return value
    block = _shuffled_block(layout, value)
    if block:
        height, width, channels = shape
        made = (height * block, width * block, channels // block**2)
        layer = op.walk.append(lambda name: FloatDepthToSpace(
            name, (value.layer,), made, block), op.path, op.kind)
        return TracedMap(layer.name, made, layout_of(made, *"NCHW"), value.exclusive)
    dims = layout.dims_of("C")
    if len(dims) != 1 or layout.replaced(dims[0], whole(shape, "C")).axes(shape) is None:
        return value
    channels = layout.channels()
    assert channels is not None
    sources = tuple(channels.flatten().tolist())
    layer = op.walk.append(lambda name: FloatSelect(
        name, (value.layer,), shape, sources, (1, 1), UNBOUNDED), op.path, "shuffle")
    return TracedMap(layer.name, shape, layout.replaced(dims[0], whole(shape, "C")),
                     value.exclusive)


def channels_first(op: GraphNode, value: TracedMap, dims: int) -> tuple[TracedMap, str]:
    """Bring a map to the layout of an image or a signal whose channels come first.

    Parameters
    ----------
    dims:
        Number of the tensor's dimensions: 4 for images, 3 for signals.

    Returns
    -------
    tuple
        The map, and its axes: ``"NCHW"``, ``"NCH"`` or ``"NCW"``.
    """
    if len(value.layout.groups) != dims:
        raise op.error(f"input must have {dims} dimensions, not {len(value.layout.groups)}")
    value = settled(op, value)
    axes = value.layout.axes(value.map)
    if axes is None or not axes.startswith("NC"):
        value = HostNodes.rearranged(op.walk, value, op.path or op.kind, "first")
        axes = value.layout.axes(value.map)
        assert axes is not None
    return value, axes


def _shuffled_block(layout: Layout, value: TracedMap) -> int:
    """The block of a pixel shuffle that the graph makes of views and a permutation, or 0."""
    channels = value.map[2]
    if len(layout.groups) != 4 or not layout.groups[3]:
        return 0
    last = layout.groups[3][-1]
    block = last.length
    if last.axis != "C" or channels % block**2:
        return 0
    kept = channels // block**2
    wanted = Layout((
        layout.groups[0], (Atom("C", kept, block**2),) if kept > 1 else (),
        (*whole(value.map, "H"), Atom("C", block, block)),
        (*whole(value.map, "W"), Atom("C", block, 1))))
    return block if layout == wanted and layout.groups[0] == layout_of(value.map, "N").groups[0] \
        else 0


def chosen(op: GraphNode, value: TracedMap, dim: int, places: Sequence[int],
           keep: bool = True) -> None:
    """Keep positions of a dimension that counts channels: a selection of channels.

    Parameters
    ----------
    dim, places:
        The dimension, and its positions that are kept, in order.
    keep:
        Whether the dimension stays, even if a single position is left.

    Raises
    ------
    VqromError
        If the dimension counts something else.
    """
    channels = value.layout.channels()
    groups = list(value.layout.groups)
    if channels is None or not groups[dim] or any(atom.axis != "C" for atom in groups[dim]):
        raise op.error(f"only channels can be chosen, not positions of dimension {dim}")
    picked = channels.index_select(dim, torch.tensor(places, dtype=torch.int64))
    step = 1
    for place in reversed(value.layout.dims_of("C")):
        count = picked.shape[place]
        groups[place] = (Atom("C", count, step),) if count > 1 else ()
        step *= count
    if not keep:
        del groups[dim]
    select(op, value, tuple(picked.flatten().tolist()), (1, 1), Layout(tuple(groups)))


def select(op: GraphNode, value: TracedMap, sources: tuple[int, ...], stride: tuple[int, int],
           layout: Layout | str) -> None:
    """Make a selection of channels and pixels, or change the one that made the operand."""
    height, width, _ = value.map
    shape = (-(-height // stride[0]), -(-width // stride[1]), len(sources))
    layer = op.producer(value)
    # A clamp comes last in the layer, so nothing can be added after one.
    if isinstance(layer, FloatSelect) and layer.bounds == UNBOUNDED:
        sources = tuple(-1 if place < 0 else layer.sources[place] for place in sources)
        stride = (layer.stride[0] * stride[0], layer.stride[1] * stride[1])
        del op.walk.layers[layer.name]
        source = layer.inputs[0]
    else:
        source = value.layer
    op.emit(lambda name: FloatSelect(name, (source,), shape, sources, stride, UNBOUNDED),
            layout, "shortcut" if -1 in sources else "select")


def cropped(op: GraphNode, value: TracedMap, axes: str, axis: str, kept: range) -> None:
    """Keep some rows or columns of a map.

    Parameters
    ----------
    axes:
        The axes of the operand's dimensions.
    axis:
        ``"H"`` or ``"W"``.
    kept:
        The positions that are kept.

    Raises
    ------
    VqromError
        If only the host can do it.
    """
    height, width, channels = value.map
    size = value.map["HW".index(axis)]
    step = size if len(kept) == 1 else kept.step
    count = len(kept)
    if kept.start == 0 and count == -(-size // step):
        select(op, value, tuple(range(channels)), (step, 1) if axis == "H" else (1, step),
               _resized(op, value, axes, axis, count))
        return
    reach = size - (count - 1) * step
    reach = min(reach, max(kept.start + 1, size - (count - 1) * step - step + 1))
    if reach > MAX_CROP or step < 1:
        raise op.error(f"only {MAX_CROP - 1} {axis} positions can be taken off, not "
                       f"{kept.start} to {kept.stop} of {size}")
    kernel = (reach, 1) if axis == "H" else (1, reach)
    weight = torch.zeros(channels, 1, *kernel)
    weight.flatten(1)[:, kept.start] = 1
    shape = (count, width, channels) if axis == "H" else (height, count, channels)
    stride = (step, 1) if axis == "H" else (1, step)
    op.emit(lambda name: FloatConv(
        name, (value.layer,), shape, "conv", weight, torch.zeros(channels), stride, (0, 0, 0, 0),
        UNBOUNDED, channels), _resized(op, value, axes, axis, count), "crop")


def _resized(op: GraphNode, value: TracedMap, axes: str, axis: str, count: int) -> Layout:
    shape = (count, *value.map[1:]) if axis == "H" else (value.map[0], count, value.map[2])
    made = layout_of(shape, *axes)
    return made if len(made.groups) == len(op.shape) else Layout(tuple(
        group for group, name in zip(made.groups, axes, strict=True) if name != axis))
