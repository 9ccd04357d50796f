"""Channels of one or several maps put into another one, on the vector unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from vqrom_hw.config import AcceleratorConfig
from vqrom_sw.arithmetic import LOWEST
from vqrom_sw.network import Shape

from ...feature_map import BufferRows, round_up
from ...operations import Operation
from ..kernel import POINT
from ..task import Block, Task, block_pieces
from .moves import ALL_LANES, ChannelRange, Depth, Move, plan_moves
from .patch import Rescaling, fill, patch_of


def moves_of(ranges: Sequence[ChannelRange], inputs: Sequence[Shape], output: Shape,
             config: AcceleratorConfig) -> list[Move]:
    """The moves of a layer.

    Parameters
    ----------
    ranges:
        Where channels go.
    inputs, output:
        ``(H, W, C)`` of the maps.
    config:
        Parameters of the accelerator, whose ``rows`` are the lanes of a word.
    """
    *depths, depth = (Depth(shape[2], round_up(shape[2], config.rows))
                      for shape in (*inputs, output))
    return plan_moves(ranges, depths, depth, config.rows)


def concat_ranges(channels: Sequence[int]) -> list[ChannelRange]:
    """Where the channels of inputs with so many each go that follow each other."""
    firsts = accumulate(channels, initial=0)
    return [ChannelRange(number, 0, first, count)
            for number, (first, count) in enumerate(zip(firsts, channels, strict=False))]


def move_cycles(moves: Sequence[Move], rescalings: Sequence[Rescaling], zero_point: int,
                config: AcceleratorConfig) -> int:
    """Cycles of the vector unit for a pixel; requantised words take several each."""
    steps = config.rows // config.vector_lanes
    filled = 1 if zero_point == LOWEST else steps
    return sum(move.words * (filled if move.source < 0
                             else steps if rescalings[move.source].changes else 1)
               for move in moves)


@dataclass(eq=False, kw_only=True)
class GatherTask(Task):
    """Channels of the inputs in their places in the output, each input rescaled: concatenation,
    selection, subsampling.

    Members
    -------
    moves:
        The operations for each pixel.
    rescalings:
        One for each input.
    fill_value:
        What channels without a source hold; lanes beyond the channels hold it, too.
    """

    moves: list[Move]
    rescalings: tuple[Rescaling, ...]
    fill_value: int

    cuts_columns = True

    def operations(self, first: int, end: int, sources: tuple[BufferRows, ...],
                   target: BufferRows, split: bool) -> list[Operation]:
        block = Block(first, end, 0, self.output.width)
        return [self._operation(move, piece, words, sources, target)
                for move in self.moves if not self._is_there(move, block, sources, target)
                for part in self._parts(move, split)
                for piece, words in block_pieces(target, block, part)]

    @staticmethod
    def _parts(move: Move, split: bool) -> list[tuple[int, int]]:
        """The channel words that a move writes, all at once or each by itself."""
        first, end = move.targets
        return [(word, word + 1) for word in range(first, end)] if split else [(first, end)]

    def copied_words(self, number: int) -> int | None:
        """The first channel word of the output that input ``number`` as a whole becomes, unchanged.

        Returns
        -------
        int or None
            None if lanes move, numbers change, or not all of the input's words go there.
        """
        moves = [move for move in self.moves if move.source == number]
        whole = (len(moves) == 1 and moves[0].word == 0
                 and moves[0].words == self.inputs[number].words)
        return moves[0].target if whole and self._copies(moves[0]) else None

    def viewed(self) -> tuple[int, int] | None:
        """Channel word and map row of the only input at which the output lies there, unchanged.

        Returns
        -------
        tuple or None
            None if there are several moves, lanes move, or numbers change.
        """
        alone = len(self.inputs) == len(self.moves) == 1 and self.moves[0].source == 0
        return (self.moves[0].word, 0) if alone and self._copies(self.moves[0]) else None

    def _copies(self, move: Move) -> bool:
        """Whether a move takes words from each pixel to the same pixel as they are."""
        return (move.lanes == ALL_LANES and self.kernel == POINT
                and not self.rescalings[move.source].changes)

    def _is_there(self, move: Move, block: Block, sources: tuple[BufferRows, ...],
                  target: BufferRows) -> bool:
        """Whether words need not move, since one map lies within the other."""
        return move.source >= 0 and self._copies(move) and patch_of(
            sources[move.source], block, move.sources) == patch_of(target, block, move.targets)

    def _operation(self, move: Move, block: Block, words: tuple[int, int],
                   sources: tuple[BufferRows, ...], target: BufferRows) -> Operation:
        """The operation for some channel words of the output that a move writes."""
        written = patch_of(target, block, words)
        if move.source < 0:
            return fill(self.layer, written, self.fill_value, move.lanes)
        shift = move.word - move.target
        read = patch_of(sources[move.source], block, (words[0] + shift, words[1] + shift),
                        self.kernel)
        return self.rescalings[move.source].operation(self.layer, read, written, move.lanes)
