"""Contents of the weight and parameter streams, in the order in which the units consume them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import Requantization

PARAMETER_BYTES = 9
"""Of one channel: bias, multiplier, shift."""


def pack_fields(values: np.ndarray, width: int) -> bytes:
    """Unsigned integers as fields of ``width`` <= 64 bits, least significant bit first."""
    if width in (8, 16, 32, 64):
        return values.astype(f"<u{width // 8}").tobytes()
    bits = (values.astype(np.uint64)[:, None] >> np.arange(width, dtype=np.uint64)) & np.uint64(1)
    return np.packbits(bits.astype(np.uint8).ravel(), bitorder="little").tobytes()


def parameter_packet(bias: np.ndarray, requantization: Requantization) -> bytes:
    """Bias, multiplier and shift (9 bytes) per channel, filled up with multiplier 0."""
    layout = np.dtype([("bias", "<i4"), ("multiplier", "<u4"), ("shift", "i1")])
    record = np.zeros(len(bias), layout)
    record["bias"] = bias
    record["multiplier"][:len(requantization.multiplier)] = requantization.multiplier
    record["shift"][:len(requantization.shift)] = requantization.shift
    return record.tobytes()


def fold_bias(name: str, bias: np.ndarray, zero_point: int, sums: np.ndarray) -> np.ndarray:
    """int64 ``[len(sums)]``: biases with the input's zero point folded in, 0 beyond the channels.

    Every lane that is read, also one beyond the input channels, carries the zero point, so ``sums``
    are over all of them.

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
    """Weights of a convolution as the array takes them.

    Members
    -------
    units:
        ``[C_out, kernel_y, kernel_x, U]``: uint16 indices of ``U`` sub-vectors, or int8 weights of
        ``U`` lanes.
    codewords:
        int8 ``[k, d]``.
    config:
        Accelerator.
    channels_out:
        Output channels, whole words.
    """

    units: np.ndarray
    codewords: np.ndarray
    config: AcceleratorConfig
    channels_out: int

    @property
    def raw(self) -> bool:
        """Weights, not indices."""
        return self.units.dtype == np.int8

    @cached_property
    def tiles(self) -> np.ndarray:
        """``[column tile, word, kernel row, kernel column, group, column]`` and, if raw, ``d``."""
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
        """Weights of column tiles ``first`` to ``end``."""
        ordered = np.ascontiguousarray(self.tiles[first:end])
        return ordered.tobytes() if self.raw \
            else pack_fields(ordered.ravel(), self.config.index_width)

    @cached_property
    def sums(self) -> np.ndarray:
        """int64 ``[channels_out]``: sum of all weights of an output channel."""
        values = self.tiles.astype(np.int64) if self.raw \
            else self.codewords.astype(np.int64).sum(1)[self.tiles]
        return values.sum((1, 2, 3, 4, *range(6, values.ndim))).ravel()


def fold_columns(units: np.ndarray, columns: int) -> np.ndarray:
    """Put ``columns`` kernel columns side by side into the lanes, zeros beyond the kernel."""
    count, kernel_y, kernel_x, width = units.shape
    chunks = -(-kernel_x // columns)
    padded = np.zeros((count, kernel_y, chunks * columns, width), units.dtype)
    padded[:, :, :kernel_x] = units
    return padded.reshape(count, kernel_y, chunks, columns * width)


def group_weights(raw: np.ndarray, groups: int, first: int, end: int,
                  lanes: tuple[int, int]) -> np.ndarray:
    """int8 ``[end - first, kernel_y, kernel_x, lanes]``: output channels of a grouped convolution
    with zeros for the input channels of ``lanes`` that their group does not see."""
    count, kernel_y, kernel_x, reduced = raw.shape
    full = np.zeros((end - first, kernel_y, kernel_x, lanes[1] - lanes[0]), np.int8)
    for channel in range(first, min(end, count)):
        start = channel // (count // groups) * reduced - lanes[0]
        full[channel - first, :, :, start:start + reduced] = raw[channel]
    return full
