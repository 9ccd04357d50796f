"""Padding by itself on the vector unit."""

from __future__ import annotations

from dataclasses import dataclass

from vqrom_hw.isa import VectorOp

from ...feature_map import BufferRows
from ...operations import Operation
from ..task import Block, Task, block_pieces
from .patch import Lanes, fill, patch_of, word_operation


@dataclass(eq=False, kw_only=True)
class PadTask(Task):
    """Pixels of a constant around the input; the kernel's padding says how many.

    Members
    -------
    channels:
        Channels of the map.
    value:
        The constant.
    """

    channels: int
    value: int

    def operations(self, first: int, end: int, sources: tuple[BufferRows, ...],
                   target: BufferRows, split: bool) -> list[Operation]:
        source, width = self.inputs[0], self.output.width
        top, left = self.kernel.top, self.kernel.left
        y0, y1 = (min(max(y, first), end) for y in (top, top + source.height))
        x0, x1 = left, left + source.width
        around = [Block(first, y0, 0, width), Block(y1, end, 0, width),
                  Block(y0, y1, 0, x0), Block(y0, y1, x1, width)]
        operations = [operation for block in around if block.pixels
                      for operation in self._fill(block, target)]
        if y0 < y1:
            inside = Block(y0, y1, x0, x1)
            words = (0, self.output.words)
            operations += [self._copy(piece, part, sources[0], target)
                           for piece, part in block_pieces(target, inside, words)]
        return operations

    def _copy(self, block: Block, words: tuple[int, int], source: BufferRows,
              target: BufferRows) -> Operation:
        """The operation for output pixels that are pixels of the input."""
        top, left = self.kernel.top, self.kernel.left
        moved = Block(block.y0 - top, block.y1 - top, block.x0 - left, block.x1 - left)
        return word_operation(self.layer, VectorOp.MAX, patch_of(source, moved, words),
                              patch_of(target, block, words))

    def _fill(self, block: Block, target: BufferRows) -> list[Operation]:
        """The operations for a block of padding; spare lanes hold the zero point."""
        words, spare = self.output.words, self.channels % self.config.rows
        operations = [fill(self.layer, patch_of(target, piece, part), self.value)
                      for piece, part in block_pieces(target, block, (0, words))]
        if spare and self.value != self.output.zero_point:
            last = patch_of(target, block, (words - 1, words))
            operations.append(fill(self.layer, last, self.output.zero_point, Lanes(first=spare)))
        return operations
