"""Strips: which map rows each task of a segment makes and reads in each step."""

from __future__ import annotations

from collections.abc import Iterator

from vqrom_hw.config import AcceleratorConfig

from ..feature_map import FeatureMap
from ..task_graph import TaskGraph
from ..tasks import ConvTask, Task, even_ranges
from .plan import Residencies, Residency, RowWindow, Segment, Strip, WindowKey

WORD_CYCLES = 64
"""Cycles, about, in which the vector unit fetches what it needs for a channel word and fills."""


def make_strips(segment: Segment, tasks: list[Task], residencies: Residencies,
                count: int) -> list[Strip]:
    """Cut the last output of a segment into about ``count`` strips, and find what each needs."""
    return _StripMaker(segment, tasks, residencies).make(count)


class _StripMaker:
    """Goes through the strips of a segment and remembers which map rows are there already."""

    def __init__(self, segment: Segment, tasks: list[Task], residencies: Residencies):
        self._segment, self._tasks, self._residencies = segment, tasks, residencies
        self._members = range(segment.first, segment.end)
        self._readers = {position: [reader for reader in tasks[position].output.consumers
                                    if reader < segment.end] for position in self._members}
        self._done = dict.fromkeys(self._members, 0)
        self._read: dict[WindowKey, int] = {}

    def make(self, count: int) -> list[Strip]:
        """The strips, if the last output is cut into about ``count`` parts of equal height."""
        height = self._tasks[self._segment.end - 1].output.height
        strips = []
        for _, end in even_ranges(height, -(-height // count)):
            ends = self._ends(end, end == height)
            produced = {position: (self._done[position], ends[position])
                        for position in self._members if ends[position] > self._done[position]}
            windows = {(position, number): self._window((position, number), produced)
                       for position in produced
                       for number, source in enumerate(self._tasks[position].inputs)
                       if not self._residencies[source].stays}
            self._done.update(ends)
            strips.append(Strip(self._segment.index, produced, windows))
        return strips

    def _ends(self, end: int, is_last: bool) -> dict[int, int]:
        """Up to which map row each task must have come, for the last one to come to ``end``."""
        ends = {self._segment.end - 1: end}
        for position in reversed(self._members[:-1]):
            output = self._tasks[position].output
            # Others may read rows of it that this segment does not need.
            whole = is_last and self._residencies[output] != Residency.FUSED
            ends[position] = output.height if whole else max(
                self._done[position],
                *(self._tasks[reader].needs(0, ends[reader], number)[1]
                  for reader in self._readers[position] if ends[reader]
                  for number, source in enumerate(self._tasks[reader].inputs)
                  if source is output), 0)
        return ends

    def _window(self, key: WindowKey, produced: dict[int, tuple[int, int]]) -> RowWindow:
        """The map rows of an input for the rows that its reader makes in this strip."""
        task = self._tasks[key[0]]
        source = task.inputs[key[1]]
        low, high = task.needs(*produced[key[0]], key[1])
        before = self._read.get(key, 0)
        if self._residencies[source] == Residency.FUSED and source.producer in produced:
            low = min(low, produced[source.producer][0])
            high = max(high, produced[source.producer][1])
        high = max(low, high)
        self._read[key] = max(before, high)
        return RowWindow(low, high, min(max(low, before), high))


def strip_counts(segment: Segment, tasks: list[Task],
                 config: AcceleratorConfig) -> Iterator[int]:
    """Numbers of strips to try, from the fewest that fit the accumulators to single map rows."""
    sink = tasks[segment.end - 1].output
    count = 1
    for position in range(segment.first, segment.end):
        if tasks[position].on_array:
            output = tasks[position].output
            rows = config.accumulator_depth // output.width * sink.height // output.height
            count = max(count, -(-sink.height // max(1, rows)))
    last = 0
    while count <= sink.height:
        rows = -(-sink.height // count)
        if rows != last:
            yield count
        last = rows
        count = max(count + 1, count * 9 // 8)
    if last > 1:
        yield sink.height


def array_work(strips: list[Strip], tasks: list[Task],
               config: AcceleratorConfig) -> tuple[int, int]:
    """Array cycles, and bus beats of weights and parameters, that the strips take together."""
    cycles = beats = 0
    for strip in strips:
        beats += strip.lead.beats if strip.lead else 0
        for position, (first, end) in strip.produced.items():
            task = tasks[position]
            if isinstance(task, ConvTask):
                for block in task.blocks(first, end, split=len(strips) == 1):
                    cycles += task.tiles * max(block.pixels, config.fill_steps)
                    beats += task.constant_beats
    return cycles, beats


def vector_overhead(strips: list[Strip], tasks: list[Task]) -> int:
    """Cycles that strips cost a segment of the vector unit alone: commands again, and copies.

    Beside the array they hardly count, since it takes longer.
    """
    if any(tasks[position].on_array for position in strips[0].produced):
        return 0
    again = sum(tasks[position].output.words * WORD_CYCLES
                for strip in strips[1:] for position in strip.produced)
    copied = sum((window.fresh - window.first) * tasks[position].inputs[number].pitch
                 for strip in strips for (position, number), window in strip.windows.items())
    return again + copied


def exposed_cycles(strips: list[Strip], graph: TaskGraph) -> int:
    """Cycles of a program's first load and last store, with which no computation overlaps.

    Before the first strip of a program nothing can be computed, and after its last one nothing is
    left to compute; of a segment in the middle the transfers go on beside its neighbours'. The
    latency of a load and a store of every strip counts too, so that strips do not become tiny.

    Parameters
    ----------
    strips:
        All strips of a segment.
    graph:
        The tasks and maps of the program.
    """
    cycles, lead = 0, strips[0].lead
    if 0 in strips[0].produced:
        cycles = first_load_cycles(strips[0], graph) // (len(lead.rows) if lead else 1)
    last = max(strips[-1].produced)
    if last == len(graph.tasks) - 1:
        low, high = strips[-1].produced[last]
        cycles += _transfer_cycles(graph.tasks[last].output, high - low, graph.config)
    return cycles + 2 * graph.config.dram_latency * len(strips) if cycles else 0


def first_load_cycles(strip: Strip, graph: TaskGraph) -> int:
    """Cycles in which the rows are loaded that a program's first task reads in its first strip."""
    task = graph.tasks[0]
    needs = [task.needs(*strip.produced[0], number) for number in range(len(task.inputs))]
    return sum(_transfer_cycles(source, high - low, graph.config)
               for source, (low, high) in zip(task.inputs, needs, strict=True))


def _transfer_cycles(feature_map: FeatureMap, rows: int, config: AcceleratorConfig) -> int:
    """Cycles in which map rows pass the bus and the port of the activation buffer."""
    beats = feature_map.pitch * config.rows // config.beat_bytes
    if feature_map.part:
        beats = feature_map.part.beats
    elif feature_map.dram:
        beats = feature_map.dram.pitch // config.beat_bytes
    return rows * max(feature_map.pitch, beats)
