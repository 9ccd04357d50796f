"""The page of a study: best points, Pareto plots, what each axis does, all points, failures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .drawing import FAINT, PALETTE, SYMBOLS
from .effects import effects
from .shell import figure, write_page
from .study_data import (
    Objective,
    PointTable,
    StudyFacts,
    brief,
    check_facts,
    distinct,
    groups_of,
    numbers,
    shown,
)
from .study_figures import effect_figures, parallel_figure, pareto_figures

MOST_NAMED = 20
"""Failed points that are named for each reason, and points of the front without scripts."""


def study_page(table: PointTable, study: StudyFacts, path: Path) -> None:
    """Write a study's page, which needs no other file and no network.

    Parameters
    ----------
    table:
        Its points.
    study:
        What it says of itself.
    path:
        Where the HTML goes.

    Raises
    ------
    VqromError
        If the table lacks an axis or an objective, an objective is not a number, or the file cannot
        be written.
    """
    check_facts(table, study)
    write_page(path, "study.html.j2", ["study.js"], **study_view(table, study))


def study_view(table: PointTable, study: StudyFacts) -> dict[str, Any]:
    """What the template shows."""
    good = table.good()
    found = effects(table, study) if good else []
    front = [row for row in good if table.ranks[row] == 1]
    names = [*study.axes, *(objective.column for objective in study.objectives)]
    return {
        "study": study, "columns": table.columns, "shown": shown, "brief": brief,
        "label": table.label, "points": len(table), "good": len(good), "front": front,
        "best": best_points(table, study), "failures": failures(table),
        "effects": [(group[0].axis, _range(table, group[0].axis), group) for group in found],
        "paired": {effect.paired for group in found for effect in group},
        "factors": {effect.factors for group in found for effect in group},
        "most": MOST_NAMED, "names": names, "values": table.values,
        "pareto": [figure(f"pareto-{number}", f"Points by {title}", spec)
                   for number, (title, spec) in enumerate(pareto_figures(table, study))]
        if good else [],
        "effect_plots": [figure(f"axis-{number}", f"What {axis} does", spec)
                         for number, (axis, spec) in enumerate(effect_figures(table, found))],
        "parallel": figure("parallel", "All points across axes and objectives",
                           parallel_figure(table, study))
        if good and study.objectives else None,
        "data": table_data(table, study),
    }


def best_points(table: PointTable, study: StudyFacts) -> list[tuple[Objective, str, int]]:
    """The best row by each objective, among points that are compared with each other.

    Of equal ones it is that with the lower Pareto rank, or the first. The text says what those
    points share; it is empty where all points are compared.
    """
    best = []
    for key, rows in groups_of(table, study).items():
        said = ", ".join(f"{name} {shown(value)}"
                         for name, value in zip(study.within, key, strict=True))
        for objective in study.objectives:
            reached = dict(zip(rows, numbers(table, objective, rows), strict=True))
            best.append((objective, said, min(rows, key=lambda row: (
                objective.sign * reached[row], table.ranks[row] or len(table) + 1, row))))
    return best


def failures(table: PointTable) -> list[tuple[str, list[int]]]:
    """Each reason and the rows that failed for it, most frequent first."""
    rows: dict[str, list[int]] = {}
    for row, reason in enumerate(table.failures):
        if reason is not None:
            rows.setdefault(reason, []).append(row)
    return sorted(rows.items(), key=lambda item: -len(item[1]))


def table_data(table: PointTable, study: StudyFacts) -> dict[str, Any]:
    """What the page's script needs for its table and for what stands beside the mouse."""
    objectives = [objective.column for objective in study.objectives]
    roles = dict.fromkeys(study.axes, "axis") | dict.fromkeys(objectives, "objective")
    return {
        "columns": [{"name": column.name, "label": table.label(column.name),
                     "meaning": column.meaning, "role": roles.get(column.name, "other")}
                    for column in table.columns],
        "values": [list(table.values[column.name]) for column in table.columns],
        "ranks": list(table.ranks), "failures": list(table.failures),
        "hover": [*objectives, *study.axes], "palette": list(PALETTE), "symbols": list(SYMBOLS),
        "plain": [PALETTE[0], FAINT],
    }


def _range(table: PointTable, axis: str) -> str:
    """The values of an axis in a few words."""
    values = distinct([table.values[axis][row] for row in table.good()])
    if len(values) <= 6:
        return ", ".join(map(shown, values))
    return f"{shown(values[0])} … {shown(values[-1])}, {len(values)} values"
