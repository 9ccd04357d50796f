"""Maps that stay on chip: which words of the activation buffer they take, from when to when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..feature_map import FeatureMap
from ..task_graph import TaskGraph
from .places import Places, outermost, used_places
from .plan import Life, Residencies, Residency, Segment
from .segments import make_segments


@dataclass(frozen=True)
class Arrangement:
    """A choice of residencies and what follows from it, before anything has a place.

    Members
    -------
    graph:
        The tasks and maps.
    residencies:
        The residency of each map.
    places:
        Where maps lie within others.
    segments:
        The segments that the residencies lead to.
    segment_of:
        Index of each task's segment.
    owners:
        For each map that stays the map whose words it takes: itself, unless it lies within
        another, or a task writes its result over an input.
    lives:
        When the words of each owner are taken.
    """

    graph: TaskGraph
    residencies: Residencies
    places: Places
    segments: list[Segment]
    segment_of: list[int]
    owners: dict[FeatureMap, FeatureMap]
    lives: dict[FeatureMap, Life]

    def alive(self, segment: Segment) -> list[FeatureMap]:
        """The maps on chip as a whole whose words are taken while a segment runs."""
        return [feature_map for feature_map, owner in self.owners.items()
                if self.lives[owner].covers(segment.index)]


def arrange(graph: TaskGraph, residencies: Residencies, places: Places) -> Arrangement:
    """Find segments and lives for a choice of residencies.

    ``places`` are all that there can be: see :func:`vqrom_sw.compiler.plan.places.find_places`.
    """
    segments, places = make_segments(graph.tasks, residencies), used_places(places, residencies)
    segment_of = [segment.index for segment in segments
                  for _ in range(segment.first, segment.end)]
    readers = {feature_map: set(feature_map.consumers) for feature_map in graph.maps}
    for feature_map in places:
        readers[outermost(feature_map, places).whole] |= set(feature_map.consumers)
    owners: dict[FeatureMap, FeatureMap] = {}
    for feature_map in graph.maps:
        if residencies[feature_map] == Residency.RESIDENT:
            operands = _overwritable(feature_map, graph, residencies, readers, segments, segment_of)
            owners[feature_map] = owners[operands[0]] if operands else feature_map
    for feature_map in places:
        owners[feature_map] = owners[outermost(feature_map, places).whole]
    return Arrangement(graph, residencies, places, segments, segment_of, owners,
                       _find_lives(owners, segment_of))


def _overwritable(feature_map: FeatureMap, graph: TaskGraph, residencies: Residencies,
                  readers: Mapping[FeatureMap, set[int]], segments: list[Segment],
                  segment_of: list[int]) -> list[FeatureMap]:
    """The inputs over which a task may write the map that it makes.

    All other readers of what lies there must be in segments before.
    """
    position = feature_map.producer
    if position is None:
        return []
    first = segments[segment_of[position]].first
    return [operand for operand in graph.tasks[position].overwritable
            if residencies[operand] == Residency.RESIDENT and operand.pitch == feature_map.pitch
            and all(reader < first for reader in readers[operand] - {position})]


def _find_lives(owners: dict[FeatureMap, FeatureMap],
                segment_of: list[int]) -> dict[FeatureMap, Life]:
    """When the words of each owner are needed by any of the maps that lie there."""
    lives: dict[FeatureMap, Life] = {}
    for feature_map, owner in owners.items():
        readers = [segment_of[reader] for reader in feature_map.consumers]
        # An input is loaded while the segment before its first reader runs.
        first = min(readers) - 1 if feature_map.producer is None \
            else segment_of[feature_map.producer]
        last, size = max(readers, default=first), feature_map.size
        if owner in lives:
            before = lives[owner]
            first, last = min(first, before.first), max(last, before.last)
            size = max(size, before.size)
        lives[owner] = Life(first, last, size)
    return lives
