"""Places within other maps: parts of concatenations, selections of channels, rows by themselves.

Where the channels of a concatenation's part fill words, and nothing changes on the way, its words
may lie where they are to go from the beginning: then what makes the part writes them there, and
nothing is copied. Likewise a selection of whole words may be those words of the map that it selects
from, and rows of a map from which others are taken off may be those rows. Layers that read or write
a map in such a place step over the words between its pixels.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from ..feature_map import FeatureMap
from ..task_graph import TaskGraph
from ..tasks import ElementwiseTask, GatherTask, PadTask
from .plan import Residencies, Residency


@dataclass(frozen=True)
class Place:
    """Where a map may lie within another one.

    Members
    -------
    whole:
        The other map.
    word, row:
        Which channel word and which map row of it are the map's first.
    """

    whole: FeatureMap
    word: int
    row: int = 0

    @property
    def offset(self) -> int:
        """Words from the beginning of the other map, which has words by itself."""
        return self.row * self.whole.pitch + self.word


Places = Mapping[FeatureMap, Place]
"""The place of each map that may lie within another one."""


def find_places(graph: TaskGraph) -> dict[FeatureMap, Place]:
    """The places that maps can have within others, if all of those stay on chip.

    Maps that are in DRAM too have none, since transfers move whole pixels; and neither do operands
    of an element-wise operation, both of which must step alike. Places may be those within maps
    that do not stay on chip: :func:`used_places` tells which a plan makes use of.
    """
    operands = {source for task in graph.tasks if isinstance(task, ElementwiseTask)
                for source in task.walked if source.width * source.height > 1}
    excluded = operands | {feature_map for feature_map in graph.maps
                           if feature_map.dram or feature_map.part}
    places: dict[FeatureMap, Place] = {}
    for task in graph.tasks:
        if isinstance(task, GatherTask | PadTask) and task.output not in excluded \
                and (view := task.viewed()) is not None:
            places[task.output] = Place(task.inputs[0], *view)
        elif isinstance(task, GatherTask):
            places |= {part: place for part, place in _parts(task, places).items()
                       if part not in excluded}
    return places


def _parts(task: GatherTask, places: Places) -> dict[FeatureMap, Place]:
    """The maps all of whose words become words of a task's output, in the same order.

    These are the task's inputs, or maps that have those within them: two halves of a map that come
    together again are the map, and a concatenation may go on with a longer one.
    """
    found: dict[FeatureMap, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for number, source in enumerate(task.inputs):
        target, place = task.copied_words(number), outermost(source, places)
        if target is not None and place.whole.height == source.height:
            words = range(place.word, place.word + source.words)
            found[place.whole][target - place.word] |= set(words)
    return {whole: Place(task.output, next(iter(offsets)))
            for whole, offsets in found.items()
            if len(offsets) == 1 and len(*offsets.values()) == whole.words}


def outermost(feature_map: FeatureMap, places: Places) -> Place:
    """The place of a map within the outermost one, which lies within none; perhaps it is that."""
    found = Place(feature_map, 0)
    while place := places.get(found.whole):
        found = Place(place.whole, found.word + place.word, found.row + place.row)
    return found


def used_places(places: Places, residencies: Residencies) -> dict[FeatureMap, Place]:
    """Those places that a choice of residencies makes use of."""
    return {feature_map: place for feature_map, place in places.items()
            if residencies[feature_map] == Residency.WITHIN}
