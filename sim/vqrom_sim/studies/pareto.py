"""Pareto fronts: points of which none is better in everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vqrom_hw.errors import VqromError

from .study import ERROR, FEASIBLE, PARETO, Study

Row = dict[str, Any]


def rank_rows(study: Study, rows: Sequence[Row]) -> None:
    """Fill the column ``pareto`` of the rows that can be compared.

    Rows with an error, without a value of an objective, or that break a constraint get None.

    Raises
    ------
    VqromError
        If an objective holds words.
    """
    if not study.file.objectives:
        return
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        row[PARETO] = None
        if comparable(study, row):
            groups.setdefault(tuple(row[name] for name in study.file.compare_within),
                              []).append(row)
    for group in groups.values():
        costs = np.array([costs_of(study, row) for row in group], float)
        for row, rank in zip(group, ranks(costs), strict=True):
            row[PARETO] = int(rank)


def comparable(study: Study, row: Mapping[str, Any]) -> bool:
    """Whether a row was measured, breaks no constraint, and has all objectives."""
    return (not row[ERROR] and row.get(FEASIBLE) is not False
            and all(row[name] is not None for name in study.file.objectives))


def costs_of(study: Study, row: Mapping[str, Any]) -> list[float]:
    """The objectives as numbers of which less is better.

    Raises
    ------
    VqromError
        If an objective is a word.
    """
    found = []
    for name, direction in study.file.objectives.items():
        if isinstance(row[name], str):
            raise VqromError(f"objective {name!r} must be a number, not {row[name]!r}")
        found.append(row[name] if direction == "min" else -row[name])
    return found


def ranks(costs: np.ndarray) -> np.ndarray:
    """The front of each point, 1 the best.

    Parameters
    ----------
    costs:
        float ``[n, objectives]``, less is better.

    Returns
    -------
    np.ndarray
        int ``[n]``: 1 where no point is as good in everything and better in something; 2 the same
        when those are taken away; and so on.
    """
    found = np.zeros(len(costs), int)
    beaten_by = np.array([np.count_nonzero(_beats(costs, one)) for one in costs], int)
    rank = 0
    while not found.all():
        rank += 1
        front = np.flatnonzero((found == 0) & (beaten_by == 0))
        found[front] = rank
        for number in front:
            beaten_by -= _beats(-costs, -costs[number])
    return found


def _beats(costs: np.ndarray, one: np.ndarray) -> np.ndarray:
    """Which points are as good as one in everything, and better in something: bool ``[n]``."""
    return np.all(costs <= one, axis=1) & np.any(costs < one, axis=1)
