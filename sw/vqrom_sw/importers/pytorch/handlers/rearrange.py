"""Maps brought to a usual layout, by the accelerator where it can, or else by the host."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from vqrom_sw.network import UNBOUNDED, FloatDepthToSpace, FloatPad, FloatSelect, Shape

from ..graph_node import GraphNode
from ..host_nodes import HostNodes
from ..layout import Atom, Layout, layout_of, whole
from ..walk import TracedMap


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

    Raises
    ------
    VqromError
        If it has another number of dimensions, or parts of a map lie among the images.
    """
    if len(value.layout.groups) != dims:
        raise op.error(f"input must have {dims} dimensions, not {len(value.layout.groups)}")
    value = settled(op, value)
    axes = value.layout.axes(value.map)
    if axes is None or not axes.startswith("NC"):
        value = HostNodes.rearranged(op.walk, value, op.path or op.kind, "first")
        axes = value.layout.axes(value.map)
        if axes is None:
            raise op.error("images must be the whole first dimension, without parts of maps")
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


def counted_axis(value: TracedMap, dim: int) -> str:
    """Which of a map's rows and columns a dimension counts, all of them and nothing else.

    Returns
    -------
    str
        ``"H"``, ``"W"``, or ``""`` if it counts something else.
    """
    return next((axis for axis in "HW" if value.layout.groups[dim]
                 and value.layout.holds(dim, axis, value.map)), "")


def cropped(op: GraphNode, value: TracedMap, dim: int, kept: range, keep: bool) -> None:
    """Keep some rows or columns of a map: those around them are taken off, then others left out.

    Parameters
    ----------
    dim:
        The dimension that counts them: see :func:`counted_axis`.
    kept:
        The positions that are kept, at least one.
    keep:
        Whether the dimension stays, even if a single position is left.

    Raises
    ------
    VqromError
        If positions are to be taken in reverse.
    """
    if len(kept) > 1 and kept.step < 1:
        raise op.error(f"positions must be taken in their order, not {kept!r}")
    axis, step = counted_axis(value, dim), kept.step if len(kept) > 1 else 1
    size, channels = value.map["HW".index(axis)], value.map[2]
    before, after = kept[0], size - 1 - kept[-1]
    if (before or after >= step) and (step == 1 or before):
        padding = (-before, 0, -after, 0) if axis == "H" else (0, -before, 0, -after)
        shape = _resized(value, axis, size - before - after)
        make = _taken_off(op, value, shape, padding)
        if step == 1:
            op.emit(make, _without(value, dim, axis, shape, keep), "crop")
            return
        layer = op.walk.append(make, op.path, "crop")
        value = TracedMap(layer.name, shape, _without(value, dim, axis, shape, True), True)
    select(op, value, tuple(range(channels)), (step, 1) if axis == "H" else (1, step),
           _without(value, dim, axis, _resized(value, axis, len(kept)), keep))


def _taken_off(op: GraphNode, value: TracedMap, shape: Shape,
               padding: tuple[int, int, int, int]) -> Callable[[str], FloatPad]:
    """What makes the layer that takes pixels off a map, together with the pad that made the map.

    Both stay if nothing but padding is left.
    """
    layer, source, fill = op.producer(value), value.layer, 0.0
    if isinstance(layer, FloatPad):
        top, left, bottom, right = (one + other for one, other in
                                    zip(layer.padding, padding, strict=True))
        around = [max(part, 0) for part in (top, bottom, left, right)]
        if shape[0] > sum(around[:2]) and shape[1] > sum(around[2:]):
            padding, source, fill = (top, left, bottom, right), layer.inputs[0], layer.value
            del op.walk.layers[layer.name]
    return lambda name: FloatPad(name, (source,), shape, padding, fill)


def _resized(value: TracedMap, axis: str, count: int) -> Shape:
    """A map's shape with so many rows or columns."""
    height, width, channels = value.map
    return (count, width, channels) if axis == "H" else (height, count, channels)


def _without(value: TracedMap, dim: int, axis: str, shape: Shape, keep: bool) -> Layout:
    """A map's layout with fewer rows or columns, or without the dimension that counts them."""
    groups = list(value.layout.groups)
    groups[dim] = whole(shape, axis)
    if not keep:
        del groups[dim]
    return Layout(tuple(groups))
