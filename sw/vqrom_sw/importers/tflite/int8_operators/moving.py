"""Operators that move bytes: shapes, slices of channels and of pixels, concatenations, blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import HIGHEST, LOWEST, Quantization, quantize_multiplier
from vqrom_sw.network import INPUT, Concat, DepthToSpace, HostStep, Native, Select, Upsample

from ..resizing import nearest_places, whole_factor
from ..sliding_window import NO_PADDING
from ..source import Index, TfliteOperator, bounds, slice_index, strided_index
from ..values import Int8Network, TfliteValue, map_of, whole

EVERYTHING = (LOWEST, HIGHEST)
"""A clamp that changes nothing."""


def reshape(model: Int8Network, operator: TfliteOperator) -> TfliteValue:
    """Pass an activation on in another shape; the network's input may be given that shape."""
    for group, name in (("ReshapeOptions", "newShape"), ("SqueezeOptions", "squeezeDims")):
        if operator.kind == group.removesuffix("Options").upper():
            operator.option(group, name)  # The file's shape of the output says it.
    value, output = model.source(operator), operator.outputs[0]
    sizes = model.file.sizes(output)
    if operator.kind == "RESHAPE" and operator.input(1) >= 0:
        sizes = _wanted(model.constant(operator, 1), value)
    if prod(sizes) != prod(value.sizes):
        raise VqromError(f"must keep the elements of {value.sizes!r}, not make {sizes!r}")
    if model.file.type_of(output) != "FLOAT32":
        model.check_same_quantization(operator)
    alone = len(model.file.readers(operator.inputs[0])) == 1
    if value.layer == INPUT and alone and len(value.sizes) < 3 and value.padding == NO_PADDING \
            and len(sizes) > 1 and len(model.input_native.sizes) < 3:
        # The same bytes in the same order: the network may as well take them so.
        model.input_shape = map_of(sizes)
        model.input_native = Native(model.input_native.sizes, "HWC")
        return TfliteValue(INPUT, model.input_shape, sizes)
    if value.padding != NO_PADDING:
        value = model.plain(operator)
    return replace(value, sizes=sizes)


def _wanted(shape: np.ndarray, value: TfliteValue) -> tuple[int, ...]:
    """The shape that a RESHAPE asks for, without the axis of images."""
    sizes = [int(size) for size in shape.reshape(-1)]
    if sizes.count(-1) == 1:
        rest = prod(size for size in sizes if size != -1)
        sizes[sizes.index(-1)] = prod(value.sizes) // max(rest, 1)
    return tuple(sizes[1:] if sizes and sizes[0] == 1 else sizes)


def transpose(model: Int8Network, operator: TfliteOperator) -> TfliteValue:
    """Move pixels and channels; the input may be taken in the order that a file makes of it."""
    number, value = operator.inputs[0], model.source(operator)
    shape = model.file.shape(number)
    order = [int(axis) for axis in model.constant(operator, 1).reshape(-1)]
    if sorted(order) != list(range(len(shape))):
        raise VqromError(f"order must be one of {len(shape)} axes, not {order}")
    quantization = model.check_same_quantization(operator) \
        if model.file.type_of(number) != "FLOAT32" else None
    sizes = model.file.sizes(operator.outputs[0])
    if value.layer == INPUT and order == [0, 2, 3, 1] and value.sizes == shape[1:] \
            and len(model.file.readers(number)) == 1:
        model.input_shape = (shape[2], shape[3], shape[1])
        model.input_native = Native(shape[1:])
        return TfliteValue(INPUT, model.input_shape, sizes)
    if quantization is None:
        raise VqromError("must move INT8 numbers, or the input")
    moved = [axis for axis in order if shape[axis] > 1]
    if moved == sorted(moved):
        return replace(model.plain(operator), sizes=sizes)
    steps = [HostStep("permute.default", ({"input": 0}, [0, *(axis + 1 for axis in order)]), {})]
    return model.host(operator.name, "transpose", [model.plain(operator)], map_of(sizes), sizes,
                      quantization, steps, [shape], tuple(shape[axis] for axis in order))


def strided_slice(model: Int8Network, operator: TfliteOperator) -> TfliteValue:
    """Keep the channels, rows and columns that a STRIDED_SLICE names."""
    begin, end, strides = (model.constant(operator, place).reshape(-1) for place in (1, 2, 3))
    rank = len(model.file.shape(operator.inputs[0]))
    return _sliced(model, operator, strided_index(operator, rank, begin, end, strides))


def slice_(model: Int8Network, operator: TfliteOperator) -> TfliteValue:
    """Keep the channels, rows and columns that a SLICE names."""
    begin, sizes = (model.constant(operator, place).reshape(-1) for place in (1, 2))
    rank = len(model.file.shape(operator.inputs[0]))
    return _sliced(model, operator, slice_index(operator, rank, begin, sizes))


def _sliced(model: Int8Network, operator: TfliteOperator, index: Index) -> TfliteValue:
    shape = model.file.shape(operator.inputs[0])
    entries = [slice(entry, entry + 1 or None, 1) if isinstance(entry, int) else entry
               for entry in index if entry is not None]
    if any((entry.step or 1) < 0 for entry in entries):
        raise VqromError("steps must be positive")
    return part_of(model, operator, 0, 0, [bounds(entry, size) for entry, size
                                           in zip(entries, shape, strict=True)])


def part_of(model: Int8Network, operator: TfliteOperator, place: int, result: int,
            parts: Sequence[tuple[int, int, int]]) -> TfliteValue:
    """Take a part of a map: channels as a selection, pixels on the host, or as a stride.

    Parameters
    ----------
    model, operator:
        The model, and the operator that takes it.
    place, result:
        Which of the operator's inputs, and which of its outputs it is.
    parts:
        First place, number of places and step along each axis of the file's tensor.
    """
    number = operator.inputs[place]
    quantization = model.check_same_quantization(operator, place, result)
    shape, sizes = model.file.shape(number), model.file.sizes(operator.outputs[result])
    value = model.plain(operator, place)
    if any(count < 1 for _, count, _ in parts):
        raise VqromError(f"must take something of {shape!r}")
    name = operator.name if len(operator.outputs) == 1 else f"{operator.name}_{result}"
    inner = list(parts[len(shape) - len(value.sizes):])
    if len(inner) <= 3:
        height, width, channels = [(0, 1, 1)] * (3 - len(inner)) + inner if len(inner) != 2 else \
            [inner[0], (0, 1, 1), inner[1]]
        if all(first == 0 and len(range(0, size, step)) == count for (first, count, step), size
               in zip((height, width), value.shape, strict=False)):
            first, count, step = channels
            sources = np.arange(first, first + count * step, step, dtype=np.int32)
            return _selected(model, name, value, sources, quantization,
                             (height[2], width[2]), sizes)
    steps = []
    for axis, ((first, count, step), size) in enumerate(zip(parts, shape, strict=True)):
        if (first, count, step) != (0, size, 1):
            last = {"step": len(steps) - 1} if steps else {"input": 0}
            steps.append(HostStep("slice.Tensor", (last, axis + 1, first,
                                                   first + (count - 1) * step + 1, step), {}))
    return model.host(name, "slice", [value], map_of(sizes), sizes, quantization, steps, [shape],
                      tuple(count for _, count, _ in parts))


def _selected(model: Int8Network, name: str, value: TfliteValue, sources: np.ndarray,
              quantization: Quantization, stride: tuple[int, int],
              sizes: tuple[int, ...]) -> TfliteValue:
    height, width, _ = value.shape
    shape = (-(-height // stride[0]), -(-width // stride[1]), len(sources))
    model.layers.append(Select(name, (value.layer,), shape, quantization,
                               sources.astype(np.int32), stride, EVERYTHING))
    return TfliteValue(name, shape, sizes)


def _cut(model: Int8Network, operator: TfliteOperator, place: int, axis: int,
         lengths: Sequence[int]) -> list[TfliteValue]:
    """Parts of given lengths along an axis, one for each result."""
    shape = model.file.shape(operator.inputs[place])
    model.axis(operator, axis, operator.inputs[place])
    axis %= len(shape)
    if sum(lengths) != shape[axis] or len(lengths) != len(operator.outputs):
        raise VqromError(f"parts of {list(lengths)} must fill axis {axis} of {shape!r}")
    values, first = [], 0
    for result, length in enumerate(lengths):
        parts = [(0, size, 1) for size in shape]
        parts[axis] = (first, length, 1)
        values.append(part_of(model, operator, place, result, parts))
        first += length
    return values


def split(model: Int8Network, operator: TfliteOperator) -> list[TfliteValue]:
    """Take the equal parts of a SPLIT."""
    operator.option("SplitOptions", "numSplits")
    axis, count = whole(model.constant(operator, 0)), len(operator.outputs)
    shape = model.file.shape(operator.inputs[1])
    model.axis(operator, axis, operator.inputs[1])
    return _cut(model, operator, 1, axis, [shape[axis % len(shape)] // count] * count)


def split_v(model: Int8Network, operator: TfliteOperator) -> list[TfliteValue]:
    """Take the parts of a SPLIT_V."""
    operator.option("SplitVOptions", "numSplits")
    lengths = [int(size) for size in model.constant(operator, 1).reshape(-1)]
    axis = whole(model.constant(operator, 2))
    shape = model.file.shape(operator.inputs[0])
    model.axis(operator, axis, operator.inputs[0])
    rest = shape[axis % len(shape)] - sum(size for size in lengths if size >= 0)
    return _cut(model, operator, 0, axis, [rest if size < 0 else size for size in lengths])


def unpack(model: Int8Network, operator: TfliteOperator) -> list[TfliteValue]:
    """Take each entry along an axis."""
    operator.option("UnpackOptions", "num")
    return _cut(model, operator, 0, operator.option("UnpackOptions", "axis"),
                [1] * len(operator.outputs))


def concatenation(model: Int8Network, operator: TfliteOperator) -> TfliteValue:
    """Put channels together, or pixels on the host; the kernel does not rescale."""
    group, output = "ConcatenationOptions", operator.outputs[0]
    if operator.activation(group) != "NONE":
        raise VqromError("must have no fused activation, as in LiteRT")
    shape, sizes = model.file.shape(output), model.file.sizes(output)
    axis, quantization = operator.option(group, "axis"), model.quantization(output)
    model.axis(operator, axis, output)
    computed = next(number for number in operator.inputs if model.knows(number))
    values = []
    for place, number in enumerate(operator.inputs):
        if model.quantization(number) != quantization:
            raise VqromError(f"inputs must have the output's quantisation {quantization!r}, "
                             f"not {model.quantization(number)!r}")
        values.append(model.plain(operator, place) if model.knows(number) else
                      model.constant_map(model.values[computed], number,
                                         model.file.sizes(number)))
    if axis % len(shape) == len(shape) - 1:
        one = quantize_multiplier(operator.name, 1.0)
        channels = sum(value.shape[2] for value in values)
        height, width, _ = values[0].shape
        return model.add(operator, Concat(
            operator.name, tuple(value.layer for value in values), (height, width, channels),
            quantization, (one,) * len(values)))
    steps = [HostStep("cat.default", ([{"input": place} for place in range(len(values))],
                                      axis % len(shape) + 1), {})]
    return model.host(operator.name, "concatenation", values, map_of(sizes), sizes, quantization,
                      steps, [model.file.shape(number) for number in operator.inputs], shape)


def resize_nearest(model: Int8Network, operator: TfliteOperator) -> TfliteValue:
    """Repeat pixels, or leave some out: by whole factors."""
    group, value = "ResizeNearestNeighborOptions", model.plain(operator)
    quantization = model.check_same_quantization(operator)
    align, half = (bool(operator.option(group, name))
                   for name in ("alignCorners", "halfPixelCenters"))
    wanted = [int(size) for size in model.constant(operator, 1).reshape(-1)]
    if len(value.sizes) != 3 or len(wanted) != 2 or min(wanted) < 1:
        raise VqromError(f"must make an image of an image, not {wanted} of {value.sizes!r}")
    found = [nearest_places(size, want, align, half)
             for size, want in zip(value.shape, wanted, strict=False)]
    factors = [whole_factor(places, size) for places, size
               in zip(found, value.shape, strict=False)]
    shape = (wanted[0], wanted[1], value.shape[2])
    if all(factors):
        return model.add(operator, Upsample(operator.name, (value.layer,), shape, quantization,
                                            (factors[0], factors[1])))
    steps = [size // want for size, want in zip(value.shape, wanted, strict=False)]
    if min(steps) > 0 and all(
            np.array_equal(places, np.arange(0, size, step)) for places, size, step
            in zip(found, value.shape, steps, strict=False)):
        return _selected(model, operator.name, value, np.arange(shape[2]), quantization,
                         (steps[0], steps[1]), shape)
    raise VqromError(f"must be by whole factors, not from {value.shape[:2]!r} to {wanted}")


def depth_to_space(model: Int8Network, operator: TfliteOperator) -> TfliteValue:
    """Make pixels of channels, which the file orders by rows, columns and channels of a block."""
    value, quantization = model.plain(operator), model.check_same_quantization(operator)
    block = operator.option("DepthToSpaceOptions", "blockSize")
    height, width, channels = value.shape
    if len(value.sizes) != 3 or block < 1 or channels % (block * block):
        raise VqromError(f"block {block} must divide the {channels} channels of an image twice")
    order = np.arange(channels).reshape(block, block, -1).transpose(2, 0, 1).reshape(-1)
    value = _selected(model, model.fresh(f"{operator.name}_order"), value, order, quantization,
                      (1, 1), value.sizes)
    if block == 1:
        return value
    return model.add(operator, DepthToSpace(
        operator.name, (value.layer,),
        (height * block, width * block, channels // (block * block)), quantization, block))


def space_to_depth(model: Int8Network, operator: TfliteOperator) -> TfliteValue:
    """Make channels of pixels, on the host."""
    value, quantization = model.plain(operator), model.check_same_quantization(operator)
    block = operator.option("SpaceToDepthOptions", "blockSize")
    height, width, channels = value.shape
    if len(value.sizes) != 3 or block < 1 or height % block or width % block:
        raise VqromError(f"block {block} must divide height and width of {value.sizes!r}")
    shape = (height // block, width // block, channels * block * block)
    steps = [HostStep("reshape.default", ({"input": 0}, [
                 -1, shape[0], block, shape[1], block, channels]), {}),
             HostStep("permute.default", ({"step": 0}, [0, 1, 3, 2, 4, 5]), {}),
             HostStep("reshape.default", ({"step": 1}, [-1, *shape]), {})]
    return model.host(operator.name, "space to depth", [value], shape, shape, quantization, steps)


OPERATORS = {
    **dict.fromkeys(("RESHAPE", "SQUEEZE", "EXPAND_DIMS"), reshape), "TRANSPOSE": transpose,
    "STRIDED_SLICE": strided_slice, "SLICE": slice_, "SPLIT": split, "SPLIT_V": split_v,
    "UNPACK": unpack, "CONCATENATION": concatenation, "RESIZE_NEAREST_NEIGHBOR": resize_nearest,
    "DEPTH_TO_SPACE": depth_to_space, "SPACE_TO_DEPTH": space_to_depth,
}
"""What reads each operator that moves bytes, by its name."""
