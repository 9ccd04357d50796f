"""Leads: how a program's first convolution begins before all rows that it reads are loaded.

Nothing can be computed while the first rows of a program are loaded. Strips would fetch all weights
again for each. So only the first channel words of the output are made in parts, some rows each, as
those rows come in: by the time that they are made, all rows are there. Only the weights of those
words are fetched again.
"""

from __future__ import annotations

from dataclasses import dataclass

from .conv import ConvTask
from .task import even_ranges

MOST_PARTS = 4
"""Most parts of the rows."""

LATENCY = 64
"""Cycles that a part takes beside its load and its pixels, about: commands, DRAM, filling."""


@dataclass(frozen=True)
class Lead:
    """The rows in parts, for the first channel words.

    Members
    -------
    words:
        Channel words of the output that are made in parts.
    rows:
        The output rows of each part, first and end.
    beats:
        Bus beats of weights and parameters that are fetched again.
    """

    words: int
    rows: tuple[tuple[int, int], ...]
    beats: int


def find_lead(task: ConvTask, first: int, end: int, load_cycles: int,
              beat_cost: float) -> Lead | None:
    """The lead with which output rows ``first`` to ``end`` of a task are made soonest.

    A part's commands must take as long as the load of the next part. Beside that load they have
    to fetch their weights over the same bus.

    Parameters
    ----------
    load_cycles:
        Cycles in which the rows that the task reads are loaded.
    beat_cost:
        Cycles that fetching one more bus beat of weights or parameters is worth.

    Returns
    -------
    Lead or None
        None if it saves less than it fetches again, or if the rows are more than a block.
    """
    best, most = None, 0.0
    words, blocks = task.output.words, task.blocks(first, end, split=False)
    if task.conv.groups > 1 or len(blocks) > 1:
        return None
    beats = task.constant_beats / words
    for parts in range(2, min(MOST_PARTS, end - first) + 1):
        load, pixels = load_cycles / parts, blocks[0].pixels // parts
        spare = pixels * task.tiles / words - beats
        if pixels < task.config.fill_steps or spare <= 0:
            continue
        led = int(-(-load // spare))
        gain = (parts - 1) * (load - LATENCY - led * beats * beat_cost)
        if led < words and gain > most:
            ranges = even_ranges(end - first, -(-(end - first) // parts))
            rows = tuple((first + low, first + high) for low, high in ranges)
            best, most = Lead(led, rows, int((len(rows) - 1) * led * beats)), gain
    return best
