"""Places within other maps: parts of a concatenation, and selections of consecutive channels.

Where the channels of a concatenation's part fill words, and nothing changes on the way, its words
may lie where they are to go from the beginning: then what makes the part writes them there, and
nothing is copied. Likewise a selection of whole words may be those words of the map that it selects
from. Layers that read or write a map in such a place step over the words between its pixels.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from ..feature_map import FeatureMap
from ..task_graph import TaskGraph
from ..tasks import ElementwiseTask, GatherTask
from .plan import Residencies, Residency


@dataclass(frozen=True)
class Place:
    """Where a map may lie within another one.

    Members
    -------
    whole:
        The other map.
    word:
        Which channel word of it is the map's first.
    """

    whole: FeatureMap
    word: int


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
        if isinstance(task, GatherTask):
            word = task.viewed_words()
            if word is not None and task.output not in excluded:
                places[task.output] = Place(task.inputs[0], word)
            else:
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
        target = task.copied_words(number)
        if target is not None:
            whole, word = outermost(source, places)
            found[whole][target - word] |= set(range(word, word + source.words))
    return {whole: Place(task.output, next(iter(offsets)))
            for whole, offsets in found.items()
            if len(offsets) == 1 and len(*offsets.values()) == whole.words}


def outermost(feature_map: FeatureMap, places: Places) -> tuple[FeatureMap, int]:
    """The map that a map lies within and that lies within none, and the word at which it begins.

    A map that lies within none is its own outermost one.
    """
    word = 0
    while feature_map in places:
        place = places[feature_map]
        feature_map, word = place.whole, word + place.word
    return feature_map, word


def used_places(places: Places, residencies: Residencies) -> dict[FeatureMap, Place]:
    """Those places that a choice of residencies makes use of."""
    return {feature_map: place for feature_map, place in places.items()
            if residencies[feature_map] == Residency.WITHIN}
