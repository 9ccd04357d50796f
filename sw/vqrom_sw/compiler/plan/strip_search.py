"""The search for the number of strips in which a segment costs least."""

from __future__ import annotations

from dataclasses import dataclass

from ..tasks import ConvTask, find_lead
from .placer import Placer, ResidentSpans
from .plan import Residency, RowWindow, Segment, Strip, WindowKey
from .residents import Arrangement
from .strips import (
    array_work,
    exposed_cycles,
    first_load_cycles,
    make_strips,
    strip_counts,
    vector_overhead,
)
from .timeline import Timeline

VARIANTS = ((False, False), (False, True), (True, False))
"""Ways of placing that are tried: ``tight`` and ``flipped`` of :class:`Placer`."""


class NoRoomError(Exception):
    """Maps do not fit the activation buffer while a segment runs.

    Members
    -------
    segment:
        The run of layers whose strips are looked for.
    needed:
        Words that it would need.
    """

    def __init__(self, segment: Segment, needed: int):
        super().__init__(segment, needed)
        self.segment = segment
        self.needed = needed


@dataclass(frozen=True)
class PlacedStrips:
    """Strips of a segment with their places.

    Members
    -------
    strips:
        The strips to place, in the order in which they run.
    timeline:
        The words that are taken after them.
    cost:
        Estimated cycles, those included that fetching weights and parameters is worth.
    stall:
        Cycles among them for which units wait for loads and stores.
    """

    strips: list[Strip]
    timeline: Timeline
    cost: float
    stall: int


@dataclass(frozen=True)
class StripSearch:
    """Tries numbers of strips, few first, and places each.

    Members
    -------
    arrangement:
        Residencies and segments.
    beat_cost:
        Cycles that fetching one more bus beat of weights or parameters is worth.
    """

    arrangement: Arrangement
    beat_cost: float

    def best(self, segment: Segment, time: int, timeline: Timeline,
             spans: ResidentSpans) -> PlacedStrips:
        """The cheapest strips of a segment.

        Parameters
        ----------
        time:
            Number of the segment's first strip in the plan.
        timeline:
            The words that earlier strips take; it is not changed.
        spans:
            Words of resident maps.

        Raises
        ------
        NoRoomError
            If none fit; or if those that fit are so small that letting a map go costs less.
        """
        graph, best, fewest = self.arrangement.graph, None, 0
        for count in strip_counts(segment, graph.tasks, graph.config):
            if best and self._is_hopeless(segment, count, fewest, best.cost):
                break
            placed = self._place(segment, count, time, timeline, spans, may_be_tight=not best)
            if placed:
                fewest = fewest or count
                if best is None or placed.cost < best.cost:
                    best = placed
            if best and best.stall == 0:
                break
        if best is None or (self.arrangement.alive(segment)
                            and self._is_tiny(segment, fewest)):
            raise NoRoomError(segment, self._least_words(segment, spans))
        return best

    def _place(self, segment: Segment, count: int, time: int, timeline: Timeline,
               spans: ResidentSpans, *, may_be_tight: bool) -> PlacedStrips | None:
        """The cheapest placing of a number of strips, or None if there is no room."""
        graph, found = self.arrangement.graph, None
        for tight, flipped in VARIANTS:
            if tight and (found or not may_be_tight):
                continue
            strips = self._strips(segment, count)
            # Nothing that was taken to let units work ahead, if room is tight.
            fork = Timeline(graph.config.activation_words) if tight else timeline.fork()
            placer = Placer(graph.config, graph.tasks, self.arrangement.residencies, fork, tight,
                            flipped)
            if not placer.place(strips, time, spans):
                continue
            stall = placer.stall + exposed_cycles(strips, graph)
            cost = self._work(strips) + stall
            if found is None or cost < found.cost:
                found = PlacedStrips(strips, fork, cost, stall)
            if placer.stall == 0:
                break
        return found

    def _is_hopeless(self, segment: Segment, count: int, fewest: int, cost: float) -> bool:
        """Whether that many strips, or more, cost more than those that are found.

        The more strips, the more their work costs, even if units never wait for transfers. Where
        array and vector unit take turns, they wait for each other in every strip, too, which is in
        no estimate here, so that many strips are not even tried.
        """
        tasks = self.arrangement.graph.tasks[segment.first:segment.end]
        if any(task.alternates for task in tasks) and count > 2 * fewest + 1:
            return True
        return self._work(self._strips(segment, count)) >= cost

    def _work(self, strips: list[Strip]) -> float:
        """Cost of strips whose units never wait for loads and stores."""
        graph = self.arrangement.graph
        cycles, beats = array_work(strips, graph.tasks, graph.config)
        return cycles + vector_overhead(strips, graph.tasks) + self.beat_cost * beats

    def _strips(self, segment: Segment, count: int) -> list[Strip]:
        """Strips without places; the first loads ahead unless its input is not stored yet."""
        graph = self.arrangement.graph
        strips = make_strips(segment, graph.tasks, self.arrangement.residencies, count)
        strips[0].early = not self._loads_last_stores(strips[0])
        first = graph.tasks[0]
        # Rows of the first task need not be among those of the first strip.
        if 0 in strips[0].produced and isinstance(first, ConvTask):
            strips[0].lead = find_lead(first, *strips[0].produced[0],
                                       first_load_cycles(strips[0], graph), self.beat_cost)
        return strips

    def _loads_last_stores(self, strip: Strip) -> bool:
        """Whether a strip loads what the segment before stores, so that it cannot load ahead."""
        arrangement = self.arrangement
        segment, tasks = arrangement.segments[strip.segment], arrangement.graph.tasks
        return any(source.producer is not None and source.producer < segment.first
                   and arrangement.segment_of[source.producer] == segment.index - 1
                   and arrangement.residencies[source] == Residency.SPILLED
                   for position in strip.produced for source in tasks[position].inputs)

    def _least_words(self, segment: Segment, spans: ResidentSpans) -> int:
        """Words that the segment needs in strips of single map rows."""
        tasks, residencies = self.arrangement.graph.tasks, self.arrangement.residencies
        strips = make_strips(segment, tasks, residencies, tasks[segment.end - 1].output.height)
        rows = max(sum(self._window_words(key, window) for key, window in strip.windows.items())
                   + sum((end - first) * tasks[position].output.pitch
                         for position, (first, end) in strip.produced.items()
                         if residencies[tasks[position].output] == Residency.SPILLED)
                   for strip in strips)
        return rows + sum(size for _, size in spans.here)

    def _window_words(self, key: WindowKey, window: RowWindow) -> int:
        """Words that a window takes, those of the one before included if it is still needed."""
        source = self.arrangement.graph.tasks[key[0]].inputs[key[1]]
        # Rows go from one window of a fused map to the next.
        twice = (self.arrangement.residencies[source] == Residency.FUSED
                 and window.fresh > window.first)
        return (window.end - window.first) * source.pitch * (1 + twice)

    def _is_tiny(self, segment: Segment, count: int) -> bool:
        """Whether strips are so small that fetching weights again costs more than a spilled map."""
        config = self.arrangement.graph.config
        for task in self.arrangement.graph.tasks[segment.first:segment.end]:
            pixels = task.output.height * task.output.width
            enough = min(pixels, max(config.fill_steps, config.accumulator_depth // 8))
            if task.on_array and pixels < enough * count:
                return True
        return False
