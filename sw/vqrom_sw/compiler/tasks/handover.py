"""Handovers: in how many parts map rows go from a task on one unit to a task on the other.

A reader may begin when a command that made what it reads is finished. So where array and vector
unit take turns, a strip is several commands, of some rows each. Each of them fetches its constants
again, which limits how many.
"""

from __future__ import annotations

from .task import Task, even_ranges

PARTS = 3
"""Most parts of a strip."""

CYCLES_PER_BEAT = 2
"""Cycles that a part takes for each bus beat of its constants, at least."""

SPLIT_CYCLES_PER_BEAT = 8
"""The same where channel words are cut, too, so that a reader begins early anyway."""


def handover_ranges(task: Task, first: int, end: int, row_cycles: int, beats: int,
                    split: bool) -> list[tuple[int, int]]:
    """Output rows ``first`` to ``end`` of a task as the parts in which it hands them over.

    Parameters
    ----------
    row_cycles:
        Cycles in which the task makes a row.
    beats:
        Bus beats of constants for which it takes those cycles; each part fetches them.
    split:
        Whether the task is also cut by channel words.
    """
    if not task.alternates:
        return [(first, end)]
    least = (SPLIT_CYCLES_PER_BEAT if split else CYCLES_PER_BEAT) * beats // row_cycles + 1
    rows = max(least, -(-(end - first) // PARTS))
    return [(first + low, first + high) for low, high in even_ranges(end - first, rows)]
