"""Padding by itself on the vector unit."""

from __future__ import annotations

from dataclasses import dataclass

from vqrom_hw.isa import VectorOp

from ...feature_map import BufferRows
from ...operations import Operation
from ..task import Block, Task, block_pieces
from .patch import Lanes, Patch, fill, patch_of, word_operation


@dataclass(eq=False, kw_only=True)
class PadTask(Task):
    """Pixels of a constant around the input; the kernel's padding says how many, negative numbers
    how many are taken off.

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
        x0, x1 = (min(max(x, 0), width) for x in (left, left + source.width))
        around = [Block(first, y0, 0, width), Block(y1, end, 0, width),
                  Block(y0, y1, 0, x0), Block(y0, y1, x1, width)]
        operations = [operation for block in around if block.pixels
                      for operation in self._fill(block, target)]
        if y0 < y1 and x0 < x1:
            inside = Block(y0, y1, x0, x1)
            words = (0, self.output.words)
            operations += [
                word_operation(self.layer, VectorOp.MAX, self._source(piece, part, sources[0]),
                               patch_of(target, piece, part))
                for piece, part in block_pieces(target, inside, words)
                if self._source(piece, part, sources[0]) != patch_of(target, piece, part)]
        return operations

    def viewed(self) -> tuple[int, int] | None:
        """Channel word and map row of the input at which the output lies there.

        Returns
        -------
        tuple or None
            None if anything but rows are taken off.
        """
        source, made, top = self.inputs[0], self.output, self.kernel.top
        inside = top <= 0 and made.height - top <= source.height
        return (0, -top) if inside and made.width == source.width and not self.kernel.left \
            else None

    def _source(self, block: Block, words: tuple[int, int], source: BufferRows) -> Patch:
        """The words of the input that become a block of the output."""
        top, left = self.kernel.top, self.kernel.left
        moved = Block(block.y0 - top, block.y1 - top, block.x0 - left, block.x1 - left)
        return patch_of(source, moved, words)

    def _fill(self, block: Block, target: BufferRows) -> list[Operation]:
        """The operations for a block of padding; spare lanes hold the zero point."""
        words, spare = self.output.words, self.channels % self.config.rows
        operations = [fill(self.layer, patch_of(target, piece, part), self.value)
                      for piece, part in block_pieces(target, block, (0, words))]
        if spare and self.value != self.output.zero_point:
            last = patch_of(target, block, (words - 1, words))
            operations.append(fill(self.layer, last, self.output.zero_point, Lanes(first=spare)))
        return operations
