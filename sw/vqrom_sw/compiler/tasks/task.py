"""What all tasks have in common: a task is one layer, as the accelerator carries it out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from vqrom_hw.config import AcceleratorConfig

from ..feature_map import BufferRows, FeatureMap
from ..operations import Operation
from .kernel import POINT, Kernel


@dataclass(frozen=True)
class Block:
    """Output pixels: map rows ``y0`` to ``y1``, columns ``x0`` to ``x1``, ends not included."""

    y0: int
    y1: int
    x0: int
    x1: int

    @property
    def height(self) -> int:
        """Map rows of the block."""
        return self.y1 - self.y0

    @property
    def width(self) -> int:
        """Pixels of one of its map rows."""
        return self.x1 - self.x0

    @property
    def pixels(self) -> int:
        """All pixels of the block."""
        return self.height * self.width


@dataclass(eq=False)
class Task(ABC):
    """One layer on the accelerator, which can be carried out some output rows at a time.

    The plan decides which output rows are made when, and where they and the input rows that they
    need lie on chip; :meth:`operations` then says which commands do it.

    Members
    -------
    config:
        Parameters of the accelerator that the program is for.
    layer:
        The layer's number in :attr:`vqrom_sw.compiler.Program.layers`.
    name:
        The layer's name, for messages.
    inputs, output:
        The maps that the task reads, and the one that it makes.
    kernel:
        The window of an output pixel in the input.
    alternates:
        Whether a task that hands over, on the other unit, makes what it reads or reads what it
        makes.
    """

    config: AcceleratorConfig
    layer: int
    name: str
    inputs: tuple[FeatureMap, ...]
    output: FeatureMap
    kernel: Kernel = POINT
    alternates: bool = False

    on_array: ClassVar[bool] = False
    """Whether the array does the task (a COMPUTE) or the vector unit (a VECTOR)."""

    cuts_columns: ClassVar[bool] = False
    """Whether the task can make some columns of its output from the columns of its inputs that
    ``kernel`` tells, and from whole inputs that it does not walk over: then it can run on parts of
    maps."""
    hands_over: ClassVar[bool] = False
    """Whether the task takes so long that rows are worth to be handed over before a strip is done:
    see :mod:`vqrom_sw.compiler.tasks.handover`."""

    @property
    def walked(self) -> tuple[FeatureMap, ...]:
        """The inputs that ``kernel`` walks over; each output pixel needs all of the others."""
        return self.inputs

    @property
    def overwritable(self) -> tuple[FeatureMap, ...]:
        """The inputs over whose words the output may be written, if their rows lie alike."""
        return ()

    def needs(self, first: int, end: int, number: int = 0) -> tuple[int, int]:
        """The rows, first and end, of input ``number`` that output rows are made of."""
        kernel, height = self.kernel, self.inputs[0].height
        start = first * kernel.stride_rows - kernel.top
        stop = (end - 1) * kernel.stride_rows - kernel.top + kernel.height
        return min(max(0, start), height), max(0, min(height, stop))

    @abstractmethod
    def operations(self, first: int, end: int, sources: tuple[BufferRows, ...],
                   target: BufferRows, split: bool) -> list[Operation]:
        """The operations that make output rows ``first`` to ``end``.

        Parameters
        ----------
        sources, target:
            Where the rows of the inputs and of the output lie in the activation buffer.
        split:
            Cut the work by channel words into several operations, so that a reader on another
            unit may begin before the last one ends.
        """


def even_ranges(total: int, largest: int) -> list[tuple[int, int]]:
    """``0..total`` as the fewest ranges of at most ``largest``, as nearly equal as can be."""
    count = max(1, -(-total // largest))
    edges = [total * number // count for number in range(count + 1)]
    return list(pairwise(edges))


def target_pieces(rows: range, words: tuple[int, int],
                  fits: bool) -> list[tuple[range, tuple[int, int]]]:
    """Output rows and channel words as the fewest pieces whose words a target can describe.

    A target is rows of words that lie equally far apart. So it describes one word of each pixel, or
    several of each pixel of one row.

    Parameters
    ----------
    rows, words:
        The rows, and first and end of the channel words of each of their pixels.
    fits:
        Whether one target describes all of them.
    """
    first, end = words
    if fits or end - first == 1 or len(rows) == 1:
        return [(rows, words)]
    if len(rows) < end - first:
        return [(rows[number:number + 1], words) for number in range(len(rows))]
    return [(rows, (word, word + 1)) for word in range(first, end)]


def block_pieces(target: BufferRows, block: Block,
                 words: tuple[int, int]) -> list[tuple[Block, tuple[int, int]]]:
    """A range of channel words of a block as the fewest pieces that a target can describe.

    All words of pixels lie side by side; some of each lie equally far apart if there is nothing
    between one row of the block and the next.
    """
    fits = target.step == words[1] - words[0] or target.pitch == block.width * target.step
    return [(Block(rows.start, rows.stop, block.x0, block.x1), part)
            for rows, part in target_pieces(range(block.y0, block.y1), words, fits)]


MOST_PARTS = 16
"""Most operations that a block is cut into by channel words."""


def word_ranges(words: int, split: bool) -> list[tuple[int, int]]:
    """The ranges of channel words that an operation each covers: one range unless ``split``."""
    return even_ranges(words, -(-words // MOST_PARTS)) if split else [(0, words)]
