"""Columns: layers whose single map rows do not fit the activation buffer run in column parts.

A plan cuts maps into strips of whole map rows. Where even one row is too long, the layer becomes
several tasks, each of which makes some columns of the output from those columns of the inputs that
their windows see. A part is a map of its own on chip; in DRAM it is a range of columns of the whole
map, so that each of its map rows is a transfer by itself. Columns at which two parts' windows
overlap are loaded for both.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

from vqrom_hw.errors import VqromError

from ..feature_map import FeatureMap, round_up
from ..task_graph import TaskGraph
from ..tasks import Kernel, Task
from .part import PartSize, column_part, column_unit, input_columns

MARGIN = 1.02
"""Times the cheapest width's cycles that a wider part may take, by the estimate: it is fewer
commands, and loads fewer columns twice."""


def cut_columns(graph: TaskGraph) -> TaskGraph | None:
    """Cut those tasks into column parts whose single map rows do not fit the activation buffer.

    Parameters
    ----------
    graph:
        The tasks and maps; they are not changed.

    Returns
    -------
    TaskGraph or None
        A graph in which parts stand in the place of such tasks; None if there are none.

    Raises
    ------
    VqromError
        If one pixel's window does not fit.
    """
    widths = [part_width(task) for task in graph.tasks]
    if all(width == task.output.width for width, task in zip(widths, graph.tasks, strict=True)):
        return None
    cutter = _Cutter(graph)
    for task, width in zip(graph.tasks, widths, strict=True):
        cutter.append(task, width)
    return cutter.result


def part_width(task: Task) -> int:
    """Columns of the output that each part of a task makes; all, if it need not be cut.

    Raises
    ------
    VqromError
        If the fewest columns that a part can have do not fit the activation buffer.
    """
    whole, room = PartSize(task, task.output.width), task.config.activation_words
    alike = all(source.width == task.inputs[0].width for source in task.walked)
    if whole.words(1) <= room or not (task.cuts_columns and alike):
        return task.output.width
    least = _step(task)
    smallest = PartSize(task, min(least, task.output.width))
    if smallest.words(1) > room:
        raise VqromError(
            f"layer {task.name!r}: {smallest.width!r} pixels of an output row and what they see "
            f"must fit activation_words {room} of config {task.config.name!r}, "
            f"not {smallest.words(1)!r} words")
    sizes = [PartSize(task, width) for width in _widths(task.output.width, least)]
    costs = {size.width: size.cost() for size in sizes if size.words(1) <= room}
    cheapest = min(costs.values())
    return max(width for width, cost in costs.items() if cost <= cheapest * MARGIN)


def _step(task: Task) -> int:
    """Columns that parts begin at multiples of, so that the output's begin at bus beats.

    Tasks that go from pixel to pixel want the same columns of inputs and output.
    """
    maps = (*task.walked, task.output) if task.kernel == Kernel() else (task.output,)
    return math.lcm(*(column_unit(feature_map, task.config) for feature_map in maps))


def _widths(width: int, step: int) -> list[int]:
    """Widths of parts to try, multiples of ``step``, from halves of the map to the narrowest."""
    widths, count = [], 2
    while not widths or widths[-1] > step:
        part = round_up(-(-width // count), step)
        if not widths or part != widths[-1]:
            widths.append(part)
        count = max(count + 1, count * 9 // 8)
    return widths


class _Cutter:
    """Builds a new graph task by task, from copies of the maps of another."""

    def __init__(self, graph: TaskGraph):
        self.result = replace(graph, tasks=[], maps=[])
        self._copies: dict[FeatureMap, FeatureMap] = {}
        for feature_map in graph.maps:
            if feature_map.producer is None:
                self._copy(feature_map)

    def append(self, task: Task, width: int) -> None:
        """Append a task, in parts of ``width`` columns if its output is wider."""
        output = self._copy(task.output)
        inputs = tuple(self._copies[source] for source in task.inputs)
        if width >= output.width:
            self._add(replace(task, inputs=inputs, output=output), output)
            return
        edges = [*range(0, output.width, width), output.width]
        for first, end in pairwise(edges):
            self._add(self._part(replace(task, inputs=inputs, output=output), first, end), output)

    def _copy(self, feature_map: FeatureMap) -> FeatureMap:
        """A copy of a map that nobody makes or reads yet."""
        copy = replace(feature_map, producer=None, consumers=[])
        self._copies[feature_map] = copy
        self.result.maps.append(copy)
        return copy

    def _add(self, task: Task, whole: FeatureMap) -> None:
        """Append a task that makes ``whole`` or a part of it."""
        position = len(self.result.tasks)
        self.result.tasks.append(task)
        whole.producer = task.output.producer = position
        for source in task.inputs:
            source.consumers.append(position)
            if source.part:
                source.part.whole.consumers.append(position)

    def _part(self, task: Task, first: int, end: int) -> Task:
        """The part of a task that makes columns ``first`` to ``end`` of its output."""
        config, kernel = self.result.config, task.kernel
        begin, stop = input_columns(task, first, end)
        parts = {source: column_part(source, begin, stop, config) for source in task.walked}
        output = column_part(task.output, first, end, config)
        self.result.maps += [*parts.values(), output]
        sources = tuple(parts.get(source, source) for source in task.inputs)
        # Where windows begin, seen from the part: right of its first column, or in the padding.
        left = begin - (first * kernel.stride_columns - kernel.left)
        return replace(task, inputs=sources, output=output, kernel=replace(kernel, left=left))
