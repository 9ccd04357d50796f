"""Contents of the weight and parameter streams, in the order in which the array consumes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError

from .network import Conv, Requantization


def pack_fields(values: np.ndarray, width: int) -> bytes:
    """Unsigned integers as fields of ``width`` <= 64 bits, least significant bit first."""
    bits = (values.astype(np.uint64)[:, None] >> np.arange(width, dtype=np.uint64)) & np.uint64(1)
    return np.packbits(bits.astype(np.uint8).ravel(), bitorder="little").tobytes()


@dataclass(frozen=True)
class WeightPacket:
    """Weights of one COMPUTE.

    Members
    -------
    content:
        Packed indices, or raw bytes.
    tiles, column_tiles:
        Fills of the array; groups of ``columns`` output channels.
    bias:
        int64 ``[column_tiles * columns]`` with the input's zero point folded in.
    """

    content: bytes
    tiles: int
    column_tiles: int
    bias: np.ndarray


def weight_packet(layer: Conv, codewords: np.ndarray, config: AcceleratorConfig,
                  zero_point: int) -> WeightPacket:
    """Order a layer's weights by column tile, channel word, kernel row and column, group, column.

    Output channels are filled up to whole activation words. Every lane that is read, also one
    beyond ``C_in``, carries the input's zero point, so its weight is part of the folded bias.
    """
    channels_in = -(-_channels(layer, config) // config.rows) * config.rows
    channels_out = -(-layer.shape[2] // config.rows) * config.rows
    column_tiles = channels_out // config.columns
    kernel_y, kernel_x = layer.kernel
    per_word = config.groups
    if layer.raw is None:
        units = channels_in // config.subvector
        padded = np.zeros((channels_out, kernel_y, kernel_x, units), np.uint64)
        indices = layer.indices
        assert indices is not None
        padded[:indices.shape[0], :, :, :indices.shape[3]] = indices
        sums = codewords.astype(np.int64).sum(1)[padded.astype(np.int64)].sum((1, 2, 3))
    else:
        full = np.zeros((channels_out, kernel_y, kernel_x, channels_in), np.int8)
        full[:layer.raw.shape[0], :, :, :layer.raw.shape[3]] = layer.raw
        sums = full.astype(np.int64).sum((1, 2, 3))
        padded = full.reshape(*full.shape[:3], -1, config.subvector)
    tiled = padded.reshape(column_tiles, config.columns, kernel_y, kernel_x, -1, per_word,
                           *padded.shape[4:])
    ordered = np.moveaxis(tiled, (0, 4, 2, 3, 5, 1), (0, 1, 2, 3, 4, 5))
    content = (np.ascontiguousarray(ordered).tobytes() if layer.raw is not None
               else pack_fields(ordered.ravel(), config.index_width))
    bias = np.zeros(channels_out, np.int64)
    bias[:len(layer.bias)] = layer.bias
    bias -= zero_point * sums
    bias[len(layer.bias):] = 0
    if np.abs(bias).max() >= 1 << 31:
        raise VqromError(f"layer {layer.name!r}: folded bias must fit int32, "
                         f"not {int(np.abs(bias).max())!r}")
    tiles = ordered.size // (config.processing_elements
                             * (config.subvector if layer.raw is not None else 1))
    return WeightPacket(content, tiles, column_tiles, bias)


def _channels(layer: Conv, config: AcceleratorConfig) -> int:
    if layer.raw is not None:
        return layer.raw.shape[3]
    assert layer.indices is not None
    return layer.indices.shape[3] * config.subvector


def parameter_packet(bias: np.ndarray, requantization: Requantization) -> bytes:
    """Bias, multiplier and shift (9 bytes) per output channel, filled up with multiplier 0."""
    layout = np.dtype([("bias", "<i4"), ("multiplier", "<u4"), ("shift", "i1")])
    record = np.zeros(len(bias), layout)
    record["bias"] = bias
    record["multiplier"][:len(requantization.multiplier)] = requantization.multiplier
    record["shift"][:len(requantization.shift)] = requantization.shift
    return record.tobytes()


def uniform_parameters(bias: int, multiplier: int, shift: int, config: AcceleratorConfig) -> bytes:
    """The same parameters for all lanes of one pass."""
    ones = np.ones(config.columns, np.int64)
    return parameter_packet(ones * bias, Requantization(ones * multiplier, ones * shift))
