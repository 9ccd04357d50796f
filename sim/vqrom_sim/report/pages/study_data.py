"""What a study's page is made from: columns, points, and what the study says of itself."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from vqrom_hw.errors import VqromError

Value = str | bool | int | float | None
"""What a table's cell may hold; None where there is no value."""


@dataclass(frozen=True)
class StudyColumn:
    """A column of a study's table.

    Members
    -------
    name:
        As the table has it.
    unit:
        Of its numbers; empty for text and plain counts.
    meaning:
        What a value says, in a sentence.
    provenance:
        Where the values come from: an estimator with its version, a file, a formula.
    """

    name: str
    unit: str
    meaning: str
    provenance: str


@dataclass(frozen=True)
class Objective:
    """What makes one point better than another.

    Members
    -------
    column:
        Name of a column of numbers.
    goal:
        Whether less or more of it is better.
    """

    column: str
    goal: Literal["min", "max"] = "min"

    @property
    def sign(self) -> int:
        """What a value is multiplied with so that less is better."""
        return 1 if self.goal == "min" else -1


@dataclass(frozen=True)
class StudyFacts:
    """What a study says of itself.

    Members
    -------
    name, description:
        Its name, and what it asks, in a few sentences.
    axes:
        Names of the columns that were varied.
    objectives:
        What was asked for, most important first.
    versions:
        Versions of the tools, by name.
    hashes:
        SHA-256 or other identities of what went in, by name.
    notes:
        Further facts, by name: sampler, seed, technology, constraints.
    within:
        Columns whose values must be the same for two points to be compared with each other.
    """

    name: str
    description: str
    axes: tuple[str, ...]
    objectives: tuple[Objective, ...]
    versions: Mapping[str, str] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    within: tuple[str, ...] = ()


@dataclass(frozen=True)
class PointTable:
    """The points of a study, column by column; point ``n`` of the page is row ``n``, from 1.

    Members
    -------
    columns:
        What the columns are, in the order in which they are shown.
    values:
        A value for each point, by the column's name. NaN counts as None.
    failures:
        For each point, why it failed; None for a point that has its objectives.
    ranks:
        For each point, its Pareto rank: 1 for those that no other point beats, 2 for those that
        only they beat, and so on; None for points without one.

    Raises
    ------
    VqromError
        If columns are missing or of different lengths, or a value is none of :data:`Value`.
    """

    columns: tuple[StudyColumn, ...]
    values: Mapping[str, Sequence[Any]]
    failures: Sequence[str | None]
    ranks: Sequence[int | None]

    def __post_init__(self):
        names = [column.name for column in self.columns]
        if len(set(names)) < len(names) or set(names) != set(self.values):
            raise VqromError(f"columns of a study must be described once each, but {names!r} are, "
                             f"and there are {list(self.values)!r}")
        for name, values in (*self.values.items(), ("ranks", self.ranks)):
            if len(values) != len(self.failures):
                raise VqromError(f"column {name!r} must have {len(self.failures)} values, one for "
                                 f"each point, not {len(values)}")
        plain = {name: [_plain(name, value) for value in values]
                 for name, values in self.values.items()}
        object.__setattr__(self, "values", plain)

    def __len__(self) -> int:
        return len(self.failures)

    def column(self, name: str) -> StudyColumn:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)

    def label(self, name: str) -> str:
        """A column's name with its unit, unless it has that already: ``clock (MHz)``."""
        unit = self.column(name).unit
        return name if name.lower().endswith(unit.lower()) else f"{name} ({unit})"

    def good(self) -> list[int]:
        """Rows of the points that did not fail."""
        return [row for row, reason in enumerate(self.failures) if reason is None]


def check_facts(table: PointTable, study: StudyFacts) -> None:
    """Check that the table has the axes and objectives of a study.

    Raises
    ------
    VqromError
        If one is missing, or if a point that did not fail has no number for an objective.
    """
    for name in (*study.axes, *study.within, *(objective.column for objective in study.objectives)):
        if name not in table.values:
            raise VqromError(f"study {study.name!r} must have a column for each axis and "
                             f"objective, but has none named {name!r}")
    for objective in study.objectives:
        for row in table.good():
            value = table.values[objective.column][row]
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise VqromError(f"objective {objective.column!r} of point {row + 1} must be a "
                                 f"number, not {value!r}")


def groups_of(table: PointTable, study: StudyFacts) -> dict[tuple[Value, ...], list[int]]:
    """Rows that did not fail, by what points must share to be compared with each other."""
    groups: dict[tuple[Value, ...], list[int]] = {}
    for row in table.good():
        key = tuple(table.values[name][row] for name in study.within)
        groups.setdefault(key, []).append(row)
    return groups


def numbers(table: PointTable, objective: Objective, rows: Sequence[int]) -> list[float]:
    """An objective's values in some rows, which :func:`check_facts` has found to be numbers."""
    values = table.values[objective.column]
    return [value for row in rows if isinstance(value := values[row], int | float)]


def distinct(values: Iterator[Value] | Sequence[Value]) -> list[Value]:
    """The different values: numbers in their order, anything else as it comes."""
    found = list(dict.fromkeys(values))
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in found):
        return sorted(found)  # pyright: ignore[reportArgumentType]
    return found


def shown(value: Any) -> str:
    """A cell as people read it: at most six digits, thousands set apart."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u202f")
    if isinstance(value, float):
        return f"{value:,.0f}".replace(",", "\u202f") if abs(value) >= 1e5 else f"{value:.6g}"
    return str(value)


def brief(value: Any) -> str:
    """As :func:`shown`, but large numbers have four digits and k, M, G or T."""
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) < 99_999.5:
        return shown(value)
    power = min((len(f"{abs(value):.0f}") - 1) // 3, 4)
    return f"{value / 1000 ** power:.4g}\u202f{' kMGT'[power]}"


def _plain(name: str, value: Any) -> Value:
    """The value as JSON has it; numbers of numpy become Python's."""
    if hasattr(value, "item"):
        value = value.item()
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float) and not math.isinf(value):
        return None if math.isnan(value) else value
    raise VqromError(f"column {name!r} must hold text, finite numbers, truth values or nothing, "
                     f"not {value!r}")
