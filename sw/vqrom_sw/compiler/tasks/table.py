"""Functions of single numbers on the vector unit, looked up in tables."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import Channel, Stream, VectorOp
from vqrom_sw.arithmetic import LOWEST
from vqrom_sw.network import Table

from ..feature_map import BufferRows, FeatureMap, round_up
from ..operations import Operation, Packet
from .moving import Lanes, fill, patch_of, word_operation
from .task import Block, Task, block_pieces

ENTRIES = 256
"""Entries of a table: one for each int8."""


def keeps_zero_point(layer: Table, zero_point: int) -> bool:
    """Whether one table for all channels makes an input's zero point the output's."""
    return int(layer.table[0, zero_point - LOWEST]) == layer.quantization.zero_point


@dataclass(eq=False, kw_only=True)
class TableTask(Task):
    """A function of each number; a table is fetched by each operation.

    One table for all channels needs one operation, or one for each channel word where the work is
    split. Lanes beyond the channels must come out as the zero point: where the table makes
    something else of the input's zero point, those lanes are written once more, or the last channel
    word has tables for each lane.

    Members
    -------
    lookup:
        The layer, which has the tables.
    """

    lookup: Table = field(repr=False)

    cuts_columns = True

    @property
    def overwritable(self) -> tuple[FeatureMap, ...]:
        return self.inputs

    def operations(self, first: int, end: int, sources: tuple[BufferRows, ...],
                   target: BufferRows, split: bool) -> list[Operation]:
        block, last = Block(first, end, 0, self.output.width), self.output.words - 1
        whole, by_lane = self._words(block, split)
        operations = [self._look_up(piece, part, sources[0], target, part[0] in by_lane)
                      for words in whole for piece, part in block_pieces(target, block, words)]
        if self._spoils and last not in by_lane:
            lanes = Lanes(first=self.config.rows - self._spare_lanes)
            operations.append(fill(self.layer, patch_of(target, block, (last, last + 1)),
                                   self.output.zero_point, lanes))
        return operations

    def _words(self, block: Block, split: bool) -> tuple[list[tuple[int, int]], range]:
        """Ranges of channel words for an operation each, and the words with tables by lane.

        A target describes all channel words or one, so ``split`` makes one range of each.
        """
        words, config = self.output.words, self.config
        single = [(word, word + 1) for word in range(words)]
        if len(self.lookup.table) > 1:
            return single, range(words)
        packet_beats = ENTRIES * config.rows // config.beat_bytes
        again = block.pixels * config.rows // config.vector_lanes
        if self._spoils and config.vector_tables == "lane" and (
                not config.vector_moves or (words == 1 and packet_beats < again)):
            return single, range(words - 1, words)
        return single if split else [(0, words)], range(0)

    @property
    def _spoils(self) -> bool:
        """Whether one table would leave something else than the zero point in spare lanes."""
        return self._spare_lanes > 0 and not keeps_zero_point(
            self.lookup, self.inputs[0].zero_point)

    @property
    def _spare_lanes(self) -> int:
        """Lanes of the last channel word that hold no channel."""
        return self.output.words * self.config.rows - self.lookup.shape[2]

    def _look_up(self, block: Block, words: tuple[int, int], source: BufferRows,
                 target: BufferRows, by_lane: bool) -> Operation:
        packet = self._lane_packet(words[0]) if by_lane else self._shared_packet()
        return word_operation(self.layer, VectorOp.TABLE,
                              patch_of(source, block, words, self.kernel),
                              patch_of(target, block, words), {"lane_tables": int(by_lane)},
                              (packet,))

    def _shared_packet(self) -> Packet:
        size = round_up(ENTRIES, self.config.rows)
        return Packet(Channel.VECTOR, Stream.PARAMETER, (self.layer, "table"), size,
                      lambda: self.lookup.table[0].tobytes().ljust(size, b"\0"))

    def _lane_packet(self, word: int) -> Packet:
        return Packet(Channel.VECTOR, Stream.PARAMETER, (self.layer, "table", word),
                      ENTRIES * self.config.rows,
                      lambda: lane_tables(self.lookup, word, self.config))


def lane_tables(layer: Table, word: int, config: AcceleratorConfig) -> bytes:
    """The tables of the lanes of a channel word: 256 words, each an entry of all of them."""
    tables = np.full((config.rows, ENTRIES), layer.quantization.zero_point, np.int8)
    channels = range(word * config.rows, min((word + 1) * config.rows, layer.shape[2]))
    own = np.arange(channels.start, channels.stop) % len(layer.table)
    tables[:len(channels)] = layer.table[own]
    return np.ascontiguousarray(tables.T).tobytes()
