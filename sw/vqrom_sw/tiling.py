"""Strips: which rows of which maps each step of a group of tasks makes and reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from vqrom_hw.config import AcceleratorConfig

from .allocation import Timeline
from .feature_map import FeatureMap
from .lowering import Task, parts
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
            count = max(count, min(sink.height, -(-output.height // max(
                1, config.accumulator_depth // output.width))))
    last = 0
    while count <= sink.height:
        rows = -(-sink.height // count)
        if rows != last:
            yield count
        last = rows
        count = max(count + 1, count * 9 // 8)


def place_steps(steps: list[Step], tasks: list[Task], residency: Residencies, time: int,
                timeline: Timeline, residents: list[Residents], tight: bool) -> int | None:
    """Give windows and staging places; the number of those that make a unit wait, or None.

    Parameters
    ----------
    time:
        Number of the first step.
    residents:
        Maps that stay, for each step from the one before the first to the one after the last.
    tight:
        Take words for one step only, wherever that is possible.
    """
    waits = 0
    previous: dict[tuple[int, int], int] = {}
    for number, step in enumerate(steps):
        now = time + number
        timeline.forget(now - 1)
        before, here, after = (residents[number + shift] for shift in range(3))
        step.early = step.early and not tight
        for key, window in step.windows.items():
            source = tasks[key[0]].inputs[key[1]]
            size, base = (window.end - window.first) * source.pitch, None
            halo, lost = window.fresh > window.first, previous.get(key) != number - 1
            previous[key] = number
            if residency[source] == Residency.FUSED:
                following = steps[number + 1].windows.get(key) if number + 1 < len(steps) else None
                kept = following and (not tight or following.fresh > following.first)
                last = now + bool(kept)
                base = None if halo and lost else timeline.take(
                    size, now, last, here + (after if last > now else []))
            else:
                if step.early:
                    base = timeline.take(size, now - 1, now, before + here)
                if base is None:
                    waits += step.early
                    step.early, lost = False, True
                    base = timeline.take(size, now, now, here)
                window.reload = halo and lost
            if base is None:
                return None
            window.base = base
        for position, (first, end) in step.produced.items():
            output = tasks[position].output
            if residency[output] != Residency.SPILLED:
                continue
            size = (end - first) * output.pitch
            base = None if tight else timeline.take(size, now, now + 1, here + after)
            if base is None:
                waits += 1
                base = timeline.take(size, now, now, here)
            if base is None:
                return None
            step.staging[position] = base
    return waits
