"""Tilings: ways to cut a graph's work into commands, of which the cheapest is taken.

Blocks of many pixels fetch weights seldom; blocks of few pixels let a reader begin early and leave
little to post-process at an end. Which is better depends on the layers around. So the accumulators'
whole depth is planned and ordered, then a part of it, then a part of that, until the schedule's
estimated time becomes clearly longer; the shortest is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from .column_parts import cut_columns
from .emission import emit
from .operations import Operation
from .order import Schedule, interleave, schedule
from .plan import Plan, RowsDoNotFitError, make_plan
from .task_graph import TaskGraph
from .tasks import ConvTask

STEP = 4
"""From one depth that is tried to the next, which is so many times smaller."""

MUCH_DEARER = 1.01
"""A depth that costs so many times the best one is the last that is tried."""
GOOD_ENOUGH = 1.005
"""Cycles over those of an array that never waits, with which no other tiling is looked for."""


@dataclass(frozen=True)
class Tiling:
    """A graph's work as commands in an order.

    Members
    -------
    graph:
        The graph that was planned: its tasks know the depth that they may fill.
    plan:
        Residencies, segments and strips.
    operations:
        Operations in the order of the plan.
    scheduled:
        Operations in list order, and their waits.
    cost:
        Estimated cycles, those included that fetching constants is worth.
    """

    graph: TaskGraph
    plan: Plan
    operations: list[Operation]
    scheduled: Schedule
    cost: float


def cheapest_tiling(graph: TaskGraph, beat_cost: float,
                    complete: Callable[[list[Operation]], list[Operation]]) -> Tiling:
    """The tiling of a graph with the least estimated cost.

    Parameters
    ----------
    graph:
        The tasks and maps.
    beat_cost:
        Cycles that one bus beat of constants is worth.
    complete:
        Given the operations of a plan, adds those that no plan has.

    Raises
    ------
    RowsDoNotFitError
        If not even single map rows of a task fit, cut by columns or not.
    """
    best, depth = _tile(graph, beat_cost, complete), graph.config.accumulator_depth // STEP
    enough = GOOD_ENOUGH * _least(graph)
    while best.scheduled.cycles > enough and depth >= graph.config.fill_steps:
        shallower = _tile(_limited(graph, depth), beat_cost, complete)
        if shallower.cost > MUCH_DEARER * best.cost:
            break
        best, depth = min(best, shallower, key=lambda tiling: tiling.cost), depth // STEP
    return best


def _tile(graph: TaskGraph, beat_cost: float,
          complete: Callable[[list[Operation]], list[Operation]]) -> Tiling:
    config = graph.config
    graph, plan = _plan(graph, beat_cost)
    operations = interleave(complete(emit(graph, plan)), config)
    scheduled = schedule(operations, config)
    beats = sum(-(-packet.size // config.beat_bytes)
                for operation in operations for packet in operation.packets)
    return Tiling(graph, plan, operations, scheduled, scheduled.cycles + beat_cost * beats)


def _plan(graph: TaskGraph, beat_cost: float) -> tuple[TaskGraph, Plan]:
    """The plan, and the graph that it is for: cut by columns if map rows do not fit otherwise."""
    try:
        return graph, make_plan(graph, beat_cost)
    except RowsDoNotFitError:
        parts = cut_columns(graph)
        if parts is None:
            raise
        return parts, make_plan(parts, beat_cost)


def _limited(graph: TaskGraph, depth: int) -> TaskGraph:
    """The same graph, whose blocks have at most ``depth`` pixels."""
    config = graph.config.model_copy(update={"accumulator_depth": depth})
    return replace(graph, config=config,
                   tasks=[replace(task, config=config) for task in graph.tasks])


def _least(graph: TaskGraph) -> int:
    """Cycles of an array that never waits."""
    return sum(task.tiles * task.output.height * task.output.width for task in graph.tasks
               if isinstance(task, ConvTask))
