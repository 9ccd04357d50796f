"""TODO."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from vqrom_sw.compiler.feature_map import FeatureMap


@dataclass(frozen=True)
class Plan:
    """What runs when, and where it lies.

    Members
    -------
    steps:
        In order.
    residency:
        Of every map.
    bases:
        Places of those that stay.
    groups:
        That the steps belong to.
    """

    steps: list[Step]
    residency: Residencies
    bases: dict[FeatureMap, int]
    groups: list[Group]


class Residency(Enum):
    """Where a map lies while it is needed."""

    RESIDENT = "resident"
    """In the activation buffer, as a whole."""
    FUSED = "fused"
    """Strip by strip in the activation buffer: its only reader follows at once."""
    SPILLED = "spilled"
    """In DRAM, with strips of it in the activation buffer."""


Residencies = dict[FeatureMap, Residency]
Residents = list[tuple[int, int]]
"""Base and size of maps that stay."""


@dataclass
class Window:
    """Rows of an input for one step.

    Members
    -------
    first, end:
        Rows.
    fresh:
        First row that is not in the window of the step before.
    base:
        Place in the activation buffer.
    reload:
        Rows of the window before are lost: load them again.
    """

    first: int
    end: int
    fresh: int
    base: int = 0
    reload: bool = False


@dataclass
class Step:
    """One strip.

    Members
    -------
    group:
        Index of the group.
    produced:
        Rows ``(first, end)`` by task position.
    windows:
        Of inputs that are not resident, by task position and input number.
    staging:
        Places of rows that go to DRAM, by task position.
    early:
        Loads may come before the computations of the step before.
    """

    group: int
    produced: dict[int, tuple[int, int]]
    windows: dict[tuple[int, int], Window]
    staging: dict[int, int] = field(default_factory=dict)
    early: bool = True


@dataclass(frozen=True)
class Group:
    """Consecutive tasks ``first`` to ``end`` that run strip by strip, one within the other."""

    index: int
    first: int
    end: int
