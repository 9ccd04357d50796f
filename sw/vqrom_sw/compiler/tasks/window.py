"""TODO."""

from __future__ import annotations

from dataclasses import dataclass

from vqrom_hw.isa import Opcode, VectorOp
from vqrom_sw.arithmetic import HIGHEST, LOWEST
from vqrom_sw.compiler.feature_map import Rows
from vqrom_sw.compiler.operations import (
    Area,
    Operation,
    Packet,
    area,
    nest_fields,
    range_fields,
    rows_area,
    target_fields,
)

from .task import Task


def copy_rows(layer: int, source: Rows, target: Rows, first: int, end: int) -> Operation:
    """Rows ``first`` to ``end`` from one place of the activation buffer to another."""
    pitch, count = source.map.pitch, end - first
    base = target.address(first)
    fields = {
        "operation": VectorOp.MAX,
        **nest_fields([(1, 0, 0, 0), (1, 0, 0, 0), (pitch, 1, 0, 0), (count, pitch, 0, 0)],
                      source.address(first)),
        **target_fields(base, pitch, 1, pitch), **range_fields(0, (LOWEST, HIGHEST)),
    }
    return Operation(Opcode.VECTOR, layer, fields, (rows_area(source, first, end),),
                     (rows_area(target, first, end),))


@dataclass(eq=False)
class WindowTask(Task):
    """What slides a window over each channel word.

    Members
    -------
    kernel_columns, stride_columns, left:
        Window in x.
    clamp:
        Lowest and highest output.
    """

    kernel_columns: int = 1
    stride_columns: int = 1
    left: int = 0
    clamp: tuple[int, int] = (LOWEST, HIGHEST)

    operation = VectorOp.MAX

    def _command(self, block: tuple[int, int, int, int], words: tuple[int, int], source: Rows,
                 target: Rows, packets: tuple[Packet, ...] = (), **fields: int) -> Operation:
        """Output rows and pixels ``block`` of channel words ``words``."""
        (y0, y1, x0, x1), (first, end) = block, words
        depth, pitch, count = source.map.words, source.map.pitch, end - first
        top, left = y0 * self.stride_rows - self.top, x0 * self.stride_columns - self.left
        levels = self._levels((y1 - y0, x1 - x0, count), depth, pitch)
        base = target.address(y0, x0) + first
        out_pitch, out_words = target.map.pitch, target.map.words
        stride = 1 if count == out_words else out_words
        fields = {
            "operation": self.operation,
            **nest_fields(levels, source.address(top, left) + first, top - source.first, left,
                          source.end - source.first, source.map.width),
            **target_fields(base, (x1 - x0) * count, stride, out_pitch),
            **range_fields(0, self.clamp), **fields,
        }
        return Operation(
            Opcode.VECTOR, self.layer, fields, (self._read(block, words, source),),
            (area(base, y1 - y0, out_pitch, x1 - x0, out_words, count),), packets=packets)

    def _levels(self, outputs: tuple[int, int, int], depth: int,
                pitch: int) -> list[tuple[int, int, int, int]]:
        """Loops over windows of a map with ``depth`` words a pixel and ``pitch`` words a row."""
        rows, columns, words = outputs
        return [
            (self.kernel_columns, depth, 0, 1), (self.kernel_rows, pitch, 1, 0),
            (words, 1, 0, 0), (columns, self.stride_columns * depth, 0, self.stride_columns),
            (rows, self.stride_rows * pitch, self.stride_rows, 0),
        ]

    def _read(self, block: tuple[int, int, int, int], words: tuple[int, int],
              source: Rows) -> Area:
        feature_map = source.map
        first, end = self.needs(block[0], block[1])
        first, end = max(first, source.first), min(end, source.end)
        return area(source.address(first) + words[0], max(0, end - first), feature_map.pitch,
                    feature_map.width, feature_map.words, words[1] - words[0])

    def _words(self, split: bool) -> list[tuple[int, int]]:
        """All channel words at once, or one by one: what a target can describe."""
        words = self.output.words
        return [(word, word + 1) for word in range(words)] if split else [(0, words)]
