"""Strips: which rows of which maps each step of a group of tasks makes and reads."""

from __future__ import annotations

from collections.abc import Iterator

from vqrom_hw.config import AcceleratorConfig
from vqrom_sw.compiler.tasks import ConvTask, GlobalAverageTask, Task, parts

from .plan import Group, Residencies, Residency, Step, Window


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
