"""Windows on the vector unit: what pooling and depthwise convolutions have in common."""

from __future__ import annotations

from dataclasses import dataclass

from vqrom_hw.isa import Opcode, VectorOp
from vqrom_sw.arithmetic import HIGHEST, LOWEST

from ..feature_map import BufferRows
from ..operations import (
    Area,
    Level,
    Operation,
    Packet,
    area,
    nest_fields,
    range_fields,
    rows_area,
    target_fields,
)
from .moving import patch_of
from .task import Block, Task


def copy_rows(layer: int, source: BufferRows, target: BufferRows, first: int,
              end: int) -> Operation:
    """The operation that copies map rows ``first`` to ``end`` within the activation buffer.

    It is the maximum over windows of one word. Rows that two strips share are copied from one
    strip's place to the next one's in this way.
    """
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


@dataclass(eq=False, kw_only=True)
class WindowTask(Task):
    """A task that slides a window over each channel by itself.

    Members
    -------
    clamp:
        Lowest and highest output value.
    """

    clamp: tuple[int, int] = (LOWEST, HIGHEST)

    cuts_columns = True

    @property
    def operation(self) -> VectorOp:
        """What the vector unit does with the words of a window."""
        return VectorOp.MAX

    def _window_operation(self, block: Block, words: tuple[int, int], source: BufferRows,
                          target: BufferRows, packets: tuple[Packet, ...] = (),
                          **fields: int) -> Operation:
        """The operation that makes the pixels of a block in a range of channel words.

        ``fields`` are further columns of its command, which take precedence.
        """
        kernel = self.kernel
        top = block.y0 * kernel.stride_rows - kernel.top
        left = block.x0 * kernel.stride_columns - kernel.left
        written = patch_of(target, block, words)
        columns = {
            "operation": self.operation,
            **nest_fields(self._levels(block, written.words, source),
                          source.address(top, left) + words[0],
                          top - source.first, left, source.end - source.first, source.map.width),
            **written.target, **range_fields(0, self.clamp), **fields,
        }
        return Operation(Opcode.VECTOR, self.layer, columns,
                         (self._read_area(block, words, source),), (written.area,), packets=packets)

    def _levels(self, block: Block, words: int, source: BufferRows) -> list[Level]:
        """The loops: over the window's columns and rows, then channel words, columns and rows."""
        kernel, depth, pitch = self.kernel, source.step, source.pitch
        return [
            (kernel.columns, kernel.tap_columns * depth, 0, kernel.tap_columns),
            (kernel.rows, kernel.tap_rows * pitch, kernel.tap_rows, 0), (words, 1, 0, 0),
            (block.width, kernel.stride_columns * depth, 0, kernel.stride_columns),
            (block.height, kernel.stride_rows * pitch, kernel.stride_rows, 0),
        ]

    def _read_area(self, block: Block, words: tuple[int, int], source: BufferRows) -> Area:
        """The words that the block's windows lie in: whole map rows, the range's channel words."""
        first, end = self.needs(block.y0, block.y1)
        first, end = max(first, source.first), min(end, source.end)
        return area(source.address(first) + words[0], max(0, end - first), source.pitch,
                    source.map.width, source.step, words[1] - words[0])

    def _channel_words(self, split: bool) -> list[tuple[int, int]]:
        """All channel words at once, or each by itself."""
        words = self.output.words
        return [(word, word + 1) for word in range(words)] if split else [(0, words)]
