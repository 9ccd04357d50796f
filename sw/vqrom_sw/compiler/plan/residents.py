"""Maps that stay on chip: which words of the activation buffer they take, from when to when."""

from __future__ import annotations

from dataclasses import dataclass

from ..feature_map import FeatureMap
from ..task_graph import TaskGraph
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
    segments:
        The segments that the residencies lead to.
    segment_of:
        Index of each task's segment.
    owners:
        For each resident map the map whose words it takes: itself, unless a task writes its
        result over an input.
    lives:
        When the words of each owner are taken.
    """

    graph: TaskGraph
    residencies: Residencies
    segments: list[Segment]
    segment_of: list[int]
    owners: dict[FeatureMap, FeatureMap]
    lives: dict[FeatureMap, Life]

    def alive(self, segment: Segment) -> list[FeatureMap]:
        """The resident maps whose words are taken while a segment runs."""
        return [feature_map for feature_map, owner in self.owners.items()
                if self.lives[owner].covers(segment.index)]


def arrange(graph: TaskGraph, residencies: Residencies) -> Arrangement:
    """Find segments and lives for a choice of residencies."""
    segments = make_segments(graph.tasks, residencies)
    segment_of = [segment.index for segment in segments
                  for _ in range(segment.first, segment.end)]
    owners: dict[FeatureMap, FeatureMap] = {}
    for feature_map in graph.maps:
        if residencies[feature_map] == Residency.RESIDENT:
            operand = _overwritten(feature_map, graph, residencies, segments, segment_of)
            owners[feature_map] = feature_map if operand is None else owners[operand]
    return Arrangement(graph, residencies, segments, segment_of, owners,
                       _find_lives(owners, segment_of))


def _overwritten(feature_map: FeatureMap, graph: TaskGraph, residencies: Residencies,
                 segments: list[Segment], segment_of: list[int]) -> FeatureMap | None:
    """The input over which a task may write the map that it makes, if there is one.

    All other readers of that input must be in segments before.
    """
    position = feature_map.producer
    if position is None:
        return None
    segment = segments[segment_of[position]]
    for operand in graph.tasks[position].overwritable:
        others = [reader for reader in operand.consumers if reader != position]
        if (residencies[operand] == Residency.RESIDENT and operand.pitch == feature_map.pitch
                and all(reader < segment.first for reader in others)):
            return operand
    return None


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
