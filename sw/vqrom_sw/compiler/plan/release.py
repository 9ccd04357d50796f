"""Which map to let go from the activation buffer when there is no room."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from ..feature_map import FeatureMap
from ..tasks import ConvTask, Task
from .plan import Plan, Residencies, Residency, Segment
from .residents import Arrangement


def release(arrangement: Arrangement, segment: Segment) -> Residencies | None:
    """Residencies with one map less on chip while a segment runs; None if none can go.

    First maps are set apart whose whole is not needed yet or no more. Fused is better than spilled,
    since it costs no DRAM traffic; among maps alike in that the largest goes.
    """
    residencies, alive = arrangement.residencies, arrangement.alive(segment)
    apart = _set_apart(arrangement, segment, alive)
    if apart:
        return residencies | {apart: Residency.RESIDENT}
    options = [feature_map for feature_map in alive
               if residencies[feature_map] == Residency.RESIDENT]
    if not options:
        return _cut_chain(arrangement, segment)
    tasks = arrangement.graph.tasks
    fusible = [feature_map for feature_map in options if _is_fusible(feature_map, arrangement)]
    # A reader on the vector unit works while the array goes on; one on the array cannot.
    chosen = max(fusible or options, key=lambda feature_map: (
        bool(fusible) and not tasks[feature_map.consumers[0]].on_array, feature_map.size))
    changed = Residency.FUSED if fusible else Residency.SPILLED
    inside = [feature_map for feature_map, place in arrangement.places.items()
              if place.whole is chosen]
    return residencies | dict.fromkeys(inside, Residency.RESIDENT) | {chosen: changed}


def _set_apart(arrangement: Arrangement, segment: Segment,
               alive: list[FeatureMap]) -> FeatureMap | None:
    """The map that lies within another for which most words are kept too long; None if none is."""
    def is_used(feature_map: FeatureMap) -> bool:
        positions = [position for position in (feature_map.producer, *feature_map.consumers)
                     if position is not None]
        used = [arrangement.segment_of[position] for position in positions]
        return min(used) <= segment.index <= max(used)

    kept = {feature_map: place.whole.size - feature_map.size
            for feature_map, place in arrangement.places.items()
            if feature_map in alive and is_used(feature_map) and not is_used(place.whole)}
    return max(kept, key=kept.__getitem__, default=None)


def _cut_chain(arrangement: Arrangement, segment: Segment) -> Residencies | None:
    """Residencies in which a chain of fused maps is cut at its smallest map."""
    residencies = arrangement.residencies
    fused = [task.output for task in arrangement.graph.tasks[segment.first:segment.end]
             if residencies[task.output] == Residency.FUSED]
    if not fused:
        return None
    smallest = min(fused, key=lambda feature_map: feature_map.size)
    return residencies | {smallest: Residency.SPILLED}


def widen_strips(tasks: list[Task], plan: Plan) -> Residencies | None:
    """Residencies in which a chain that runs row by row is cut; None if there is no such chain.

    Where array and vector unit take turns, they wait for each other in every strip, and the rows
    that two strips share are copied. In strips of single rows that takes longer than a map over
    DRAM beside other work. The smallest map that goes from array to array is spilled: nothing is
    handed over between the units there.
    """
    strips = Counter(strip.segment for strip in plan.strips)
    for segment in plan.segments:
        members = tasks[segment.first:segment.end]
        rows = members[-1].output.height
        if rows == 1 or strips[segment.index] < rows \
                or not any(task.alternates for task in members):
            continue
        between = [task.output for task, reader in pairwise(members)
                   if plan.residencies[task.output] == Residency.FUSED
                   and task.on_array and reader.on_array]
        if between:
            smallest = min(between, key=lambda feature_map: feature_map.size)
            return plan.residencies | {smallest: Residency.SPILLED}
    return None


def _is_fusible(feature_map: FeatureMap, arrangement: Arrangement) -> bool:
    """Whether a map can be fused, and fetching weights again costs less than it over DRAM.

    An output cannot: its reader may need fewer map rows than are to be stored.
    """
    producer, tasks = feature_map.producer, arrangement.graph.tasks
    if producer is None or feature_map.is_output or feature_map.consumers != [producer + 1]:
        return False
    reader = tasks[producer + 1]
    if not reader.on_array:
        return True
    config = arrangement.graph.config
    weights = 0
    for task in (tasks[producer], reader):
        if isinstance(task, ConvTask):
            pixels = task.output.height * task.output.width
            weights += -(-pixels // config.accumulator_depth) * task.weight_bytes
    return weights < 2 * feature_map.size * config.rows
