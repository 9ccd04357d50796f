"""The plan of a program: which maps stay on chip, and in which strips the others pass through.

The planner begins with every map on chip that need not be in DRAM. While something does not fit, it
lets one map go and tries again: fused if its only reader follows at once, else spilled. Then chains
of fused maps that leave room for strips of single rows only are cut where that costs least.
"""

from __future__ import annotations

from vqrom_hw.errors import VqromError
from vqrom_hw.isa import Region

from ..feature_map import DramLayout, FeatureMap, align, word_layout
from ..task_graph import TaskGraph
from .placer import ResidentSpans
from .places import Places, find_places, outermost
from .plan import Life, Plan, Residencies, Residency, Segment, Span, Strip
from .release import release, widen_strips
from .residents import Arrangement, arrange
from .strip_search import NoRoomError, StripSearch
from .timeline import Timeline, place_lives

BEAT_COST = 1.0
"""Cycles that strips may take longer for each bus beat of constants that they save, by default."""


def make_plan(graph: TaskGraph, beat_cost: float = BEAT_COST) -> Plan:
    """Decide where every map lives, and in which strips the tasks run.

    Parameters
    ----------
    graph:
        The tasks and maps.
    beat_cost:
        Cycles that one bus beat of weights or parameters is worth, when strips are compared.

    Raises
    ------
    RowsDoNotFitError
        If not even single map rows fit the activation buffer.
    """
    places = find_places(graph)
    plan = _fitting_plan(graph, _first_residencies(graph, places), places, beat_cost)
    while (residencies := widen_strips(graph.tasks, plan)) is not None:
        try:
            plan = _fitting_plan(graph, residencies, places, beat_cost)
        except VqromError:
            break
    return plan


def _fitting_plan(graph: TaskGraph, residencies: Residencies, places: Places,
                  beat_cost: float) -> Plan:
    """The first plan that fits, letting one map go after the other from given residencies."""
    while True:
        arrangement = arrange(graph, residencies, places)
        try:
            return _make_plan(arrangement, beat_cost)
        except NoRoomError as error:
            released = release(arrangement, error.segment)
            if released is None:
                raise _no_room(graph, error) from None
            residencies = released


def _first_residencies(graph: TaskGraph, places: Places) -> Residencies:
    """All maps on chip, but for inputs that one task reads, outputs that none does, and parts.

    An output with other maps within it stays, too.
    """
    in_parts = {piece.part.whole for piece in graph.maps if piece.part}
    wholes = {place.whole for place in places.values()}

    def passes_through(feature_map: FeatureMap) -> bool:
        readers = len(feature_map.consumers)
        return (feature_map.part is not None or feature_map in in_parts
                or (feature_map.is_output and not readers and feature_map not in wholes)
                or (feature_map.is_input and readers == 1))

    def residency(feature_map: FeatureMap) -> Residency:
        if passes_through(feature_map):
            return Residency.SPILLED
        place = places.get(feature_map)
        return Residency.WITHIN if place and not passes_through(place.whole) \
            else Residency.RESIDENT

    return {feature_map: residency(feature_map) for feature_map in graph.maps}


class RowsDoNotFitError(VqromError):
    """Not even single map rows of a layer fit the activation buffer."""


def _no_room(graph: TaskGraph, error: NoRoomError) -> RowsDoNotFitError:
    config, name = graph.config, graph.tasks[error.segment.end - 1].name
    return RowsDoNotFitError(
        f"layer {name!r}: its feature maps must fit activation_words "
        f"{config.activation_words} of config {config.name!r}, not {error.needed!r} words")


def _make_plan(arrangement: Arrangement, beat_cost: float) -> Plan:
    """The plan for a choice of residencies; NoRoomError if something does not fit."""
    graph, lives = arrangement.graph, arrangement.lives
    bases = _place_residents(arrangement)
    spans = {owner: (bases[owner], life.size) for owner, life in lives.items()}
    search = StripSearch(arrangement, beat_cost)
    timeline = Timeline(graph.config.activation_words)
    strips: list[Strip] = []
    for segment in arrangement.segments:
        placed = search.best(segment, len(strips), timeline,
                             _spans_around(segment, lives, spans))
        strips += placed.strips
        timeline = placed.timeline
    owners = arrangement.owners
    within = {feature_map: outermost(feature_map, arrangement.places)
              for feature_map in arrangement.places}
    starts = {feature_map: bases[owner] for feature_map, owner in owners.items()}
    starts |= {feature_map: starts[feature_map] + place.offset
               for feature_map, place in within.items()}
    return Plan(arrangement.segments, strips, arrangement.residencies, starts,
                {feature_map: place.whole for feature_map, place in within.items()},
                {feature_map: lives[owner] for feature_map, owner in owners.items()},
                _place_scratch(graph, arrangement.residencies))


def _place_residents(arrangement: Arrangement) -> dict[FeatureMap, int]:
    """Bases of the maps that stay."""
    owners, lives = list(arrangement.lives), list(arrangement.lives.values())
    bases, failed = place_lives(lives, arrangement.graph.config.activation_words)
    if failed is not None:
        raise _crowded(arrangement.segments, lives, failed)
    return dict(zip(owners, bases, strict=True))


def _crowded(segments: list[Segment], lives: list[Life], failed: int) -> NoRoomError:
    """The error that names the fullest segment during a life for which there is no room."""
    words = {index: sum(life.size for life in lives if life.covers(index))
             for index in range(max(lives[failed].first, 0), lives[failed].last + 1)}
    fullest = max(words, key=lambda index: words[index])
    return NoRoomError(segments[min(fullest, len(segments) - 1)], words[fullest])


def _spans_around(segment: Segment, lives: dict[FeatureMap, Life],
                  spans: dict[FeatureMap, Span]) -> ResidentSpans:
    """The words of resident maps before, during and after a segment."""
    before, here, after = ([spans[owner] for owner, life in lives.items() if life.covers(index)]
                           for index in range(segment.index - 1, segment.index + 2))
    return ResidentSpans(before, here, after)


def _place_scratch(graph: TaskGraph, residencies: Residencies) -> dict[FeatureMap, DramLayout]:
    """Places in the SCRATCH region of the maps that are spilled, one after the other."""
    places: dict[FeatureMap, DramLayout] = {}
    size = 0
    for feature_map in graph.maps:
        if (residencies[feature_map] == Residency.SPILLED and feature_map.dram is None
                and feature_map.part is None):
            shape = (feature_map.height, feature_map.width, feature_map.words * graph.config.rows)
            layout = word_layout(feature_map, shape, Region.SCRATCH, size, graph.config)
            places[feature_map] = layout
            size = align(size + layout.size)
    return places
