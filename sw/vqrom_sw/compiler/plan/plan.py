"""The plan as data: which maps live where, in which segments and strips the tasks run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum

from ..feature_map import DramLayout, FeatureMap, align
from ..tasks import Lead


class Residency(Enum):
    """Where a feature map lives from the task that makes it to the last one that reads it."""

    RESIDENT = "resident"
    """In the activation buffer, as a whole."""
    FUSED = "fused"
    """Strip by strip in the activation buffer, never whole: its only reader follows at once."""
    SPILLED = "spilled"
    """In DRAM; strips of it pass through the activation buffer."""
    WITHIN = "within"
    """Resident within another map, some words of each of its pixels: see
    :mod:`vqrom_sw.compiler.plan.places`."""

    @property
    def stays(self) -> bool:
        """Whether the activation buffer holds the map as a whole."""
        return self in (Residency.RESIDENT, Residency.WITHIN)


Residencies = dict[FeatureMap, Residency]
"""The residency of every map of a program."""

WindowKey = tuple[int, int]
"""Names an input of a task: the task's position, and which of its inputs it is."""

Span = tuple[int, int]
"""Base and size, in words of the activation buffer."""


@dataclass(frozen=True)
class Segment:
    """Consecutive tasks that run strip by strip together.

    For each strip of the last task's output, every task of the segment makes the map rows that the
    next ones need; so a map between two of them need not be on chip as a whole.

    Members
    -------
    index:
        The segment's number in the plan.
    first, end:
        Positions of its tasks, ``end`` not included.
    """

    index: int
    first: int
    end: int


@dataclass(frozen=True)
class Life:
    """From when to when words of the activation buffer hold maps that stay.

    Members
    -------
    first, last:
        The first and the last segment in which the words are needed. An input is loaded one
        segment ahead: ``first`` may be -1.
    size:
        Words.
    """

    first: int
    last: int
    size: int

    def covers(self, segment: int) -> bool:
        """Whether the words are needed while a segment runs."""
        return self.first <= segment <= self.last


@dataclass
class RowWindow:
    """The map rows of an input that are on chip for one strip.

    Members
    -------
    first, end:
        The map rows.
    fresh:
        The first of them that was not in the window of the strip before: those above it are copied,
        those from it on are loaded or made.
    base:
        Word of the activation buffer at which map row ``first`` lies.
    reload:
        The words of the window before are lost, so that all map rows are loaded again.
    """

    first: int
    end: int
    fresh: int
    base: int = 0
    reload: bool = False


@dataclass
class Strip:
    """One step of a segment: the map rows that are worked on together.

    Members
    -------
    segment:
        Index of the segment.
    produced:
        The output rows ``(first, end)`` that each task makes, by task position.
    windows:
        The windows of inputs that are not resident.
    staging:
        Where rows wait to be stored to DRAM: bases by task position.
    early:
        Its loads may be given out before the computations of the strip before.
    lead:
        How its first task begins before all rows that it reads are loaded: only in the first strip
        of a program.
    """

    segment: int
    produced: dict[int, tuple[int, int]]
    windows: dict[WindowKey, RowWindow]
    staging: dict[int, int] = field(default_factory=dict)
    early: bool = True
    lead: Lead | None = None


@dataclass(frozen=True)
class Plan:
    """What runs when, and where it lies.

    Members
    -------
    segments:
        The segments, in the order in which they run.
    strips:
        The strips of all segments, in the order in which they run.
    residencies:
        The residency of each map.
    bases:
        Where each resident map begins in the activation buffer.
    wholes:
        For each map that lies within another one the outermost of those.
    lives:
        When the words of each resident map are taken. A task may overwrite an input: then
        both maps have the same base and life; a map within another has that one's life.
    scratch:
        Where each spilled map that is neither input nor output lies in DRAM.
    """

    segments: list[Segment]
    strips: list[Strip]
    residencies: Residencies
    bases: dict[FeatureMap, int]
    wholes: dict[FeatureMap, FeatureMap]
    lives: dict[FeatureMap, Life]
    scratch: dict[FeatureMap, DramLayout]

    @property
    def scratch_bytes(self) -> int:
        """Bytes of the SCRATCH region."""
        return max((align(layout.offset + layout.size) for layout in self.scratch.values()),
                   default=0)

    def dram_of(self, feature_map: FeatureMap) -> DramLayout:
        """Where a map lies in DRAM that is an input, an output or spilled.

        Of a part of a map, the layout begins at the part's first column.
        """
        if feature_map.part:
            layout = self.dram_of(feature_map.part.whole)
            return replace(layout, offset=layout.offset + feature_map.part.offset)
        return feature_map.dram or self.scratch[feature_map]
