"""What a column of a study's table is: unit, meaning, and where its values come from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

Role = Literal["axis", "field", "measure", "derived", "status"]
"""``axis``: varies by the study's wish. ``field``: another property of the point. ``measure``:
simulated or estimated. ``derived``: an expression of the study. ``status``: errors, constraints,
Pareto fronts."""


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Members
    -------
    name:
        As in the table's head; the unit is part of it where it is no count.
    unit:
        ``cycles``, ``bytes``, ``um2``; empty where there is none.
    meaning:
        One sentence.
    provenance:
        What the values come from: the study file, an engine, an estimator.
    role:
        See :data:`Role`.
    """

    name: str
    unit: str
    meaning: str
    provenance: str
    role: Role = "measure"

    def as_dict(self) -> dict[str, str]:
        """The members by name, as ``columns.json`` has them."""
        return asdict(self)
