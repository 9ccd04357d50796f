"""The tensors of a ``.vqnet`` file: layers whose records alone do not hold them."""

from __future__ import annotations

import math

import numpy as np
import torch

from vqrom_hw.codebook_shape import index_width
from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import MAX_SHIFT, MIN_SHIFT, Requantization
from vqrom_sw.network import (
    GATES,
    Conv,
    Host,
    HostStep,
    Lstm,
    Select,
    Table,
    check_results,
    check_steps,
)

from .fields import native, quantization, requantization, requantizations
from .index_packing import packed_bytes, unpack
from .records import (
    ConvRecord,
    HostRecord,
    LstmRecord,
    NetworkRecord,
    SelectRecord,
    Shape,
    TableRecord,
)

Tensors = dict[str, np.ndarray]
"""The file's tensors; those of layer ``n`` are called ``n.NAME``."""


HOST_CONSTANTS = (np.float32, np.bool_, np.int64)
"""Types of the constants of host layers: numbers, masks, and places in a tensor."""


def take(tensors: Tensors, number: int, layer: str, name: str, dtype: type,
         *shape: int) -> np.ndarray:
    """Take a tensor out of the file's.

    Parameters
    ----------
    number, layer:
        Place and name of the layer that it belongs to.
    name:
        What it is called within the layer.
    dtype, shape:
        What it must have.

    Raises
    ------
    VqromError
        If it is missing, or of another type or shape.
    """
    array = tensors.pop(f"{number}.{name}", None)
    if array is None or array.dtype != dtype or array.shape != shape:
        found = "none" if array is None else f"{array.dtype} {array.shape!r}"
        raise VqromError(f"layer {layer!r}: {name} must be {np.dtype(dtype)} {shape!r}, "
                         f"not {found}")
    return array


def read_conv(record: ConvRecord, number: int, network: NetworkRecord, tensors: Tensors,
              source: Shape) -> Conv:
    """Make a convolution of its record, and of tensors that are taken out of the file's."""
    channels, reduced = record.shape[2], source[2] // record.groups

    def own(name: str, dtype: type, *shape: int) -> np.ndarray:
        return take(tensors, number, record.name, name, dtype, *shape)

    bias, scale = own("bias", np.int32, channels), own("scale", np.float64, channels)
    multiplier = own("multiplier", np.int32, channels)
    shift = own("shift", np.int8, channels)
    if (multiplier < 0).any() or (shift < MIN_SHIFT).any() or (shift > MAX_SHIFT).any():
        raise VqromError(f"layer {record.name!r}: multipliers must not be negative and shifts be "
                         f"in {MIN_SHIFT}..{MAX_SHIFT}")
    raw = indices = None
    if record.weights == "raw":
        raw = own("raw", np.int8, channels, *record.kernel, reduced)
    else:
        if network.codewords is None or network.subvector is None:
            raise VqromError(f"layer {record.name!r}: indices must have a codebook")
        shape = (channels, *record.kernel, -(-reduced // network.subvector))
        count, width = math.prod(shape), index_width(network.codewords)
        packed = own("index", np.uint8, packed_bytes(count, width))
        indices = unpack(packed, count, width).reshape(shape)
        if int(indices.max()) >= network.codewords:
            raise VqromError(f"layer {record.name!r}: indices must be below {network.codewords}, "
                             f"not {int(indices.max())!r}")
    return Conv(record.name, record.inputs, record.shape, quantization(record.quantization),
                record.kind, record.kernel, record.stride, record.padding, indices, raw, scale,
                bias, Requantization(multiplier, shift), record.clamp, record.groups,
                record.dilation)


def read_host(record: HostRecord, number: int, tensors: Tensors, sources: list[Shape]) -> Host:
    """Make a host layer of its record, and of constants that are taken out of the file's.

    Nothing runs on real numbers: sizes of results are found before any of them is made.
    """
    constants = []
    for place in range(record.constants):
        constant = tensors.pop(f"{number}.constant.{place}", None)
        if constant is None or constant.dtype not in HOST_CONSTANTS:
            found = "none" if constant is None else str(constant.dtype)
            raise VqromError(f"layer {record.name!r}: constant {place} must be float32, bool or "
                             f"int64, not {found}")
        constants.append(constant)
    steps = tuple(HostStep(step.op, step.arguments, step.keywords) for step in record.steps)
    host = Host(record.name, record.inputs, record.shape, quantization(record.quantization),
                record.operation, steps, tuple(constants),
                tuple(map(native, record.inputs_native)), native(record.native))
    check_host(host, sources)
    return host


def check_host(host: Host, sources: list[Shape]) -> None:
    """Refuse a host layer whose steps are not allowed, do not fit, or make too many numbers.

    Parameters
    ----------
    sources:
        Shape ``(H, W, C)`` of each feature map that the layer reads.

    Raises
    ------
    VqromError
        The message names the layer and the operation.
    """
    check_steps(host.name, host.steps, len(host.inputs), len(host.constants))
    check_results(host.name, host.steps, sources, [torch.from_numpy(constant) for constant
                                                   in host.constants],
                  host.inputs_native, host.native, host.shape)


def read_table(record: TableRecord, number: int, tensors: Tensors) -> Table:
    """Make a table layer of its record, and of a table that is taken out of the file's."""
    table = take(tensors, number, record.name, "table", np.int8, record.tables, 256)
    return Table(record.name, record.inputs, record.shape, quantization(record.quantization),
                 record.operation, table)


def read_lstm(record: LstmRecord, number: int, tensors: Tensors, source: Shape) -> Lstm:
    """Make an LSTM of its record, and of weights and biases that are taken out of the file's
    tensors."""
    sums = GATES * record.shape[2]

    def own(name: str, dtype: type, *shape: int) -> np.ndarray:
        return take(tensors, number, record.name, name, dtype, *shape)

    return Lstm(record.name, record.inputs, record.shape, quantization(record.quantization),
                own("input_weights", np.int8, sums, source[2]),
                own("state_weights", np.int8, sums, record.shape[2]), own("bias", np.int32, sums),
                requantizations(record.input_requantization),
                requantizations(record.state_requantization),
                requantization(record.output_requantization), record.cell_bits, record.cell_clip)


def read_select(record: SelectRecord, number: int, tensors: Tensors, source: Shape) -> Select:
    """Make a selection of its record, and of channel numbers that are taken out of the file's
    tensors."""
    sources = take(tensors, number, record.name, "sources", np.int32, record.shape[2])
    if (sources < -1).any() or (sources >= source[2]).any():
        raise VqromError(f"layer {record.name!r}: sources must be -1 to {source[2] - 1}, "
                         f"not {int(sources.min())} to {int(sources.max())}")
    return Select(record.name, record.inputs, record.shape, quantization(record.quantization),
                  sources, record.stride, record.clamp)
