"""Layers to records of a ``.vqnet`` file and back, checked against the file's tensors."""

from __future__ import annotations

import numpy as np

from vqrom_hw.codebook import index_width
from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import MAX_CHANNELS, Quantization, Requantization
from vqrom_sw.network import (
    Add,
    AveragePool,
    Conv,
    GlobalAveragePool,
    Host,
    HostStep,
    Layer,
    MaxPool,
    Softmax,
    check_steps,
)

from .packing import pack, packed_bytes, unpack
from .records import (
    AddRecord,
    AveragePoolRecord,
    ConvRecord,
    FixedPoint,
    Graph,
    HostRecord,
    MaxPoolRecord,
    QuantizationRecord,
    Record,
    Shape,
    SoftmaxRecord,
    StepRecord,
    WindowAverageRecord,
)

Tensors = dict[str, np.ndarray]


def record_of(layer: Layer, number: int, codewords: int | None, tensors: Tensors) -> Record:
    """A layer's record; its arrays go into ``tensors`` as ``NUMBER.NAME``."""
    common = {"name": layer.name, "inputs": layer.inputs, "shape": layer.shape,
              "quantization": quantization_record(layer.quantization)}
    match layer:
        case Conv():
            arrays = {"bias": layer.bias, "scale": layer.weight_scale,
                      "multiplier": layer.requantization.multiplier,
                      "shift": layer.requantization.shift}
            if layer.raw is not None:
                arrays["raw"] = layer.raw
            else:
                assert layer.indices is not None and codewords is not None
                arrays["index"] = pack(layer.indices, index_width(codewords))
            tensors |= {f"{number}.{name}": array for name, array in arrays.items()}
            return ConvRecord(**common, kind=layer.kind, kernel=layer.kernel, stride=layer.stride,
                              padding=layer.padding, clamp=layer.clamp, groups=layer.groups,
                              weights="index" if layer.raw is None else "raw")
        case MaxPool():
            return MaxPoolRecord(**common, kernel=layer.kernel, stride=layer.stride,
                                 padding=layer.padding)
        case AveragePool():
            return WindowAverageRecord(**common, kernel=layer.kernel, stride=layer.stride,
                                       padding=layer.padding, clamp=layer.clamp)
        case Softmax():
            return SoftmaxRecord(**common, multiplier=layer.multiplier, shift=layer.shift)
        case GlobalAveragePool():
            return AveragePoolRecord(**common, requantization=_fixed_point(layer.requantization))
        case Add():
            first, second = map(_fixed_point, layer.input_requantization)
            return AddRecord(**common, input_requantization=(first, second), clamp=layer.clamp,
                             requantization=_fixed_point(layer.requantization))
        case Host():
            tensors |= {f"{number}.constant.{place}": np.asarray(constant, np.float32)
                        for place, constant in enumerate(layer.constants)}
            steps = tuple(StepRecord(op=step.op, arguments=step.arguments,
                                     keywords=dict(step.keywords)) for step in layer.steps)
            return HostRecord(**common, operation=layer.operation, steps=steps,
                              constants=len(layer.constants), input_shapes=layer.input_shapes)
        case _:
            raise TypeError(f"unknown layer class {type(layer).__name__}")


def layer_from_record(record: Record, number: int, graph: Graph, tensors: Tensors,
                      input_shapes: list[Shape]) -> Layer:
    """Undo :func:`record_of`; takes the layer's arrays out of ``tensors``.

    Raises
    ------
    VqromError
        If shapes do not follow from each other, or an array is missing or of another shape, type
        or range.
    """
    _check_inputs(record, input_shapes)
    common = (record.name, record.inputs, record.shape, quantization(record.quantization))
    match record:
        case ConvRecord():
            return _conv(record, number, graph, tensors, input_shapes[0])
        case MaxPoolRecord():
            return MaxPool(*common, record.kernel, record.stride, record.padding)
        case AveragePoolRecord():
            return GlobalAveragePool(*common, _requantization(record.requantization))
        case AddRecord():
            first, second = map(_requantization, record.input_requantization)
            return Add(*common, (first, second), _requantization(record.requantization),
                       record.clamp)
        case WindowAverageRecord():
            return AveragePool(*common, record.kernel, record.stride, record.padding, record.clamp)
        case SoftmaxRecord():
            return Softmax(*common, record.multiplier, record.shift)
        case HostRecord():
            return _host(record, number, tensors)


def _conv(record: ConvRecord, number: int, graph: Graph, tensors: Tensors, source: Shape) -> Conv:
    channels, reduced = record.shape[2], source[2] // record.groups

    def take(name: str, dtype: type, *shape: int) -> np.ndarray:
        array = tensors.pop(f"{number}.{name}", None)
        if array is None or array.dtype != dtype or array.shape != shape:
            found = "none" if array is None else f"{array.dtype} {array.shape!r}"
            raise VqromError(f"layer {record.name!r}: {name} must be {np.dtype(dtype)} {shape!r}, "
                             f"not {found}")
        return array

    bias, scale = take("bias", np.int32, channels), take("scale", np.float64, channels)
    multiplier = take("multiplier", np.int32, channels)
    shift = take("shift", np.int8, channels)
    if (multiplier < 0).any() or (shift < -31).any() or (shift > 7).any():
        raise VqromError(f"layer {record.name!r}: multipliers must not be negative and shifts be "
                         "in -31..7")
    raw = indices = None
    if record.weights == "raw":
        raw = take("raw", np.int8, channels, *record.kernel, reduced)
    else:
        if graph.codewords is None or graph.subvector is None:
            raise VqromError(f"layer {record.name!r}: indices must have a codebook")
        shape = (channels, *record.kernel, -(-reduced // graph.subvector))
        count, width = int(np.prod(shape)), index_width(graph.codewords)
        packed = take("index", np.uint8, packed_bytes(count, width))
        indices = unpack(packed, count, width).reshape(shape)
        if int(indices.max()) >= graph.codewords:
            raise VqromError(f"layer {record.name!r}: indices must be below {graph.codewords}, "
                             f"not {int(indices.max())!r}")
    return Conv(record.name, record.inputs, record.shape, quantization(record.quantization),
                record.kind, record.kernel, record.stride, record.padding, indices, raw, scale,
                bias, Requantization(multiplier, shift), record.clamp, record.groups)


def _host(record: HostRecord, number: int, tensors: Tensors) -> Host:
    constants = []
    for place in range(record.constants):
        constant = tensors.pop(f"{number}.constant.{place}", None)
        if constant is None or constant.dtype != np.float32:
            raise VqromError(f"layer {record.name!r}: constant {place} must be float32")
        constants.append(constant)
    steps = tuple(HostStep(step.op, step.arguments, step.keywords) for step in record.steps)
    check_steps(record.name, steps, len(record.inputs), len(constants))
    return Host(record.name, record.inputs, record.shape, quantization(record.quantization),
                record.operation, steps, tuple(constants), record.input_shapes)


def _check_inputs(record: Record, input_shapes: list[Shape]) -> None:
    if isinstance(record, HostRecord):
        sizes = [int(np.prod(shape)) for shape in record.input_shapes]
        if sizes != [int(np.prod(shape)) for shape in input_shapes] or not sizes:
            raise VqromError(f"layer {record.name!r} (host): inputs must have the elements of "
                             f"{input_shapes!r}, not of {record.input_shapes!r}")
        return
    wanted = 2 if isinstance(record, AddRecord) else 1
    if len(input_shapes) != wanted:
        raise VqromError(f"layer {record.name!r} ({record.kind}) must have {wanted} inputs, "
                         f"not {len(input_shapes)}")
    height, width, channels = input_shapes[0]
    if isinstance(record, SoftmaxRecord) and channels > MAX_CHANNELS:
        raise VqromError(f"layer {record.name!r} (softmax) must have at most {MAX_CHANNELS} "
                         f"channels, not {channels!r}")
    if isinstance(record, WindowAverageRecord) and any(
            part >= size for part, size in zip(record.padding, record.kernel * 2, strict=True)):
        raise VqromError(f"layer {record.name!r}: padding must be smaller than the kernel "
                         f"{record.kernel!r}, not {record.padding!r}")
    if isinstance(record, ConvRecord) and (channels % record.groups
                                           or record.shape[2] % record.groups):
        raise VqromError(f"layer {record.name!r}: groups must divide {channels} and "
                         f"{record.shape[2]} channels, not be {record.groups!r}")
    match record:
        case AddRecord():
            expected = {input_shapes[0], input_shapes[1]}
        case AveragePoolRecord():
            expected = {(1, 1, channels)}
        case SoftmaxRecord():
            expected = {input_shapes[0]}
        case _:
            top, left, bottom, right = record.padding
            pooled = record.shape[2] if isinstance(record, ConvRecord) else channels
            expected = {((height + top + bottom - record.kernel[0]) // record.stride[0] + 1,
                         (width + left + right - record.kernel[1]) // record.stride[1] + 1, pooled)}
    if expected != {record.shape}:
        raise VqromError(f"layer {record.name!r} ({record.kind}): shape must be "
                         f"{' and '.join(map(str, sorted(expected)))}, not {record.shape!r}")
    if isinstance(record, ConvRecord | AddRecord | WindowAverageRecord) \
            and record.clamp[0] > record.clamp[1]:
        raise VqromError(f"layer {record.name!r}: clamp must be a range, not {record.clamp!r}")


def quantization_record(value: Quantization) -> QuantizationRecord:
    """A quantisation as the file says it."""
    return QuantizationRecord(scale=value.scale, zero_point=value.zero_point)


def quantization(record: QuantizationRecord) -> Quantization:
    """Undo :func:`quantization_record`."""
    return Quantization(record.scale, record.zero_point)


def _fixed_point(requantization: Requantization) -> FixedPoint:
    return FixedPoint(multiplier=int(requantization.multiplier[0]),
                      shift=int(requantization.shift[0]))


def _requantization(fixed: FixedPoint) -> Requantization:
    return Requantization(np.array([fixed.multiplier], np.int32), np.array([fixed.shift], np.int8))
