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
from ..task import Block, Task
from .moves import ChannelRange, Depth, Move, plan_moves
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
        return [self._move(move, block, sources, target) for move in self._expressible()]

    def _expressible(self) -> list[Move]:
        """The moves, those of some of a pixel's words cut into single words."""
        result: list[Move] = []
        for move in self.moves:
            whole = move.words in (1, self.output.words)
            result += [move] if whole else [
                Move(move.source, move.word + number, move.target + number, 1, move.lanes)
                for number in range(move.words)]
        return result

    def _move(self, move: Move, block: Block, sources: tuple[BufferRows, ...],
              target: BufferRows) -> Operation:
        written = patch_of(target, block, (move.target, move.target + move.words))
        if move.source < 0:
            return fill(self.layer, written, self.fill_value, move.lanes)
        read = patch_of(sources[move.source], block, (move.word, move.word + move.words),
                        self.kernel)
        return self.rescalings[move.source].operation(self.layer, read, written, move.lanes)
