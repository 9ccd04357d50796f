"""Segments: which consecutive tasks run strip by strip together."""

from __future__ import annotations

from ..tasks import GlobalAverageTask, Task
from .plan import Residencies, Residency, Segment


def make_segments(tasks: list[Task], residencies: Residencies) -> list[Segment]:
    """Put fused tasks together, and tasks of the vector unit with the task that feeds them.

    A vector task over a resident map joins so that it can begin with the first strip, while the
    array works on the next.
    """
    segments: list[Segment] = []
    for position, task in enumerate(tasks):
        joins = any(source.producer == position - 1
                    and _follows_by_strips(task, residencies[source])
                    for source in task.inputs if source.producer is not None)
        if joins and segments:
            segments[-1] = Segment(segments[-1].index, segments[-1].first, position + 1)
        else:
            segments.append(Segment(len(segments), position, position + 1))
    return segments


def _follows_by_strips(task: Task, residency: Residency) -> bool:
    """Whether a task runs in the segment of the task before it, whose map has that residency."""
    if residency == Residency.FUSED:
        return True
    return (residency.stays and not task.on_array
            and not isinstance(task, GlobalAverageTask))
