"""What each axis of a study does to each objective, from points that differ in that axis alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .study_data import Objective, PointTable, StudyFacts, Value, distinct, numbers, shown

FEWEST_PAIRED = 0.25
"""Share of the points away from an axis's first value that must have a partner there."""


@dataclass(frozen=True)
class Effect:
    """How an objective changes along an axis.

    Members
    -------
    axis, objective:
        Of which this says something.
    paired:
        Whether points are compared with those that differ in this axis alone and have its first
        value. If not, because there are few of them, as in a search, the best that any point
        reached is compared with the best of all.
    factors:
        Whether a change is a factor, the geometric mean of those of all pairs; if not, because the
        objective is not above 0 everywhere, a difference, their arithmetic mean.
    values, changes:
        Values of the axis, and the change at each; None where it cannot be said.
    pairs:
        Pairs of points that stand behind each change; all points at the value if not ``paired``.
    """

    axis: str
    objective: Objective
    paired: bool
    factors: bool
    values: tuple[Value, ...]
    changes: tuple[float | None, ...]
    pairs: tuple[int, ...]

    @property
    def summary(self) -> str:
        """The least and the greatest change, and where: ``×0.32 at 1 024 … ×1 at 64``."""
        known = [(change, value) for change, value in zip(self.changes, self.values, strict=True)
                 if change is not None]
        if not known:
            return "–"
        ends = [min(known, key=lambda one: one[0]), max(known, key=lambda one: one[0])]
        if ends[0][0] == ends[1][0]:
            return "no change"
        return " … ".join(f"{self.change_text(change)} at {shown(value)}"
                          for change, value in ends)

    def change_text(self, change: float) -> str:
        """A change with its sign: ``×0.32`` or ``+14``."""
        return f"×{change:.3g}" if self.factors else f"{change:+.4g}"


def effects(table: PointTable, study: StudyFacts) -> list[list[Effect]]:
    """For each axis that takes more than one value, its effect on each objective."""
    rows = table.good()
    found = []
    for axis in study.axes if study.objectives else ():
        values = distinct([table.values[axis][row] for row in rows])
        if len(values) > 1:
            found.append([_effect(table, study, axis, values, objective, rows)
                          for objective in study.objectives])
    return found


def _effect(table: PointTable, study: StudyFacts, axis: str, values: Sequence[Value],
            objective: Objective, rows: Sequence[int]) -> Effect:
    reached = dict(zip(rows, numbers(table, objective, rows), strict=True))
    at = table.values[axis]
    others = [table.values[name] for name in study.axes if name != axis]
    first = {tuple(column[row] for column in others): reached[row]
             for row in rows if at[row] == values[0]}
    pairs: dict[Value, list[tuple[float, float]]] = {value: [] for value in values}
    for row in rows:
        base = first.get(tuple(column[row] for column in others))
        if base is not None:
            pairs[at[row]].append((base, reached[row]))
    positive = min(reached.values()) > 0
    if sum(len(pairs[value]) for value in values[1:]) < FEWEST_PAIRED * (
            len(rows) - len(pairs[values[0]])):
        return _best(axis, objective, values, [(at[row], reached[row]) for row in rows], positive)
    mean = _ratio if positive else _difference
    return Effect(axis, objective, True, positive, tuple(values),
                  tuple(mean(pairs[value]) if pairs[value] else None for value in values),
                  tuple(len(pairs[value]) for value in values))


def _best(axis: str, objective: Objective, values: Sequence[Value],
          points: Sequence[tuple[Value, float]], positive: bool) -> Effect:
    """The best that points with each value reached."""
    pick: Callable[..., float] = min if objective.goal == "min" else max
    reached = [[number for at, number in points if at == value] for value in values]
    whole = pick(number for _, number in points)
    return Effect(axis, objective, False, positive, tuple(values),
                  tuple(pick(group) / whole if positive else pick(group) - whole
                        for group in reached), tuple(map(len, reached)))


def _ratio(pairs: Sequence[tuple[float, float]]) -> float:
    return math.exp(sum(math.log(value / base) for base, value in pairs) / len(pairs))


def _difference(pairs: Sequence[tuple[float, float]]) -> float:
    return sum(value - base for base, value in pairs) / len(pairs)
