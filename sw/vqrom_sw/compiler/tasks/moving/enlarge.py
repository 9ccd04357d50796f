"""Maps that become larger on the vector unit: up-sampling, and channels that become pixels."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from vqrom_hw.isa import Opcode, VectorOp
from vqrom_sw.arithmetic import HIGHEST, LOWEST

from ...feature_map import BufferRows
from ...operations import Level, Operation, nest_fields, range_fields, rows_area
from ..task import Task, target_pieces
from .patch import Patch


@dataclass(eq=False, kw_only=True)
class EnlargeTask(Task):
    """Each pixel becomes a block of pixels, whose words are words of the pixel.

    An operation writes one output row of every block.

    Members
    -------
    factor:
        Height and width of a block.
    """

    factor: tuple[int, int]

    @abstractmethod
    def _loops(self, line: int, words: tuple[int, int]) -> tuple[int, list[Level]]:
        """Which words of a pixel become channel words of row ``line`` of its block: the first, and
        the loops."""

    def needs(self, first: int, end: int, number: int = 0) -> tuple[int, int]:
        return first // self.factor[0], (end - 1) // self.factor[0] + 1

    def operations(self, first: int, end: int, sources: tuple[BufferRows, ...],
                   target: BufferRows, split: bool) -> list[Operation]:
        height = self.factor[0]
        lines = [range(y, end, height) for y in range(first, min(first + height, end))]
        words = (0, self.output.words)
        fits = target.step == self.output.words
        return [self._rows(rows, part, sources[0], target)
                for line in lines for rows, part in target_pieces(line, words, fits)]

    def _rows(self, rows: range, words: tuple[int, int], source: BufferRows,
              target: BufferRows) -> Operation:
        height, width = self.factor[0], source.map.width
        y, line = divmod(rows.start, height)
        start, loops = self._loops(line, words)
        levels: list[Level] = [(1, 0, 0, 0), (1, 0, 0, 0), *loops,
                               (width, source.step, 0, 0), (len(rows), source.pitch, 0, 0)]
        written = Patch(target.address(rows.start) + words[0], len(rows), height * target.pitch,
                        self.output.width, target.step, words[1] - words[0])
        columns = {"operation": VectorOp.MAX, **nest_fields(levels, source.address(y) + start),
                   **written.target, **range_fields(0, (LOWEST, HIGHEST))}
        return Operation(Opcode.VECTOR, self.layer, columns,
                         (rows_area(source, y, y + len(rows)),), (written.area,))


@dataclass(eq=False, kw_only=True)
class UpsampleTask(EnlargeTask):
    """Nearest-neighbour up-sampling: a loop that stays at a pixel."""

    def _loops(self, line: int, words: tuple[int, int]) -> tuple[int, list[Level]]:
        return words[0], [(words[1] - words[0], 1, 0, 0), (self.factor[1], 0, 0, 0)]


@dataclass(eq=False, kw_only=True)
class DepthToSpaceTask(EnlargeTask):
    """Channel words become pixels.

    The input's channels have been put in order before: for each channel word of the output, the
    words of the block's pixels, row by row. So words move as a whole.
    """

    def _loops(self, line: int, words: tuple[int, int]) -> tuple[int, list[Level]]:
        (height, width), (first, end) = self.factor, words
        area = height * width
        return first * area + line * width, [(end - first, area, 0, 0), (width, 1, 0, 0)]
