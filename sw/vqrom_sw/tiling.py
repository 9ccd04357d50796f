"""Strips: which rows of which maps each step of a group of tasks makes and reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from vqrom_hw.config import AcceleratorConfig

from .allocation import Timeline
from .feature_map import FeatureMap
from .lowering import Task, parts
from .lowering_conv import ConvTask
from .lowering_vector import GlobalAverageTask


class Residency(Enum):
    """Where a map lies while it is needed."""

    RESIDENT = "resident"
    """In the activation buffer, as a whole."""
    FUSED = "fused"
    """Strip by strip in the activation buffer: its only reader follows at once."""
    SPILLED = "spilled"
    """In DRAM, with strips of it in the activation buffer."""


Residencies = dict[FeatureMap, Residency]
Residents = list[tuple[int, int]]
"""Base and size of maps that stay."""


@dataclass
class Window:
    """Rows of an input for one step.

    Members
    -------
    first, end:
        Rows.
    fresh:
        First row that is not in the window of the step before.
    base:
        Place in the activation buffer.
    reload:
        Rows of the window before are lost: load them again.
    """

    first: int
    end: int
    fresh: int
    base: int = 0
    reload: bool = False


@dataclass
class Step:
    """One strip.

    Members
    -------
    group:
        Index of the group.
    produced:
        Rows ``(first, end)`` by task position.
    windows:
        Of inputs that are not resident, by task position and input number.
    staging:
        Places of rows that go to DRAM, by task position.
    early:
        Loads may come before the computations of the step before.
    """

    group: int
    produced: dict[int, tuple[int, int]]
    windows: dict[tuple[int, int], Window]
    staging: dict[int, int] = field(default_factory=dict)
    early: bool = True


@dataclass(frozen=True)
class Group:
    """Consecutive tasks ``first`` to ``end`` that run strip by strip, one within the other."""

    index: int
    first: int
    end: int


def make_groups(tasks: list[Task], residency: Residencies) -> list[Group]:
    """Fused tasks together; vector tasks with the one before that feeds them."""
    groups: list[Group] = []
    for position, task in enumerate(tasks):
        joins = any(source.producer == position - 1 and _joins(task, residency[source])
                    for source in task.inputs if source.producer is not None)
        if joins and groups:
            groups[-1] = Group(groups[-1].index, groups[-1].first, position + 1)
        else:
            groups.append(Group(len(groups), position, position + 1))
    return groups


def _joins(task: Task, residency: Residency) -> bool:
    if residency == Residency.FUSED:
        return True
    return (residency == Residency.RESIDENT and not task.on_array
            and not isinstance(task, GlobalAverageTask))


def make_steps(group: Group, tasks: list[Task], residency: Residencies,
               strips: int) -> list[Step]:
    """Cut a group's last output into strips, and find out what each needs."""
    sink = tasks[group.end - 1]
    members = range(group.first, group.end)
    readers = {position: [reader for reader in tasks[position].output.consumers
                          if reader < group.end] for position in members}
    done = dict.fromkeys(members, 0)
    loaded: dict[tuple[int, int], int] = {}
    steps = []
    edges = [end for _, end in parts(sink.output.height, -(-sink.output.height // strips))]
    for end in edges:
        ends = {group.end - 1: end}
        for position in reversed(members[:-1]):
            output = tasks[position].output
            whole = end == edges[-1] and residency[output] != Residency.FUSED
            ends[position] = output.height if whole else max(
                done[position], *(tasks[reader].needs(0, ends[reader])[1]
                                  for reader in readers[position] if ends[reader]), 0)
        produced = {position: (done[position], ends[position]) for position in members
                    if ends[position] > done[position]}
        windows = {}
        for position, (first, stop) in produced.items():
            for number, source in enumerate(tasks[position].inputs):
                if residency[source] == Residency.RESIDENT:
                    continue
                low, high = tasks[position].needs(first, stop)
                before = loaded.get((position, number), 0)
                if residency[source] == Residency.FUSED and source.producer in produced:
                    low = min(low, produced[source.producer][0])
                    high = max(high, produced[source.producer][1])
                high = max(low, high)
                windows[position, number] = Window(low, high, min(max(low, before), high))
                loaded[position, number] = max(before, high)
        done.update(ends)
        steps.append(Step(group.index, produced, windows))
    return steps


def strip_counts(group: Group, tasks: list[Task],
                 config: AcceleratorConfig) -> Iterator[int]:
    """Numbers of strips to try, the fewest that fit the accumulators first."""
    sink = tasks[group.end - 1].output
    count = 1
    for position in range(group.first, group.end):
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


@dataclass
class Placer:
    """Gives windows and staging places.

    A step is two units of time: rows of the step before are stored in the first, those of the next
    one loaded in the second, if need be into the same words.

    Members
    -------
    config, tasks, residency:
        What there is.
    timeline:
        Words taken so far.
    tight:
        Take words for one step only, wherever that is possible.
    flipped:
        Windows at the top and the rest at the bottom, not the other way round.
    """

    config: AcceleratorConfig
    tasks: list[Task]
    residency: Residencies
    timeline: Timeline
    tight: bool
    flipped: bool
    stall: int = 0

    def place(self, steps: list[Step], time: int, residents: list[Residents]) -> int | None:
        """Cycles for which units wait for loads and stores, or None if there is no room.

        Parameters
        ----------
        time:
            Number of the first step.
        residents:
            Maps that stay in the group before, this one and the one after.
        """
        previous: dict[tuple[int, int], int] = {}
        self._find_sizes(steps)
        for number, step in enumerate(steps):
            now, last = 2 * (time + number), number + 1 == len(steps)
            self.timeline.forget(now - 2)
            following = None if last else steps[number + 1]
            before = residents[0] + residents[1] if number == 0 else residents[1]
            after = residents[1] + residents[2] if last else residents[1]
            step.early = step.early and not self.tight
            for key, window in step.windows.items():
                lost = previous.get(key) != number - 1
                previous[key] = number
                source = self.tasks[key[0]].inputs[key[1]]
                base = self._fused(key, window, following, now, residents[1], lost) \
                    if self.residency[source] == Residency.FUSED \
                    else self._window(step, key, now, (before, residents[1]), lost)
                if base is None:
                    return None
                window.base = base
            for position in step.produced:
                output = self.tasks[position].output
                if self.residency[output] == Residency.SPILLED:
                    base = self._staging(self._staged[position], now, (residents[1], after))
                    if base is None:
                        return None
                    step.staging[position] = base
        return self.stall

    def _find_sizes(self, steps: list[Step]) -> None:
        """Words of windows and staging: all of a kind alike, so that one fits where one was."""
        self._sizes: dict[tuple[int, int], int] = {}
        self._staged: dict[int, int] = {}
        for step in steps:
            for key, window in step.windows.items():
                size = (window.end - window.first) * self.tasks[key[0]].inputs[key[1]].pitch
                self._sizes[key] = max(size, self._sizes.get(key, 0))
            for position, (first, end) in step.produced.items():
                size = (end - first) * self.tasks[position].output.pitch
                self._staged[position] = max(size, self._staged.get(position, 0))

    def _fused(self, key: tuple[int, int], window: Window, following: Step | None, now: int,
               residents: Residents, lost: bool) -> int | None:
        halo = window.fresh > window.first
        after = following and following.windows.get(key)
        kept = after and (not self.tight or after.fresh > after.first)
        return None if halo and lost else self.timeline.take(
            self._sizes[key], now, now + (3 if kept else 1), residents, not self.flipped)

    def _window(self, step: Step, key: tuple[int, int], now: int,
                residents: tuple[Residents, Residents], lost: bool) -> int | None:
        size, window, base = self._sizes[key], step.windows[key], None
        before, here = residents
        for begin in (now - 2, now - 1) if step.early else ():
            if base is None:
                base = self.timeline.take(size, begin, now + 1, before, self.flipped)
        if base is None:
            step.early, lost = False, True
            base = self.timeline.take(size, now, now + 1, here, self.flipped)
            self.stall += self._beats(size)
        window.reload = lost and window.fresh > window.first
        return base

    def _staging(self, size: int, now: int,
                 residents: tuple[Residents, Residents]) -> int | None:
        here, after = residents
        base = None if self.tight else self.timeline.take(size, now, now + 2, after,
                                                          not self.flipped)
        if base is None:
            base = self.timeline.take(size, now, now + 1, here, not self.flipped)
            self.stall += self._beats(size)
        return base

    def _beats(self, words: int) -> int:
        """Cycles that a transfer takes by itself."""
        return words * max(1, self.config.rows // self.config.beat_bytes) \
            + 2 * self.config.dram_latency


def work_of(steps: list[Step], tasks: list[Task], config: AcceleratorConfig) -> tuple[int, int]:
    """Cycles of the array, and beats of weights and parameters, for all steps of a group."""
    cycles = beats = 0
    for step in steps:
        for position, (first, end) in step.produced.items():
            task = tasks[position]
            if isinstance(task, ConvTask):
                for y0, y1, x0, x1 in task.blocks(first, end):
                    cycles += task.tiles * max((y1 - y0) * (x1 - x0), config.fill_steps)
                    beats += task.constant_beats
    return cycles, beats
