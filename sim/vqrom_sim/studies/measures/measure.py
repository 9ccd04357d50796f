"""What a measure is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..context import Context
from ..definition import Column, Scalar
from ..point import Point
from ..work import Result, Work


@dataclass(frozen=True)
class Measure:
    """A group of columns, and how they come about.

    Members
    -------
    name:
        As a study file has it in ``measures``.
    columns:
        The columns that it fills.
    fields:
        Those of :class:`vqrom_sim.studies.fields.PointOptions` that its figures depend on. Fields
        of the configuration need not be named.
    works:
        The work that a point needs; equal work of other points and measures is done once.
    figures:
        The columns of a point from the results of its work, in the same order. Quick: it runs
        again whenever the table is made, and is a function of its arguments alone.
    """

    name: str
    columns: tuple[Column, ...]
    fields: frozenset[str]
    works: Callable[[Point, Context], Sequence[Work]]
    figures: Callable[[Point, Context, Sequence[Result]], dict[str, Scalar]]
