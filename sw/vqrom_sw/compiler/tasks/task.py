"""What all tasks have: a task is one layer on the accelerator, carried out in ranges of rows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from vqrom_hw.config import AcceleratorConfig
from vqrom_sw.compiler.feature_map import FeatureMap, Rows
from vqrom_sw.compiler.operations import Operation


@dataclass(eq=False)
class Task:
    """One layer on the accelerator.

    Members
    -------
    config:
        Accelerator.
    layer:
        Number in :attr:`vqrom_sw.compiler.program.program.Program.layers`.
    name:
        For messages.
    inputs, output:
        Maps that it reads, and the one that it makes.
    kernel_rows, stride_rows, top:
        Window of an output row in the input: kernel, stride and padding in y.
    """

    config: AcceleratorConfig
    layer: int
    name: str
    inputs: tuple[FeatureMap, ...]
    output: FeatureMap
    kernel_rows: int = 1
    stride_rows: int = 1
    top: int = 0

    on_array: ClassVar[bool] = False

    def needs(self, first: int, end: int) -> tuple[int, int]:
        """Input rows that output rows ``first`` to ``end`` are made of."""
        height = self.inputs[0].height
        start = first * self.stride_rows - self.top
        stop = (end - 1) * self.stride_rows - self.top + self.kernel_rows
        return min(max(0, start), height), max(0, min(height, stop))

    def operations(self, first: int, end: int, sources: tuple[Rows, ...], target: Rows,
                   split: bool) -> list[Operation]:
        """Make output rows ``first`` to ``end``.

        Parameters
        ----------
        sources, target:
            Rows of the inputs and the output in the activation buffer.
        split:
            Cut by channel words, so that consumers on other units may begin before the end.
        """
        raise NotImplementedError


def parts(total: int, largest: int) -> list[tuple[int, int]]:
    """``0..total`` as the fewest ranges of at most ``largest``, nearly equal ones."""
    count = max(1, -(-total // largest))
    edges = [total * number // count for number in range(count + 1)]
    return list(pairwise(edges))


SPLIT = 8
"""Most parts that a task is cut into by channel words."""


def word_parts(words: int, split: bool) -> list[tuple[int, int]]:
    """Ranges of channel words that commands cover."""
    return parts(words, -(-words // SPLIT)) if split else [(0, words)]
