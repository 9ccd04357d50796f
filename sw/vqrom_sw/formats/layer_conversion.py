"""Layers as records and tensors of a ``.vqnet`` file, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vqrom_hw.codebook_shape import index_width
from vqrom_sw.network import (
    AveragePool,
    Concat,
    Conv,
    DepthToSpace,
    Elementwise,
    GlobalAveragePool,
    Host,
    Layer,
    Lstm,
    MaxPool,
    Pad,
    Select,
    Softmax,
    Table,
    Upsample,
)

from .fields import (
    fixed_point,
    fixed_points,
    native_record,
    quantization,
    quantization_record,
    requantization,
)
from .index_packing import pack
from .layer_checks import check_record
from .layer_tensors import Tensors, read_conv, read_host, read_lstm, read_select, read_table
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
    NetworkRecord,
    PadRecord,
    SelectRecord,
    Shape,
    SoftmaxRecord,
    StepRecord,
    TableRecord,
    UpsampleRecord,
)


def record_of(layer: Layer, number: int, codewords: int | None, tensors: Tensors) -> AnyLayerRecord:
    """Make a layer's record, and put its arrays into ``tensors``.

    Parameters
    ----------
    layer:
        The layer.
    number:
        Its place in the network, which names its tensors.
    codewords:
        Number of codewords, which fixes the width of indices; None if no layer has indices.
    tensors:
        The file's tensors, to which those of the layer are added.
    """
    common = {"name": layer.name, "inputs": layer.inputs, "shape": layer.shape,
              "quantization": quantization_record(layer.quantization)}
    tensors |= {f"{number}.{name}": array for name, array in _arrays(layer, codewords).items()}
    match layer:
        case Conv():
            return ConvRecord(**common, kind=layer.kind, kernel=layer.kernel, stride=layer.stride,
                              padding=layer.padding, clamp=layer.clamp, groups=layer.groups,
                              dilation=layer.dilation,
                              weights="index" if layer.raw is None else "raw")
        case MaxPool():
            return MaxPoolRecord(**common, kernel=layer.kernel, stride=layer.stride,
                                 padding=layer.padding, dilation=layer.dilation)
        case AveragePool():
            return AveragePoolRecord(**common, kernel=layer.kernel, stride=layer.stride,
                                     padding=layer.padding, clamp=layer.clamp,
                                     count_padding=layer.count_padding)
        case Elementwise():
            given = layer.input_requantization
            return ElementwiseRecord(
                **common, kind=layer.operator, clamp=layer.clamp,
                input_requantization=None if given is None
                else (fixed_point(given[0]), fixed_point(given[1])),
                requantization=fixed_point(layer.requantization))
        case Host():
            steps = tuple(StepRecord(op=step.op, arguments=step.arguments,
                                     keywords=dict(step.keywords)) for step in layer.steps)
            return HostRecord(**common, operation=layer.operation, steps=steps,
                              constants=len(layer.constants),
                              inputs_native=tuple(map(native_record, layer.inputs_native)),
                              native=native_record(layer.native))
        case _:
            return _plain_record(layer, common)


def _plain_record(layer: Layer, common: Mapping[str, Any]) -> AnyLayerRecord:
    """The record of a layer with few fields of its own."""
    match layer:
        case Softmax():
            return SoftmaxRecord(**common, multiplier=layer.multiplier, shift=layer.shift)
        case Lstm():
            return LstmRecord.model_validate({
                **common, "cell_bits": layer.cell_bits, "cell_clip": layer.cell_clip,
                "input_requantization": fixed_points(layer.input_requantization),
                "state_requantization": fixed_points(layer.state_requantization),
                "output_requantization": fixed_point(layer.output_requantization)})
        case GlobalAveragePool():
            return GlobalAveragePoolRecord(**common,
                                           requantization=fixed_point(layer.requantization))
        case Table():
            return TableRecord(**common, operation=layer.operation, tables=len(layer.table))
        case Concat():
            return ConcatRecord(**common, input_requantization=tuple(
                map(fixed_point, layer.input_requantization)))
        case Select():
            return SelectRecord(**common, stride=layer.stride, clamp=layer.clamp)
        case Pad():
            return PadRecord(**common, padding=layer.padding, value=layer.value)
        case Upsample():
            return UpsampleRecord(**common, factor=layer.factor)
        case DepthToSpace():
            return DepthToSpaceRecord(**common, block=layer.block)
        case _:
            raise TypeError(f"unknown layer class {type(layer).__name__}")


def _arrays(layer: Layer, codewords: int | None) -> Tensors:
    """The arrays of a layer by their names within it."""
    match layer:
        case Conv():
            arrays = {"bias": layer.bias, "scale": layer.weight_scale,
                      "multiplier": layer.requantization.multiplier,
                      "shift": layer.requantization.shift}
            if layer.raw is not None:
                return arrays | {"raw": layer.raw}
            assert layer.indices is not None and codewords is not None
            return arrays | {"index": pack(layer.indices, index_width(codewords))}
        case Table():
            return {"table": layer.table}
        case Select():
            return {"sources": layer.sources}
        case Lstm():
            return {"input_weights": layer.input_weights,
                    "state_weights": layer.state_weights, "bias": layer.bias}
        case Host():
            return {f"constant.{place}": constant
                    for place, constant in enumerate(layer.constants)}
        case _:
            return {}


def layer_from_record(record: AnyLayerRecord, number: int, network: NetworkRecord, tensors: Tensors,
                      input_shapes: list[Shape]) -> Layer:
    """Undo :func:`record_of`: make the layer, and take its arrays out of ``tensors``.

    Parameters
    ----------
    record:
        The layer's record.
    number:
        Its place in the network, which names its tensors.
    network:
        The record of the whole network, which names the codebook's shape.
    tensors:
        The file's tensors, from which those of the layer are removed.
    input_shapes:
        Shape ``(H, W, C)`` of each feature map that the layer reads.

    Raises
    ------
    VqromError
        If shapes do not follow from each other, or an array is missing or of another shape, type
        or range.
    """
    check_record(record, input_shapes)
    common = (record.name, record.inputs, record.shape, quantization(record.quantization))
    match record:
        case ConvRecord():
            return read_conv(record, number, network, tensors, input_shapes[0])
        case TableRecord():
            return read_table(record, number, tensors)
        case SelectRecord():
            return read_select(record, number, tensors, input_shapes[0])
        case HostRecord():
            return read_host(record, number, tensors, input_shapes)
        case LstmRecord():
            return read_lstm(record, number, tensors, input_shapes[0])
        case MaxPoolRecord():
            return MaxPool(*common, record.kernel, record.stride, record.padding, record.dilation)
        case AveragePoolRecord():
            return AveragePool(*common, record.kernel, record.stride, record.padding, record.clamp,
                               record.count_padding)
        case GlobalAveragePoolRecord():
            return GlobalAveragePool(*common, requantization(record.requantization))
        case ElementwiseRecord():
            given = record.input_requantization
            return Elementwise(
                *common, record.kind,
                None if given is None else (requantization(given[0]), requantization(given[1])),
                requantization(record.requantization), record.clamp)
        case ConcatRecord():
            return Concat(*common, tuple(map(requantization, record.input_requantization)))
        case PadRecord():
            return Pad(*common, record.padding, record.value)
        case UpsampleRecord():
            return Upsample(*common, record.factor)
        case DepthToSpaceRecord():
            return DepthToSpace(*common, record.block)
        case SoftmaxRecord():
            return Softmax(*common, record.multiplier, record.shift)
