"""Pooling, addition and depthwise convolution on the vector unit."""

from __future__ import annotations

from dataclasses import dataclass

from vqrom_hw.isa import Opcode, VectorOp
from vqrom_sw.arithmetic import HIGHEST, LOWEST, Requantization
from vqrom_sw.compiler.feature_map import Rows
from vqrom_sw.compiler.operations import Operation, area, nest_fields, range_fields, target_fields

from .task import Task, word_parts
from .window import WindowTask

PRE_SHIFT = 4
"""Of sums to be averaged."""


def average_requantization(count: int) -> tuple[int, int, int]:
    """Left shift, multiplier and shift with which MBQM divides by ``count``, ties away from zero.

    With ``f`` the right shift, the multiplier is ``2**(31 + f - PRE_SHIFT) / count`` rounded, off
    by at most ``2**-31`` of itself. So the high product is off by less than 1/2 from rounding and
    ``2**(f - 24)`` from the multiplier, in units of ``2**-f``; a mean that is no tie is at least
    ``1 / (2 count)`` from one, and ``2**f >= 2 count``: it rounds rightly. A tie is ``2**f`` times
    an odd multiple of 1/2, an integer, which the high product hits exactly while
    ``2**(f - 24) < 1/2``: counts to ``2**19``.
    """
    shift = PRE_SHIFT + (count - 1).bit_length() - 1
    numerator = 1 << 31 + shift - PRE_SHIFT
    return PRE_SHIFT, (2 * numerator + count) // (2 * count), -shift


@dataclass(eq=False)
class MaxPoolTask(WindowTask):
    """Maximum of each window."""

    def operations(self, first: int, end: int, sources: tuple[Rows, ...], target: Rows,
                   split: bool) -> list[Operation]:
        block = (first, end, 0, self.output.width)
        return [self._command(block, words, sources[0], target) for words in self._words(split)]


@dataclass(eq=False)
class AveragePoolTask(WindowTask):
    """Mean of each window without its padding: a command for each count of pixels."""

    operation = VectorOp.SUM

    def operations(self, first: int, end: int, sources: tuple[Rows, ...], target: Rows,
                   split: bool) -> list[Operation]:
        source = self.inputs[0]
        rows = _runs(first, end, self.kernel_rows, self.stride_rows, self.top, source.height)
        columns = _runs(0, self.output.width, self.kernel_columns, self.stride_columns, self.left,
                        source.width)
        operations = []
        for words in self._words(split):
            for y0, y1, high in rows:
                for x0, x1, wide in columns:
                    pre_shift, multiplier, shift = average_requantization(high * wide)
                    operations.append(self._command(
                        (y0, y1, x0, x1), words, sources[0], target, pre_shift=pre_shift,
                        multiplier=multiplier, shift=shift))
        return operations


def _runs(first: int, end: int, kernel: int, stride: int, before: int,
          size: int) -> list[tuple[int, int, int]]:
    """Output positions with equally many pixels inside the map: ``(first, end, pixels)``."""
    runs: list[tuple[int, int, int]] = []
    for position in range(first, end):
        start = position * stride - before
        inside = min(start + kernel, size) - max(start, 0)
        if runs and runs[-1][2] == inside:
            runs[-1] = (runs[-1][0], position + 1, inside)
        else:
            runs.append((position, position + 1, inside))
    return runs


@dataclass(eq=False)
class GlobalAverageTask(Task):
    """Sum of the whole map, requantised; the output is one pixel."""

    requantization: Requantization = None  # type: ignore[assignment]

    def needs(self, first: int, end: int) -> tuple[int, int]:
        return 0, self.inputs[0].height

    def operations(self, first: int, end: int, sources: tuple[Rows, ...], target: Rows,
                   split: bool) -> list[Operation]:
        source, scale = sources[0], self.requantization
        feature_map = source.map
        operations = []
        for word, stop in word_parts(feature_map.words, split):
            base, count = target.address(0) + word, stop - word
            fields = {
                "operation": VectorOp.SUM,
                **nest_fields([(feature_map.width, feature_map.words, 0, 0),
                               (feature_map.height, feature_map.pitch, 0, 0), (count, 1, 0, 0)],
                              source.address(0) + word),
                "bias": -feature_map.width * feature_map.height * feature_map.zero_point,
                "multiplier": int(scale.multiplier[0]), "shift": int(scale.shift[0]),
                **target_fields(base, count, 1, 0),
                **range_fields(self.output.zero_point, (LOWEST, HIGHEST)),
            }
            read = area(source.address(0) + word, feature_map.height, feature_map.pitch,
                        feature_map.width, feature_map.words, count)
            operations.append(Operation(Opcode.VECTOR, self.layer, fields, (read,),
                                        (area(base, 1, 0, 1, 0, count),)))
        return operations
