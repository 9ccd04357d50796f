"""Convolutions and matrix products on the array."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from amaranth.hdl import Shape

from vqrom_hw.isa import BODIES, Channel, Opcode, Stream
from vqrom_sw.network import Conv

from ..feature_map import BufferRows
from ..operations import (
    Operation,
    Packet,
    area,
    nest_fields,
    range_fields,
    rows_area,
    target_fields,
)
from .conv_constants import ConvConstants
from .handover import handover_ranges
from .packets import PARAMETER_BYTES
from .task import Block, Task, even_ranges, word_ranges

MOST_BEATS = (1 << Shape.cast(BODIES[Opcode.FETCH]["beats"].shape).width) - 1
"""Bus beats that one FETCH can bring."""


@dataclass(frozen=True)
class Piece:
    """The part of a convolution that one COMPUTE carries out for a block of pixels.

    A column tile is ``config.columns`` output channels: those that the array makes at once.

    Members
    -------
    first, end:
        Column tiles, one pass of the block's pixels each.
    word, words:
        First channel word of the input that they need, and how many.
    """

    first: int
    end: int
    word: int
    words: int

    @property
    def passes(self) -> int:
        """Column tiles of the piece."""
        return self.end - self.first


@dataclass(eq=False, kw_only=True)
class ConvTask(Task):
    """A convolution on the array; a linear layer is one whose kernel is its whole input.

    Members
    -------
    conv:
        The layer. Its weights may be absent if nothing asks for the contents of packets.
    codewords:
        The codebook, int8 ``[k, d]``.
    indexed:
        The layer has indices, not raw weights.
    folded:
        Kernel columns that lie side by side in the lanes of one word; 1 unless the input is
        folded. The task's ``kernel`` is the one after folding.
    group_channels:
        Input channels that one output channel sees.
    """

    conv: Conv = field(repr=False)
    codewords: np.ndarray = field(repr=False)
    indexed: bool
    folded: int = 1
    group_channels: int

    on_array = True
    cuts_columns = True
    hands_over = True

    @cached_property
    def column_tiles(self) -> int:
        """Column tiles of the whole output, which is whole words."""
        return self.output.words * self.config.rows // self.config.columns

    @cached_property
    def expanded(self) -> bool:
        """Whether it is a grouped convolution whose groups do not fill words and column tiles.

        Such a layer runs with raw weights, and zeros for the channels of other groups.
        """
        whole = (self.group_channels % self.config.rows == 0
                 and self.conv.shape[2] // self.conv.groups % self.config.columns == 0)
        return self.conv.groups > 1 and not whole

    @property
    def raw(self) -> bool:
        """Whether the array is fed with weights, not with indices."""
        return not self.indexed or self.expanded

    @cached_property
    def weight_bytes(self) -> int:
        """Bytes of all weights or indices of the layer, each once."""
        return sum(self._weights(piece).size for piece in self.pieces(False))

    @cached_property
    def tiles(self) -> int:
        """How often the array is filled with weights to make one block of pixels."""
        return sum(self._tiles(piece) for piece in self.pieces(False))

    @cached_property
    def constant_beats(self) -> int:
        """Bus beats of the weights and parameters that one block of pixels takes."""
        return sum(-(-packet.size // self.config.beat_bytes) for piece in self.pieces(False)
                   for packet in (self._weights(piece), self._parameters(piece)))

    def pieces(self, split: bool) -> list[Piece]:
        """The pieces that make all output channels: the more of them, the earlier the first."""
        if self.conv.groups == 1:
            return self._dense_pieces(0, self.output.words, split)
        pieces: list[Piece] = []
        for tile in range(self.column_tiles):
            word, words = self._words_of(tile)
            last = pieces[-1] if pieces else None
            if last and (last.word, last.words) == (word, words):
                pieces[-1] = Piece(last.first, tile + 1, word, words)
            else:
                pieces.append(Piece(tile, tile + 1, word, words))
        return pieces

    def _dense_pieces(self, word: int, stop: int, split: bool) -> list[Piece]:
        """Channel words ``word`` to ``stop`` of the output as pieces without groups.

        One FETCH can bring the weights of each.
        """
        config, words, depth = self.config, self.output.words, self.inputs[0].words
        per_word = config.rows // config.columns
        whole = self._weights(Piece(0, self.column_tiles, 0, depth)).size
        most = max(1, MOST_BEATS * config.beat_bytes * words // whole)
        return [Piece((word + first + low) * per_word, (word + first + high) * per_word, 0, depth)
                for first, end in word_ranges(stop - word, split)
                for low, high in even_ranges(end - first, most)]

    def _words_of(self, tile: int) -> tuple[int, int]:
        """First channel word and number of words that the groups of a column tile read."""
        columns, groups, channels = self.config.columns, self.conv.groups, self.group_channels
        per_group = self.conv.shape[2] // groups
        first = min(tile * columns // per_group, groups - 1)
        last = min(((tile + 1) * columns - 1) // per_group, groups - 1)
        word = first * channels // self.config.rows
        return word, -(-(last + 1) * channels // self.config.rows) - word

    def operations(self, first: int, end: int, sources: tuple[BufferRows, ...],
                   target: BufferRows, split: bool) -> list[Operation]:
        pieces = self.pieces(split)
        return [self._compute(piece, block, sources[0], target)
                for block in self.blocks(first, end, split) for piece in pieces]

    def led_operations(self, words: int, rows: tuple[tuple[int, int], ...],
                       sources: tuple[BufferRows, ...], target: BufferRows,
                       split: bool) -> list[Operation]:
        """As :meth:`operations`, with the first channel words in parts, some rows each.

        Parameters
        ----------
        words, rows:
            How many channel words, and the output rows of each part: see
            :class:`vqrom_sw.compiler.tasks.lead.Lead`.
        sources, target, split:
            As in :meth:`operations`.
        """
        width, total = self.output.width, self.output.words
        blocks = [Block(low, high, 0, width) for low, high in rows]
        whole = Block(rows[0][0], rows[-1][1], 0, width)
        computed = [(piece, block) for block in blocks
                    for piece in self._dense_pieces(0, words, split=False)]
        computed += [(piece, whole) for piece in self._dense_pieces(words, total, split)]
        return [self._compute(piece, block, sources[0], target) for piece, block in computed]

    def blocks(self, first: int, end: int, split: bool) -> list[Block]:
        """Output rows ``first`` to ``end`` as blocks of pixels that fit the accumulators.

        Blocks of fewer rows let the vector unit begin early, unless ``split`` channels do.
        """
        depth, width = self.config.accumulator_depth, self.output.width
        if width > depth:
            return [Block(y, y + 1, x0, x1)
                    for y in range(first, end) for x0, x1 in even_ranges(width, depth)]
        parts = handover_ranges(self, first, end, self.tiles * width, self.constant_beats, split)
        return [Block(low + y0, low + y1, 0, width) for low, high in parts
                for y0, y1 in even_ranges(high - low, depth // width)]

    def _compute(self, piece: Piece, block: Block, source: BufferRows,
                 target: BufferRows) -> Operation:
        """The COMPUTE of a piece and a block."""
        config, read = self.config, rows_area(source, *self.needs(block.y0, block.y1))
        word, section = divmod(piece.first * config.columns, config.rows)
        step, pitch = target.step, target.pitch
        base = target.address(block.y0, block.x0) + word
        fields = {
            "raw": int(self.raw), "fills": self._tiles(piece) * config.fill_steps,
            "parameter_groups": piece.passes * config.post_steps,
            "pad_value": self.inputs[0].zero_point, "passes": piece.passes,
            "pixels": block.pixels, "section": section // config.columns,
            **self._nest(piece, block, source),
            **target_fields(base, block.width, step, pitch),
            **range_fields(self.output.zero_point, self.conv.clamp),
        }
        covered = -(-piece.passes * config.columns // config.rows)
        write = area(base, block.height, pitch, block.width, step, covered)
        return Operation(Opcode.COMPUTE, self.layer, fields, (read,), (write,),
                         packets=(self._weights(piece), self._parameters(piece)))

    def _tiles(self, piece: Piece) -> int:
        """How often the array is filled with weights for one block and one piece."""
        return piece.passes * piece.words * self.kernel.rows * self.kernel.columns

    def _nest(self, piece: Piece, block: Block, source: BufferRows) -> dict[str, int]:
        """The loops over a block's pixels, then what is summed up, then the column tiles."""
        kernel, words, pitch = self.kernel, source.step, source.pitch
        top = block.y0 * kernel.stride_rows - kernel.top
        left = block.x0 * kernel.stride_columns - kernel.left
        return nest_fields([
            (block.width, kernel.stride_columns * words, 0, kernel.stride_columns),
            (block.height, kernel.stride_rows * pitch, kernel.stride_rows, 0),
            (kernel.columns, kernel.tap_columns * words, 0, kernel.tap_columns),
            (kernel.rows, kernel.tap_rows * pitch, kernel.tap_rows, 0), (piece.words, 1, 0, 0),
            (piece.passes, 0, 0, 0),
        ], source.address(top, left) + piece.word, top - source.first, left,
            source.end - source.first, source.map.width)

    @cached_property
    def _constants(self) -> ConvConstants:
        return ConvConstants(
            self.conv, self.codewords, self.config, zero_point=self.inputs[0].zero_point,
            channels_out=self.output.words * self.config.rows,
            group_channels=self.group_channels, folded=self.folded, expanded=self.expanded)

    def _weights(self, piece: Piece) -> Packet:
        """The packet that the array's weights come in."""
        elements = self._tiles(piece) * self.config.processing_elements
        size = elements * self.config.subvector if self.raw \
            else (elements * self.config.index_width + 7) // 8
        return Packet(Channel.WEIGHT, Stream.RAW_WEIGHT if self.raw else Stream.INDEX,
                      (self.layer, "weight", piece.first, piece.end), size,
                      lambda: self._constants.weight_packet(piece.first, piece.end,
                                                            (piece.word, piece.words)))

    def _parameters(self, piece: Piece) -> Packet:
        """The packet of bias, multiplier and shift of the piece's output channels."""
        return Packet(Channel.PARAMETER, Stream.PARAMETER,
                      (self.layer, "parameter", piece.first, piece.end),
                      PARAMETER_BYTES * self.config.columns * piece.passes,
                      lambda: self._constants.parameter_packet(piece.first, piece.end))
