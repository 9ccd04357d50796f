"""Handlers of layers that change the number of pixels: up-sampling, pixel shuffles, transposed
convolutions."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from vqrom_sw.network import UNBOUNDED, FloatConv, FloatDepthToSpace, FloatSelect, FloatUpsample

from ..graph_node import GraphNode
from ..layout import layout_of
from ..walk import TracedMap
from .convolution import along, as_image_kernel, bias_of
from .rearrange import channels_first


def upsample(op: GraphNode) -> None:
    """Make a nearest-neighbour up-sampling by whole factors, or of a single pixel by any method."""
    value, axes = channels_first(op, op.value("self" if "self" in op.arguments else "input"),
                                 len(op.shape))
    sizes = dict(zip(axes[2:], op.shape[2:], strict=True))
    height, width, channels = value.map
    shape = (sizes.get("H", 1), sizes.get("W", 1), channels)
    factor = (shape[0] // height, shape[1] // width)
    whole = (height * factor[0], width * factor[1]) == shape[:2]
    if not whole or ("nearest" not in op.kind and (height, width) != (1, 1)):
        raise op.error(f"only nearest-neighbour up-sampling by whole factors, not of "
                       f"{(height, width)!r} to {shape[:2]!r}")
    if factor == (1, 1):
        op.pass_on(value)
        return
    op.emit(lambda name: FloatUpsample(name, (value.layer,), shape, factor), axes)


def pixel_shuffle(op: GraphNode) -> None:
    """Make pixels of channels."""
    value, axes = channels_first(op, op.value("self"), 4)
    block = op.arguments["upscale_factor"]
    if value.exclusive:
        op.walk.private.add(_spread(op, value, block, axes))
    else:
        _spread(op, value, block, axes)


def _spread(op: GraphNode, value: TracedMap, block: int, axes: str) -> str:
    height, width, channels = value.map
    shape = (height * block, width * block, channels // block**2)
    op.emit(lambda name: FloatDepthToSpace(name, (value.layer,), shape, block), axes)
    return op.walk.values[op.node].layer


def pixel_unshuffle(op: GraphNode) -> None:
    """Make channels of pixels: a convolution each of whose channels takes one pixel of a block."""
    value, axes = channels_first(op, op.value("self"), 4)
    block = op.arguments["downscale_factor"]
    height, width, channels = value.map
    weight = torch.eye(block**2).reshape(block**2, 1, block, block).repeat(channels, 1, 1, 1)
    shape = (height // block, width // block, channels * block**2)
    op.emit(lambda name: FloatConv(
        name, (value.layer,), shape, "conv", weight, torch.zeros(len(weight)), (block, block),
        (0, 0, 0, 0), UNBOUNDED, channels), axes)


def channel_shuffle(op: GraphNode) -> None:
    """Put channels in another order."""
    value, axes = channels_first(op, op.value("input" if "input" in op.arguments else "self"), 4)
    channels, groups = value.map[2], op.arguments["groups"]
    order = torch.arange(channels).reshape(groups, -1).T.flatten()
    op.emit(lambda name: FloatSelect(
        name, (value.layer,), value.map, tuple(order.tolist()), (1, 1), UNBOUNDED), axes)


@dataclass(frozen=True)
class _Phases:
    """How a transposed convolution along one axis is a convolution and a pixel shuffle.

    Output pixel ``y`` of block ``a`` and phase ``b``, ``y = stride * a + b``, is the sum of the
    kernel's positions ``j`` times input pixels ``i`` with ``stride * i + dilation * j = y +
    padding``.

    Members
    -------
    taps:
        For each phase and each position of the new kernel the position of the transposed
        convolution's kernel that it has, or -1.
    before, after:
        Zero pixels around the input.
    blocks:
        Number of blocks.
    """

    taps: list[list[int]]
    before: int
    after: int
    blocks: int


def _phases(size: int, made: int, kernel: int, stride: int, padding: int,
            dilation: int) -> _Phases:
    found = {}
    for phase in range(stride):
        for position in range(kernel):
            offset, rest = divmod(phase + padding - dilation * position, stride)
            if not rest:
                found[phase, offset] = position
    blocks = -(-made // stride)
    offsets = [offset for _, offset in found]
    first, last = min([0, *offsets]), max([*offsets, size - blocks])
    taps = [[found.get((phase, offset), -1) for offset in range(first, last + 1)]
            for phase in range(stride)]
    return _Phases(taps, -first, blocks - 1 + last - (size - 1), blocks)


def transposed_convolution(op: GraphNode) -> None:
    """Make a convolution that computes whole blocks of pixels as channels, and a pixel shuffle.

    Raises
    ------
    VqromError
        If the strides are two different numbers above 1.
    """
    weight = op.weight()
    value, axes = channels_first(op, op.value("input"), weight.dim())
    stride = along(axes, op.arguments["stride"], 1)
    block = max(stride)
    if stride[0] != stride[1] and min(stride) > 1:
        raise op.error(f"stride must be the same along both axes, not {stride!r}")
    sizes = dict(zip(axes[2:], op.shape[2:], strict=True))
    made = (sizes.get("H", 1), sizes.get("W", 1))
    kernel = as_image_kernel(axes, weight)
    dilation, padding = along(axes, op.arguments["dilation"], 1), along(
        axes, op.arguments["padding"], 0)
    rows, columns = (_phases(value.map[axis], made[axis], kernel.shape[2 + axis], stride[axis],
                             padding[axis], dilation[axis]) for axis in (0, 1))
    groups = op.arguments["groups"]
    new = _block_kernel(_output_first(kernel, groups), rows, columns, block)
    bias = bias_of(op, len(new) // block**2).repeat_interleave(block**2)
    conv = op.walk.append(lambda name: FloatConv(
        name, (value.layer,), (rows.blocks, columns.blocks, len(new)), "conv", new, bias, (1, 1),
        (rows.before, columns.before, rows.after, columns.after), UNBOUNDED, groups),
        op.path, op.kind)
    result = TracedMap(conv.name, conv.shape, layout_of(conv.shape, *axes), True)
    _assemble(op, result, axes, stride, made)


def _output_first(kernel: torch.Tensor, groups: int) -> torch.Tensor:
    """The kernel ``[C_in, C_out / groups, y, x]`` as ``[C_out, C_in / groups, y, x]``."""
    parts = kernel.reshape(groups, -1, *kernel.shape[1:]).transpose(1, 2)
    return parts.reshape(-1, *parts.shape[2:])


def _block_kernel(kernel: torch.Tensor, rows: _Phases, columns: _Phases,
                  block: int) -> torch.Tensor:
    """The kernel whose output channel ``(c * block + y) * block + x`` is pixel ``(y, x)``."""
    count, inputs = kernel.shape[:2]
    made = torch.zeros(count, block, block, inputs, len(rows.taps[0]), len(columns.taps[0]))
    for y, row in enumerate(rows.taps):
        for x, column in enumerate(columns.taps):
            for place_y, tap_y in enumerate(row):
                for place_x, tap_x in enumerate(column):
                    if tap_y >= 0 and tap_x >= 0:
                        made[:, y, x, :, place_y, place_x] = kernel[:, :, tap_y, tap_x]
    return made.reshape(count * block**2, *made.shape[3:])


def _assemble(op: GraphNode, value: TracedMap, axes: str, stride: tuple[int, int],
              made: tuple[int, int]) -> None:
    """Make pixels of the channels, and take off what is too much."""
    block = max(stride)
    height, width, channels = value.map
    if block > 1:
        shape = (height * block, width * block, channels // block**2)
        shuffle = op.walk.append(lambda name: FloatDepthToSpace(
            name, (value.layer,), shape, block), op.path, op.kind)
        op.walk.private.add(shuffle.name)
        value = TracedMap(shuffle.name, shape, layout_of(shape, *axes), True)
    if stride != (block, block):
        step = (block // stride[0], block // stride[1])
        shape = (-(-value.map[0] // step[0]), -(-value.map[1] // step[1]), value.map[2])
        source = value.layer
        thinned = op.walk.append(lambda name: FloatSelect(
            name, (source,), shape, tuple(range(shape[2])), step, UNBOUNDED), op.path, op.kind)
        value = TracedMap(thinned.name, shape, layout_of(shape, *axes), True)
    if value.map[:2] != made:
        value = _cut(op, value, axes, made)
    op.pass_on(value)


def _cut(op: GraphNode, value: TracedMap, axes: str, made: tuple[int, int]) -> TracedMap:
    """Take rows and columns off at the bottom and right: a depthwise convolution."""
    height, width, channels = value.map
    weight = torch.zeros(channels, 1, height - made[0] + 1, width - made[1] + 1)
    weight[:, :, 0, 0] = 1
    shape = (*made, channels)
    layer = op.walk.append(lambda name: FloatConv(
        name, (value.layer,), shape, "conv", weight, torch.zeros(channels), (1, 1), (0, 0, 0, 0),
        UNBOUNDED, channels), op.path, "crop")
    return TracedMap(layer.name, shape, layout_of(shape, *axes), True)
