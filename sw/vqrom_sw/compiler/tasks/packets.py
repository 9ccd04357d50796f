"""Contents of packets: weights and parameters in the order in which the units consume them.

A packet is what one FETCH brings for one operation. The hardware has no addresses for constants: it
takes them from a FIFO in order, so that their order in DRAM is the order of the array's loops.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_hw.lib import parameter_layout
from vqrom_sw.arithmetic import Requantization
from vqrom_sw.network import Conv

PARAMETER_BYTES = parameter_layout.size // 8
"""Bytes of one output channel's parameters: bias, multiplier and shift."""


def pack_fields(values: np.ndarray, width: int) -> bytes:
    """Unsigned integers as fields of ``width`` <= 64 bits, least significant bit first."""
    if width in (8, 16, 32, 64):
        return values.astype(f"<u{width // 8}").tobytes()
    bits = (values.astype(np.uint64)[:, None] >> np.arange(width, dtype=np.uint64)) & np.uint64(1)
    return np.packbits(bits.astype(np.uint8).ravel(), bitorder="little").tobytes()


def parameter_packet(bias: np.ndarray, requantization: Requantization) -> bytes:
    """Parameters of output channels: int32 bias, uint32 multiplier and int8 shift for each.

    Where there are more biases than multipliers, the other channels do not exist: their multiplier
    is 0, so that they come out as the zero point.
    """
    layout = np.dtype([("bias", "<i4"), ("multiplier", "<u4"), ("shift", "i1")])
    record = np.zeros(len(bias), layout)
    record["bias"] = bias
    record["multiplier"][:len(requantization.multiplier)] = requantization.multiplier
    record["shift"][:len(requantization.shift)] = requantization.shift
    return record.tobytes()


def fold_bias(name: str, bias: np.ndarray, zero_point: int, sums: np.ndarray) -> np.ndarray:
    """Biases with the input's zero point folded in, int64 ``[len(sums)]``, 0 beyond the channels.

    The array multiplies activations as they are, so that ``zero_point`` times the sum of an output
    channel's weights has to be subtracted. Every lane that is read, also one beyond the input
    channels, carries the zero point: ``sums`` are over all of them.

    Raises
    ------
    VqromError
        If one does not fit int32.
    """
    folded = np.zeros(len(sums), np.int64)
    folded[:len(bias)] = bias - zero_point * sums[:len(bias)]
    largest = int(np.abs(folded).max())
    if largest >= 1 << 31:
        raise VqromError(f"layer {name!r}: folded bias must fit int32, not {largest!r}")
    return folded


@dataclass(frozen=True)
class KernelWeights:
    """Weights of a convolution in the order in which the array is filled with them.

    Members
    -------
    units:
        ``[C_out, kernel_y, kernel_x, U]``: uint16 indices of ``U`` sub-vectors, or int8 weights of
        ``U`` lanes.
    codewords:
        The codebook, int8 ``[k, d]``.
    config:
        Parameters of the accelerator that the program is for.
    channels_out:
        Output channels, filled up to whole words.
    """

    units: np.ndarray
    codewords: np.ndarray
    config: AcceleratorConfig
    channels_out: int

    @property
    def raw(self) -> bool:
        """Whether the units are weights, not indices."""
        return self.units.dtype == np.int8

    @cached_property
    def tiles(self) -> np.ndarray:
        """``[column tile, word, kernel row, kernel column, PE row, column]``; raw: ``[.., d]``."""
        config = self.config
        word = config.rows if self.raw else config.pe_rows
        count, kernel_y, kernel_x, units = self.units.shape
        padded = np.zeros((self.channels_out, kernel_y, kernel_x, -(-units // word) * word),
                          self.units.dtype)
        padded[:count, :, :, :units] = self.units
        rest = (config.subvector,) if self.raw else ()
        split = padded.reshape(-1, config.columns, kernel_y, kernel_x, padded.shape[3] // word,
                               config.pe_rows, *rest)
        return np.moveaxis(split, (0, 4, 2, 3, 5, 1), (0, 1, 2, 3, 4, 5))

    def packet(self, first: int, end: int) -> bytes:
        """The packet for column tiles ``first`` to ``end``."""
        ordered = np.ascontiguousarray(self.tiles[first:end])
        return ordered.tobytes() if self.raw \
            else pack_fields(ordered.ravel(), self.config.index_width)

    @cached_property
    def sums(self) -> np.ndarray:
        """The sum of all weights of each output channel, int64 ``[channels_out]``."""
        values = self.tiles.astype(np.int64) if self.raw \
            else self.codewords.astype(np.int64).sum(1)[self.tiles]
        return values.sum((1, 2, 3, 4, *range(6, values.ndim))).ravel()


def fold_columns(units: np.ndarray, columns: int) -> np.ndarray:
    """Put ``columns`` kernel columns side by side into the lanes, zeros beyond the kernel.

    ``[C_out, kernel_y, kernel_x, U]`` becomes ``[C_out, kernel_y, chunks, columns * U]``.
    """
    count, kernel_y, kernel_x, width = units.shape
    chunks = -(-kernel_x // columns)
    padded = np.zeros((count, kernel_y, chunks * columns, width), units.dtype)
    padded[:, :, :kernel_x] = units
    return padded.reshape(count, kernel_y, chunks, columns * width)


def expand_groups(raw: np.ndarray, groups: int, channels: tuple[int, int],
                  lanes: tuple[int, int]) -> np.ndarray:
    """Weights of a grouped convolution with zeros where a group does not look.

    Parameters
    ----------
    raw:
        int8 ``[C_out, kernel_y, kernel_x, C_in / groups]``.
    groups:
        Groups of the convolution.
    channels:
        First and end of the output channels.
    lanes:
        First and end of the input channels.

    Returns
    -------
    np.ndarray
        int8 ``[output channels, kernel_y, kernel_x, input channels]`` of those ranges.
    """
    first, end = channels
    count, kernel_y, kernel_x, reduced = raw.shape
    full = np.zeros((end - first, kernel_y, kernel_x, lanes[1] - lanes[0]), np.int8)
    for channel in range(first, min(end, count)):
        start = channel // (count // groups) * reduced - lanes[0]
        full[channel - first, :, :, start:start + reduced] = raw[channel]
    return full


def decode_weights(conv: Conv, codewords: np.ndarray) -> np.ndarray:
    """The int8 weights that a layer's indices stand for, those beyond its channels included."""
    assert conv.indices is not None
    return codewords[conv.indices].reshape(*conv.indices.shape[:3], -1)
