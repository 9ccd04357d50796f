"""Checks of a layer's record: do its fields and its inputs' shapes follow from each other?"""

from __future__ import annotations

import math

from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import MAX_CHANNELS

from .records import (
    AnyLayerRecord,
    AveragePoolRecord,
    ConcatRecord,
    ConvRecord,
    DepthToSpaceRecord,
    ElementwiseRecord,
    GlobalAveragePoolRecord,
    HostRecord,
    LstmRecord,
    MaxPoolRecord,
    NativeRecord,
    PadRecord,
    SelectRecord,
    Shape,
    SoftmaxRecord,
    TableRecord,
    UpsampleRecord,
    WindowRecord,
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
    wanted = 2 if isinstance(record, ElementwiseRecord) else 1
    if isinstance(record, ConcatRecord):
        wanted = len(record.input_requantization)
    if len(input_shapes) != wanted:
        raise VqromError(f"layer {record.name!r} ({record.kind}) must have {wanted} inputs, "
                         f"not {len(input_shapes)}")
    _check_fields(record, input_shapes)
    expected = _output_shape(record, input_shapes)
    if expected != record.shape:
        raise VqromError(f"layer {record.name!r} ({record.kind}): shape must be {expected!r}, "
                         f"not {record.shape!r}")
    if isinstance(record, ConvRecord | ElementwiseRecord | AveragePoolRecord | SelectRecord) \
            and record.clamp[0] > record.clamp[1]:
        raise VqromError(f"layer {record.name!r}: clamp must be a range, not {record.clamp!r}")


def check_native(what: str, native: NativeRecord, shape: Shape) -> None:
    """Refuse a view of a feature map ``(H, W, C)`` that has not as many elements.

    Raises
    ------
    VqromError
        The message begins with ``what``.
    """
    if math.prod(native.sizes) != math.prod(shape):
        raise VqromError(f"{what} must have the elements of {shape!r}, not of {native.sizes!r}")


def _check_host(record: HostRecord, input_shapes: list[Shape]) -> None:
    where = f"layer {record.name!r} (host)"
    if not input_shapes or len(record.inputs_native) != len(input_shapes):
        raise VqromError(f"{where} must have a shape for each of its inputs, at least one, "
                         f"not {len(record.inputs_native)} for {len(input_shapes)}")
    for native, shape in zip(record.inputs_native, input_shapes, strict=True):
        check_native(f"{where}: inputs", native, shape)
    check_native(f"{where}: result", record.native, record.shape)


def _check_fields(record: AnyLayerRecord, input_shapes: list[Shape]) -> None:
    """Refuse fields that do not fit each other or the shapes of the inputs."""
    channels = input_shapes[0][2]
    if isinstance(record, SoftmaxRecord) and channels > MAX_CHANNELS:
        raise VqromError(f"layer {record.name!r} (softmax) must have at most {MAX_CHANNELS} "
                         f"channels, not {channels!r}")
    if isinstance(record, AveragePoolRecord) and any(
            part >= size for part, size in zip(record.padding, record.kernel * 2, strict=True)):
        raise VqromError(f"layer {record.name!r}: padding must be smaller than the kernel "
                         f"{record.kernel!r}, not {record.padding!r}")
    if isinstance(record, PadRecord):
        _check_margins(record, input_shapes[0])
    if isinstance(record, ConvRecord) and (channels % record.groups
                                           or record.shape[2] % record.groups):
        raise VqromError(f"layer {record.name!r}: groups must divide {channels} and "
                         f"{record.shape[2]} channels, not be {record.groups!r}")
    if isinstance(record, TableRecord) and record.tables not in (1, channels):
        raise VqromError(f"layer {record.name!r}: tables must be 1 or {channels}, "
                         f"not {record.tables!r}")
    if isinstance(record, LstmRecord) and input_shapes[0][1] != 1:
        raise VqromError(f"layer {record.name!r} (lstm): its input must be one pixel wide, "
                         f"not {input_shapes[0][1]!r}")
    if isinstance(record, DepthToSpaceRecord) and channels % record.block**2:
        raise VqromError(f"layer {record.name!r}: block must divide {channels} channels by its "
                         f"square, not be {record.block!r}")
    _check_operands(record, input_shapes)


def _check_margins(record: PadRecord, shape: Shape) -> None:
    """Refuse a padding that takes off more than there is."""
    top, left, bottom, right = (min(part, 0) for part in record.padding)
    if min(shape[0] + top + bottom, shape[1] + left + right) < 1:
        raise VqromError(f"layer {record.name!r} (pad): a pixel of {shape!r} must be left, "
                         f"not be taken off by padding {record.padding!r}")


def _check_operands(record: AnyLayerRecord, input_shapes: list[Shape]) -> None:
    """Refuse inputs of layers with several of them whose shapes do not fit each other."""
    first, last = input_shapes[0], input_shapes[-1]
    if isinstance(record, ElementwiseRecord):
        if last not in (first, (1, 1, first[2])):
            raise VqromError(f"layer {record.name!r} ({record.kind}): the second operand must be "
                             f"{first!r} or {(1, 1, first[2])!r}, not {last!r}")
        if (record.input_requantization is None) != (record.kind == "multiply"):
            raise VqromError(f"layer {record.name!r} ({record.kind}): multiply alone must have no "
                             "factors of its inputs")
    if isinstance(record, ConcatRecord) and len({shape[:2] for shape in input_shapes}) > 1:
        raise VqromError(f"layer {record.name!r} (concat): inputs must have one height and width, "
                         f"not {input_shapes!r}")


def _output_shape(record: AnyLayerRecord, input_shapes: list[Shape]) -> Shape:
    """The shape that the output must have."""
    height, width, channels = input_shapes[0]
    match record:
        case ElementwiseRecord() | SoftmaxRecord() | TableRecord():
            return input_shapes[0]
        case GlobalAveragePoolRecord():
            return 1, 1, channels
        case LstmRecord():
            return height, 1, record.shape[2]
        case ConcatRecord():
            return height, width, sum(shape[2] for shape in input_shapes)
        case SelectRecord():
            return -(-height // record.stride[0]), -(-width // record.stride[1]), record.shape[2]
        case PadRecord():
            top, left, bottom, right = record.padding
            return height + top + bottom, width + left + right, channels
        case UpsampleRecord():
            return height * record.factor[0], width * record.factor[1], channels
        case DepthToSpaceRecord():
            block = record.block
            return height * block, width * block, channels // block**2
        case _:
            assert isinstance(record, WindowRecord)
            return _window_shape(record, input_shapes[0])


def _window_shape(record: WindowRecord, source: Shape) -> Shape:
    """The shape of what a window makes of a map."""
    top, left, bottom, right = record.padding
    dilation = record.dilation if isinstance(record, ConvRecord | MaxPoolRecord) else (1, 1)
    reach = [(size - 1) * step + 1 for size, step in zip(record.kernel, dilation, strict=True)]
    channels = record.shape[2] if isinstance(record, ConvRecord) else source[2]
    return ((source[0] + top + bottom - reach[0]) // record.stride[0] + 1,
            (source[1] + left + right - reach[1]) // record.stride[1] + 1, channels)
