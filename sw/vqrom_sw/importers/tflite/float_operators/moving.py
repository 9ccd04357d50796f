"""Operators that move numbers: shapes, slices, concatenations, padding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

import torch
from torch import nn

from vqrom_sw.importers.imported_module import Call, WithConstants

from ..float_node import Data, FloatNode, Part, is_leading, widened
from ..source import Index, slice_index, strided_index


def shaped(node: FloatNode, shape: Sequence[int]) -> Part:
    """A part that gives one image's tensor another shape, whose numbers stay in their order."""
    shape, old = list(shape), node.data().shape
    if shape.count(-1) == 1:
        rest = prod(size for size in shape if size != -1)
        shape[shape.index(-1)] = prod(old) // max(rest, 1)
    if prod(shape) != prod(old) or min(shape, default=1) < 1:
        raise node.error(f"must keep the elements of {old!r}, not make {tuple(shape)!r}")
    leading = bool(shape) and shape[0] == 1
    sizes = shape[1:] if leading else shape
    if tuple(sizes) == tuple(node.data().probe.shape[1:]):
        return node.part(nn.Identity(), leading=leading)
    if len(sizes) == 1:
        return node.part(nn.Flatten(), leading=leading)
    return node.call(lambda x: x.reshape(-1, *sizes), leading)


def reshape(node: FloatNode) -> Part:
    """Read a RESHAPE, whose shape is an input or an option."""
    wanted = node.option("ReshapeOptions", "newShape")
    if node.has(1):
        return shaped(node, node.integers(1))
    if wanted is None:
        raise node.error("must have a shape")
    return shaped(node, [int(size) for size in wanted])


def squeeze(node: FloatNode) -> Part:
    """Read a SQUEEZE of given axes, or of all whose size is 1."""
    axes, shape = node.option("SqueezeOptions", "squeezeDims"), node.data().shape
    places = [place for place, size in enumerate(shape) if size == 1] \
        if axes is None or not len(axes) else [node.axis(int(axis), len(shape)) for axis in axes]
    if any(shape[place] != 1 for place in places):
        raise node.error(f"axes {places} of {shape!r} must be 1")
    return shaped(node, [size for place, size in enumerate(shape) if place not in places])


def expand_dims(node: FloatNode) -> Part:
    """Read an EXPAND_DIMS."""
    shape = list(node.data().shape)
    axis = node.axis(node.integers(1)[0], len(shape) + 1)
    return shaped(node, [*shape[:axis], 1, *shape[axis:]])


def transpose(node: FloatNode) -> Part:
    """Read a TRANSPOSE."""
    order, data = node.integers(1), node.data()
    if sorted(order) != list(range(len(data.shape))):
        raise node.error(f"order must be one of {len(data.shape)} axes, not {order}")
    if data.leading and order[0] == 0:
        return node.call(lambda x: x.permute(*order))
    return node.within(lambda x: x.permute(0, *(1 + axis for axis in order)))


def _indexed(node: FloatNode, index: Index) -> Part:
    """A part that takes what an index with an entry for each axis says; steps are positive."""
    data = node.data()
    if any(isinstance(entry, slice) and (entry.step or 1) < 0 for entry in index):
        raise node.error("steps must be positive")
    first = index[0] if index else None
    if data.leading and isinstance(first, slice) and len(range(*first.indices(1))) == 1:
        return node.call(lambda x: x[(slice(None), *index[1:])])
    return node.within(lambda x: x[(slice(None), *index)])


def strided_slice(node: FloatNode) -> Part:
    """Read a STRIDED_SLICE with constant bounds."""
    return _indexed(node, strided_index(node.operator, len(node.data().shape), *(
        node.static(place).reshape(-1) for place in (1, 2, 3))))


def slice_(node: FloatNode) -> Part:
    """Read a SLICE with constant bounds."""
    return _indexed(node, slice_index(node.operator, len(node.data().shape), *(
        node.static(place).reshape(-1) for place in (1, 2))))


def gather(node: FloatNode) -> Part:
    """Read a GATHER of constant places of the input."""
    group, data, places = "GatherOptions", node.data(), node.static(1)
    axis = node.axis(node.option(group, "axis"), len(data.shape))
    if node.option(group, "batchDims") or places.ndim > 1 or \
            not ((places >= 0) & (places < data.shape[axis])).all():
        raise node.error(f"places must be in a row, and within axis {axis} of {data.shape!r}")
    index = torch.from_numpy(places.astype("int64"))

    def take(x: torch.Tensor) -> torch.Tensor:
        return x.index_select(1 + axis, index.reshape(-1)) if index.dim() else \
            x.select(1 + axis, int(index))
    return node.within(take)


def _parts(node: FloatNode, axis: int, lengths: Sequence[int], source: int) -> Part:
    data = node.data(source)
    axis = node.axis(axis, len(data.shape))
    if sum(lengths) != data.shape[axis] or len(lengths) != len(node.operator.outputs):
        raise node.error(f"parts of {list(lengths)} must fill axis {axis} of {data.shape!r}")
    if data.leading and axis == 0:
        raise node.error("must not split the axis of images")
    place = axis if data.leading else axis + 1
    module = Call(lambda x: tuple(x.split(list(lengths), place)))
    return Part((module,), (data,), data.leading)


def split(node: FloatNode) -> Part:
    """Read a SPLIT into equal parts; the axis is its first input."""
    node.option("SplitOptions", "numSplits")
    count, axis = len(node.operator.outputs), node.integers(0)[0]
    shape = node.data(1).shape
    return _parts(node, axis, [shape[node.axis(axis, len(shape))] // count] * count, 1)


def split_v(node: FloatNode) -> Part:
    """Read a SPLIT_V into parts of given lengths, one of which may be -1 for the rest."""
    node.option("SplitVOptions", "numSplits")
    lengths, axis = node.integers(1), node.integers(2)[0]
    shape = node.data().shape
    rest = shape[node.axis(axis, len(shape))] - sum(size for size in lengths if size >= 0)
    return _parts(node, axis, [rest if size < 0 else size for size in lengths], 0)


def unpack(node: FloatNode) -> Part:
    """Read an UNPACK: each entry along an axis is a result."""
    node.option("UnpackOptions", "num")
    data = node.data()
    axis = node.axis(node.option("UnpackOptions", "axis"), len(data.shape))
    if data.leading and axis == 0:
        raise node.error("must not unpack the axis of images")
    place = axis if data.leading else axis + 1
    return node.part(Call(lambda x: tuple(x.unbind(place))))


def concatenation(node: FloatNode) -> Part:
    """Read a concatenation along any axis, some of whose inputs may be constants."""
    group = "ConcatenationOptions"
    part = _joined(node, node.option(group, "axis"), stack=False)
    return Part((*part.modules, *node.fused(group)), part.operands, part.leading)


def pack(node: FloatNode) -> Part:
    """Read a PACK: the inputs along a new axis."""
    node.option("PackOptions", "valuesCount")
    return _joined(node, node.option("PackOptions", "axis"), stack=True)


def _joined(node: FloatNode, axis: int, stack: bool) -> Part:
    places = range(len(node.operator.inputs))
    operands = [node.data(place) if node.is_data(place) else node.real(place) for place in places]
    rank = len(operands[0].shape)
    axis = node.axis(axis, rank + stack)
    leading = axis > 0 and is_leading([tuple(operand.shape) for operand in operands])
    widen = [widened(operand, rank, leading) if isinstance(operand, Data) else (
        (lambda x: x) if leading else (lambda x: x[None])) for operand in operands]
    function = torch.stack if stack else torch.cat
    # Constants are the same for all images, and have none in front.
    grows = [isinstance(operand, Data) for operand in operands]

    def join(*given: torch.Tensor) -> torch.Tensor:
        parts = [change(x) for x, change in zip(given, widen, strict=True)]
        images = parts[grows.index(True)].shape[0]
        return function([part if own else part.expand(images, *part.shape[1:])
                         for part, own in zip(parts, grows, strict=True)], axis + (not leading))

    data = tuple(operand for operand in operands if isinstance(operand, Data))
    constants = [None if isinstance(operand, Data) else operand for operand in operands]
    module = Call(join) if len(data) == len(operands) else WithConstants(join, constants)
    return Part((module,), data, leading)


def _amounts(node: FloatNode) -> list[int]:
    """Amounts of padding in PyTorch's order: the last axis first; none of the images' axis."""
    amounts, data = node.static(1).reshape(-1, 2), node.data()
    if len(amounts) != len(data.shape) or (amounts < 0).any() or (
            data.leading and amounts[0].any()):
        raise node.error(f"must pad each axis of {data.shape!r} but that of images, "
                         f"not by {amounts.tolist()!r}")
    inner = amounts[1:] if data.leading else amounts
    flat = [int(value) for row in inner[::-1] for value in row]
    while len(flat) > 2 and not any(flat[-2:]):
        flat = flat[:-2]
    return flat


def pad(node: FloatNode) -> Part:
    """Read a PAD with zeros, or a PADV2 with a constant."""
    amounts = _amounts(node)
    value = float(node.real(2).reshape(-1)[0]) if node.kind == "PADV2" else 0.0
    return node.call(lambda x: nn.functional.pad(x, amounts, value=value))


def mirror_pad(node: FloatNode) -> Part:
    """Read a MIRROR_PAD, axis by axis: pixels next to the border, without it or with it."""
    amounts = _amounts(node)
    edge = int(bool(node.option("MirrorPadOptions", "mode")))
    rank = node.data().probe.dim()
    rows = [(rank - 1 - place // 2, *amounts[place:place + 2])
            for place in range(0, len(amounts), 2)]

    def mirror(x: torch.Tensor) -> torch.Tensor:
        for axis, before, after in rows:
            size = x.shape[axis]
            first = x.narrow(axis, 1 - edge, before).flip(axis)
            last = x.narrow(axis, size - after - 1 + edge, after).flip(axis)
            x = torch.cat([first, x, last], axis)
        return x
    return node.call(mirror)


OPERATORS: dict[str, Callable[[FloatNode], Part]] = {
    "RESHAPE": reshape, "SQUEEZE": squeeze, "EXPAND_DIMS": expand_dims, "TRANSPOSE": transpose,
    "STRIDED_SLICE": strided_slice, "SLICE": slice_, "GATHER": gather, "SPLIT": split,
    "SPLIT_V": split_v, "UNPACK": unpack, "CONCATENATION": concatenation, "PACK": pack,
    "PAD": pad, "PADV2": pad, "MIRROR_PAD": mirror_pad,
}
"""What reads each operator that moves numbers, by its name."""
