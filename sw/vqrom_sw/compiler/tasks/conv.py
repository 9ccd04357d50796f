"""Convolutions and matrix products on the array."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vqrom_hw.isa import Channel, Opcode, Stream
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
from vqrom_sw.network import Conv

from .packets import (
    PARAMETER_BYTES,
    KernelWeights,
    fold_bias,
    fold_columns,
    group_weights,
    parameter_packet,
)
from .task import Task, parts, word_parts


@dataclass(frozen=True)
class Piece:
    """Column tiles ``first`` to ``end`` over the input's channel words ``word`` and on."""

    first: int
    end: int
    word: int
    words: int


@dataclass(eq=False)
class ConvTask(Task):
    """A convolution; a linear layer is one whose kernel is its whole input.

    Members
    -------
    conv:
        The layer. Its weights may be absent if nothing asks for the contents of packets.
    codewords:
        int8 ``[k, d]``.
    indexed:
        Weights are indices on the array; grouped convolutions may have been expanded.
    kernel_columns, stride_columns, tap, left:
        As the array walks in x, in pixels of the buffer: kernel positions ``tap`` apart.
    folded:
        Kernel columns that the lanes of one word hold; 1 unless the input is folded.
    group_channels:
        Input channels of one group.
    """

    conv: Conv = None  # type: ignore[assignment]
    codewords: np.ndarray = None  # type: ignore[assignment]
    indexed: bool = True
    kernel_columns: int = 1
    stride_columns: int = 1
    tap: int = 1
    left: int = 0
    folded: int = 1
    group_channels: int = 1

    on_array = True

    @cached_property
    def column_tiles(self) -> int:
        """Groups of ``columns`` output channels, whole words."""
        return self.output.words * self.config.rows // self.config.columns

    @cached_property
    def expanded(self) -> bool:
        """Groups that do not fill words: raw weights with zeros between them."""
        whole = (self.group_channels % self.config.rows == 0
                 and self.conv.shape[2] // self.conv.groups % self.config.columns == 0)
        return self.conv.groups > 1 and not whole

    @cached_property
    def weight_bytes(self) -> int:
        """Of all its weights, once."""
        return sum(self._weights(piece).size for piece in self.pieces(False))

    @cached_property
    def tiles(self) -> int:
        """Fills of the array for one block."""
        return sum(self._tiles(piece) for piece in self.pieces(False))

    @cached_property
    def constant_beats(self) -> int:
        """Beats of weights and parameters for one block."""
        return sum(-(-packet.size // self.config.beat_bytes) for piece in self.pieces(False)
                   for packet in (self._weights(piece), self._parameters(piece)))

    def pieces(self, split: bool) -> list[Piece]:
        """What one COMPUTE each covers."""
        per_word = self.config.rows // self.config.columns
        if self.conv.groups == 1:
            return [Piece(first * per_word, end * per_word, 0, self.inputs[0].words)
                    for first, end in word_parts(self.output.words, split)]
        pieces: list[Piece] = []
        for tile in range(self.column_tiles):
            word, words = self._words_of(tile)
            last = pieces[-1] if pieces else None
            if last and (last.word, last.words) == (word, words):
                pieces[-1] = Piece(last.first, tile + 1, word, words)
            else:
                pieces.append(Piece(tile, tile + 1, word, words))
        return pieces

    def _words_of(self, tile: int) -> tuple[int, int]:
        """Channel words that the groups of a column tile cover."""
        columns, groups, channels = self.config.columns, self.conv.groups, self.group_channels
        per_group = self.conv.shape[2] // groups
        first = min(tile * columns // per_group, groups - 1)
        last = min(((tile + 1) * columns - 1) // per_group, groups - 1)
        word = first * channels // self.config.rows
        return word, -(-(last + 1) * channels // self.config.rows) - word

    def operations(self, first: int, end: int, sources: tuple[Rows, ...], target: Rows,
                   split: bool) -> list[Operation]:
        operations = []
        pieces = self.pieces(split)
        for y0, y1, x0, x1 in self.blocks(first, end):
            read = rows_area(sources[0], *self.needs(y0, y1))
            operations += [self._compute(piece, (y0, y1, x0, x1), sources[0], target, read)
                           for piece in pieces]
        return operations

    def blocks(self, first: int, end: int) -> list[tuple[int, int, int, int]]:
        """Pixels that fit the accumulators."""
        depth, width = self.config.accumulator_depth, self.output.width
        if width <= depth:
            return [(first + y0, first + y1, 0, width)
                    for y0, y1 in parts(end - first, depth // width)]
        return [(y, y + 1, x0, x1) for y in range(first, end) for x0, x1 in parts(width, depth)]

    def _compute(self, piece: Piece, block: tuple[int, int, int, int], source: Rows,
                 target: Rows, read: Area) -> Operation:
        config, (y0, y1, x0, x1) = self.config, block
        passes = piece.end - piece.first
        word, section = divmod(piece.first * config.columns, config.rows)
        out_words, pitch = self.output.words, self.output.pitch
        base = target.address(y0, x0) + word
        fields = {
            "raw": int(self.raw), "fills": self._tiles(piece) * config.fill_steps,
            "parameter_groups": passes * config.post_steps,
            "pad_value": self.inputs[0].zero_point, "passes": passes,
            "pixels": (y1 - y0) * (x1 - x0), "section": section // config.columns,
            **self._nest(piece, block, source),
            **target_fields(base, x1 - x0, out_words, pitch),
            **range_fields(self.output.zero_point, self.conv.clamp),
        }
        covered = -(-passes * config.columns // config.rows)
        write = area(base, y1 - y0, pitch, x1 - x0, out_words, covered)
        return Operation(Opcode.COMPUTE, self.layer, fields, (read,), (write,),
                         packets=(self._weights(piece), self._parameters(piece)))

    @property
    def raw(self) -> bool:
        """The array takes weights, not indices."""
        return not self.indexed or self.expanded

    def _tiles(self, piece: Piece) -> int:
        return ((piece.end - piece.first) * piece.words
                * self.kernel_rows * self.kernel_columns)

    def _nest(self, piece: Piece, block: tuple[int, int, int, int],
              source: Rows) -> dict[str, int]:
        y0, y1, x0, x1 = block
        words, pitch = source.map.words, source.map.pitch
        top, left = y0 * self.stride_rows - self.top, x0 * self.stride_columns - self.left
        return nest_fields([
            (x1 - x0, self.stride_columns * words, 0, self.stride_columns),
            (y1 - y0, self.stride_rows * pitch, self.stride_rows, 0),
            (self.kernel_columns, self.tap * words, 0, self.tap),
            (self.kernel_rows, pitch, 1, 0), (piece.words, 1, 0, 0),
            (piece.end - piece.first, 0, 0, 0),
        ], source.address(top, left) + piece.word, top - source.first, left,
            source.end - source.first, source.map.width)

    def _weights(self, piece: Piece) -> Packet:
        elements = self._tiles(piece) * self.config.processing_elements
        size = elements * self.config.subvector if self.raw \
            else (elements * self.config.index_width + 7) // 8
        content: Callable[[], bytes]
        if self.expanded:
            def content() -> bytes:
                return self._expanded(piece).packet(0, piece.end - piece.first)
        else:
            def content() -> bytes:
                return self.weights.packet(piece.first, piece.end)
        return Packet(Channel.WEIGHT, Stream.RAW_WEIGHT if self.raw else Stream.INDEX,
                      (self.layer, "weight", piece.first, piece.end), size, content)

    def _parameters(self, piece: Piece) -> Packet:
        size = PARAMETER_BYTES * self.config.columns
        return Packet(Channel.PARAMETER, Stream.PARAMETER,
                      (self.layer, "parameter", piece.first, piece.end),
                      size * (piece.end - piece.first),
                      lambda: self.parameters[size * piece.first:size * piece.end])

    @cached_property
    def weights(self) -> KernelWeights:
        """Of groups that fill words; as they stand, or folded."""
        conv = self.conv
        units = conv.indices if conv.raw is None else conv.raw
        assert units is not None
        if self.folded > 1:
            units = fold_columns(units, self.folded)
        return self._kernel_weights(units, self.output.words * self.config.rows)

    def _kernel_weights(self, units: np.ndarray, channels: int) -> KernelWeights:
        return KernelWeights(units, self.codewords, self.config, channels)

    @cached_property
    def _raw(self) -> np.ndarray:
        conv = self.conv
        return conv.raw if conv.raw is not None \
            else decode(conv, self.codewords)[..., :self.group_channels]

    def _expanded(self, piece: Piece) -> KernelWeights:
        config = self.config
        channels = (piece.first * config.columns, piece.end * config.columns)
        lanes = (piece.word * config.rows, (piece.word + piece.words) * config.rows)
        units = group_weights(self._raw, self.conv.groups, *channels, lanes)
        return self._kernel_weights(units, channels[1] - channels[0])

    @cached_property
    def parameters(self) -> bytes:
        """Of all output channels."""
        if self.expanded:
            sums = np.zeros(self.output.words * self.config.rows, np.int64)
            sums[:self.conv.shape[2]] = self._raw.astype(np.int64).sum((1, 2, 3))
        else:
            sums = self.weights.sums
        bias = fold_bias(self.name, self.conv.bias, self.inputs[0].zero_point, sums)
        return parameter_packet(bias, self.conv.requantization)


def decode(conv: Conv, codewords: np.ndarray) -> np.ndarray:
    """int8 weights that the indices stand for, those beyond the channels included."""
    assert conv.indices is not None
    return codewords[conv.indices].reshape(*conv.indices.shape[:3], -1)
