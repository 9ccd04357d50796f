"""Checks of a layer's record: do its fields and its inputs' shapes follow from each other?"""

from __future__ import annotations

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import MAX_CHANNELS

from .records import (
    AddRecord,
    AnyLayerRecord,
    AveragePoolRecord,
    ConvRecord,
    GlobalAveragePoolRecord,
    HostRecord,
    Shape,
    SoftmaxRecord,
)


def check_record(record: AnyLayerRecord, input_shapes: list[Shape]) -> None:
    """Refuse a record that no layer with these inputs can have.

    Parameters
    ----------
    record:
        The layer's record.
    input_shapes:
        Shape ``(H, W, C)`` of each feature map that the layer reads.

    Raises
    ------
    VqromError
        If the number of inputs, the shape of the output, the groups, the padding or the clamp is
        wrong; the message names the layer.
    """
    if isinstance(record, HostRecord):
        _check_host(record, input_shapes)
        return
    wanted = 2 if isinstance(record, AddRecord) else 1
    if len(input_shapes) != wanted:
        raise VqromError(f"layer {record.name!r} ({record.kind}) must have {wanted} inputs, "
                         f"not {len(input_shapes)}")
    _check_fields(record, input_shapes[0][2])
    expected = _output_shapes(record, input_shapes)
    if expected != {record.shape}:
        raise VqromError(f"layer {record.name!r} ({record.kind}): shape must be "
                         f"{' and '.join(map(str, sorted(expected)))}, not {record.shape!r}")
    if isinstance(record, ConvRecord | AddRecord | AveragePoolRecord) \
            and record.clamp[0] > record.clamp[1]:
        raise VqromError(f"layer {record.name!r}: clamp must be a range, not {record.clamp!r}")


def _check_host(record: HostRecord, input_shapes: list[Shape]) -> None:
    sizes = [int(np.prod(shape)) for shape in record.input_shapes]
    if sizes != [int(np.prod(shape)) for shape in input_shapes] or not sizes:
        raise VqromError(f"layer {record.name!r} (host): inputs must have the elements of "
                         f"{input_shapes!r}, not of {record.input_shapes!r}")


def _check_fields(record: AnyLayerRecord, channels: int) -> None:
    """Refuse fields that do not fit each other or the number of input channels."""
    if isinstance(record, SoftmaxRecord) and channels > MAX_CHANNELS:
        raise VqromError(f"layer {record.name!r} (softmax) must have at most {MAX_CHANNELS} "
                         f"channels, not {channels!r}")
    if isinstance(record, AveragePoolRecord) and any(
            part >= size for part, size in zip(record.padding, record.kernel * 2, strict=True)):
        raise VqromError(f"layer {record.name!r}: padding must be smaller than the kernel "
                         f"{record.kernel!r}, not {record.padding!r}")
    if isinstance(record, ConvRecord) and (channels % record.groups
                                           or record.shape[2] % record.groups):
        raise VqromError(f"layer {record.name!r}: groups must divide {channels} and "
                         f"{record.shape[2]} channels, not be {record.groups!r}")


def _output_shapes(record: AnyLayerRecord, input_shapes: list[Shape]) -> set[Shape]:
    """Shapes that the output must have; an addition of unlike inputs has more than one."""
    height, width, channels = input_shapes[0]
    match record:
        case AddRecord():
            return {input_shapes[0], input_shapes[1]}
        case GlobalAveragePoolRecord():
            return {(1, 1, channels)}
        case SoftmaxRecord():
            return {input_shapes[0]}
        case _:
            assert not isinstance(record, HostRecord)
            top, left, bottom, right = record.padding
            pooled = record.shape[2] if isinstance(record, ConvRecord) else channels
            return {((height + top + bottom - record.kernel[0]) // record.stride[0] + 1,
                     (width + left + right - record.kernel[1]) // record.stride[1] + 1, pooled)}
