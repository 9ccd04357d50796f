"""Layers as records and tensors of a ``.vqnet`` file, and back."""

from __future__ import annotations

import numpy as np

from vqrom_hw.codebook_shape import index_width
from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import MAX_SHIFT, MIN_SHIFT, Quantization, Requantization
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

from .index_packing import pack, packed_bytes, unpack
from .layer_checks import check_record
from .records import (
    AddRecord,
    AnyLayerRecord,
    AveragePoolRecord,
    ConvRecord,
    FixedPoint,
    GlobalAveragePoolRecord,
    HostRecord,
    MaxPoolRecord,
    NetworkRecord,
    QuantizationRecord,
    Shape,
    SoftmaxRecord,
    StepRecord,
)

Tensors = dict[str, np.ndarray]
"""The file's tensors; those of layer ``n`` are called ``n.NAME``."""


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
            return AveragePoolRecord(**common, kernel=layer.kernel, stride=layer.stride,
                                       padding=layer.padding, clamp=layer.clamp)
        case Softmax():
            return SoftmaxRecord(**common, multiplier=layer.multiplier, shift=layer.shift)
        case GlobalAveragePool():
            factor = _fixed_point(layer.requantization)
            return GlobalAveragePoolRecord(**common, requantization=factor)
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
            return _conv(record, number, network, tensors, input_shapes[0])
        case MaxPoolRecord():
            return MaxPool(*common, record.kernel, record.stride, record.padding)
        case GlobalAveragePoolRecord():
            return GlobalAveragePool(*common, _requantization(record.requantization))
        case AddRecord():
            first, second = map(_requantization, record.input_requantization)
            return Add(*common, (first, second), _requantization(record.requantization),
                       record.clamp)
        case AveragePoolRecord():
            return AveragePool(*common, record.kernel, record.stride, record.padding, record.clamp)
        case SoftmaxRecord():
            return Softmax(*common, record.multiplier, record.shift)
        case HostRecord():
            return _host(record, number, tensors)


def _conv(record: ConvRecord, number: int, network: NetworkRecord, tensors: Tensors,
          source: Shape) -> Conv:
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
    if (multiplier < 0).any() or (shift < MIN_SHIFT).any() or (shift > MAX_SHIFT).any():
        raise VqromError(f"layer {record.name!r}: multipliers must not be negative and shifts be "
                         f"in {MIN_SHIFT}..{MAX_SHIFT}")
    raw = indices = None
    if record.weights == "raw":
        raw = take("raw", np.int8, channels, *record.kernel, reduced)
    else:
        if network.codewords is None or network.subvector is None:
            raise VqromError(f"layer {record.name!r}: indices must have a codebook")
        shape = (channels, *record.kernel, -(-reduced // network.subvector))
        count, width = int(np.prod(shape)), index_width(network.codewords)
        packed = take("index", np.uint8, packed_bytes(count, width))
        indices = unpack(packed, count, width).reshape(shape)
        if int(indices.max()) >= network.codewords:
            raise VqromError(f"layer {record.name!r}: indices must be below {network.codewords}, "
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


def quantization_record(value: Quantization) -> QuantizationRecord:
    """The record of a scale and zero point."""
    return QuantizationRecord(scale=value.scale, zero_point=value.zero_point)


def quantization(record: QuantizationRecord) -> Quantization:
    """The scale and zero point that a record holds."""
    return Quantization(record.scale, record.zero_point)


def _fixed_point(requantization: Requantization) -> FixedPoint:
    return FixedPoint(multiplier=int(requantization.multiplier[0]),
                      shift=int(requantization.shift[0]))


def _requantization(fixed: FixedPoint) -> Requantization:
    return Requantization(np.array([fixed.multiplier], np.int32), np.array([fixed.shift], np.int8))
