"""Pooling on the vector unit: the maximum or the mean of windows."""

from __future__ import annotations

from dataclasses import dataclass

from vqrom_hw.isa import VectorOp

from ..feature_map import BufferRows
from ..operations import Operation
from .task import Block, block_pieces
from .window import WindowTask

PRE_SHIFT = 4
"""Bits by which the sum of a window is shifted left before it is divided."""


def average_requantization(count: int) -> tuple[int, int, int]:
    """The left shift, multiplier and shift with which MBQM divides a sum by ``count``.

    MBQM is TFLite's ``MultiplyByQuantizedMultiplier``, the only way of rescaling that the hardware
    has. With these numbers it divides exactly as TFLite's pooling does: ties away from zero.

    Why: with ``f`` the right shift, the multiplier is ``2**(31 + f - PRE_SHIFT) / count`` rounded,
    off by at most ``2**-31`` of itself. So the high product is off by less than 1/2 from rounding
    and ``2**(f - 24)`` from the multiplier, in units of ``2**-f``; a mean that is no tie is at
    least ``1 / (2 count)`` from one, and ``2**f >= 2 count``: it rounds rightly. A tie is ``2**f``
    times an odd multiple of 1/2, an integer, which the high product hits exactly while
    ``2**(f - 24) < 1/2``: counts to ``2**19``.
    """
    shift = PRE_SHIFT + (count - 1).bit_length() - 1
    numerator = 1 << 31 + shift - PRE_SHIFT
    return PRE_SHIFT, (2 * numerator + count) // (2 * count), -shift


@dataclass(eq=False, kw_only=True)
class MaxPoolTask(WindowTask):
    """The maximum of each window; padding never wins."""

    def operations(self, first: int, end: int, sources: tuple[BufferRows, ...],
                   target: BufferRows, split: bool) -> list[Operation]:
        block = Block(first, end, 0, self.output.width)
        return [self._window_operation(piece, part, sources[0], target)
                for words in self._channel_words(split)
                for piece, part in block_pieces(target, block, words)]


@dataclass(eq=False, kw_only=True)
class AveragePoolTask(WindowTask):
    """The mean of each window over its pixels inside the map.

    Windows at the border have fewer pixels, so that their sums are divided by another number: each
    number of pixels takes an operation of its own, unless padding counts.

    Members
    -------
    count_padding:
        Whether padding counts as pixels that hold the zero point.
    """

    count_padding: bool = False

    @property
    def operation(self) -> VectorOp:
        return VectorOp.SUM

    def operations(self, first: int, end: int, sources: tuple[BufferRows, ...],
                   target: BufferRows, split: bool) -> list[Operation]:
        source, kernel = self.inputs[0], self.kernel
        if self.count_padding:
            block = Block(first, end, 0, self.output.width)
            return [self._mean(piece, kernel.rows * kernel.columns, part, sources[0], target)
                    for words in self._channel_words(split)
                    for piece, part in block_pieces(target, block, words)]
        rows = _equal_windows(range(first, end), kernel.rows, kernel.stride_rows, kernel.top,
                              source.height)
        columns = _equal_windows(range(self.output.width), kernel.columns, kernel.stride_columns,
                                 kernel.left, source.width)
        return [self._mean(piece, high * wide, part, sources[0], target)
                for words in self._channel_words(split)
                for y0, y1, high in rows for x0, x1, wide in columns
                for piece, part in block_pieces(target, Block(y0, y1, x0, x1), words)]

    def _mean(self, block: Block, pixels: int, words: tuple[int, int], source: BufferRows,
              target: BufferRows) -> Operation:
        pre_shift, multiplier, shift = average_requantization(pixels)
        return self._window_operation(block, words, source, target, pre_shift=pre_shift,
                                      multiplier=multiplier, shift=shift,
                                      pad_value=self.count_padding * source.map.zero_point)


def _equal_windows(positions: range, kernel: int, stride: int, before: int,
                   size: int) -> list[tuple[int, int, int]]:
    """Runs ``(first, end, pixels)`` of output positions with equally many pixels in the map."""
    runs: list[tuple[int, int, int]] = []
    for position in positions:
        start = position * stride - before
        inside = min(start + kernel, size) - max(start, 0)
        if runs and runs[-1][2] == inside:
            runs[-1] = (runs[-1][0], position + 1, inside)
        else:
            runs.append((position, position + 1, inside))
    return runs
