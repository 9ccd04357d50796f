"""A study's table as the page of the report's room, which knows nothing of studies but values."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vqrom_sim import __version__
from vqrom_sim.report import Objective, PointTable, StudyColumn, StudyFacts, study_page

from .study import ERROR, FEASIBLE, PARETO, Study
from .table import StudyTable

PAGE = "report.html"


def write_page(study: Study, table: StudyTable, described: Mapping[str, Any],
               path: Path) -> None:
    """Write the page of a study.

    Parameters
    ----------
    study, table:
        The study, and what was measured.
    described:
        What ``study.json`` says: hashes of what went in.
    path:
        Where the page goes.

    Raises
    ------
    VqromError
        If an objective is not a number, or the file cannot be written.
    """
    columns = [column for column in table.columns if column.name not in (ERROR, PARETO)]
    values = {column.name: table.data[column.name].to_pylist() for column in columns}
    points = PointTable(
        tuple(StudyColumn(column.name, column.unit, column.meaning, column.provenance)
              for column in columns),
        values, [left_out(row, tuple(study.file.objectives)) for row in table.rows],
        table.data[PARETO].to_pylist() if study.file.objectives else [None] * len(table))
    study_page(points, _facts(study, described), path)


def left_out(row: Mapping[str, Any], objectives: tuple[str, ...]) -> str | None:
    """Why a point has no place in a plot; None if it has one."""
    if row[ERROR]:
        return row[ERROR]
    if row.get(FEASIBLE) is False:
        return "breaks a constraint"
    missing = next((name for name in objectives if row[name] is None), None)
    return None if missing is None else f"no value of {missing}"


def _facts(study: Study, described: Mapping[str, Any]) -> StudyFacts:
    notes = {"measures": ", ".join(study.file.measures),
             "constraints": "; ".join(study.file.constraints)}
    if study.file.search is not None:
        search = study.file.search
        notes["search"] = (f"{search.sampler}, seed {search.seed}, {search.points} designs, "
                           f"{search.batch} at once")
    hashes = {"study": study.sha256, "sources": described["sources_sha256"]}
    for programs in described["workloads"].values():
        hashes |= {f"workload {program['name']}": program["sha256"] for program in programs}
    hashes |= {f"library {name}": digest for name, digest in described["libraries"].items()
               if digest}
    return StudyFacts(
        study.file.name, study.file.description.strip(), tuple(axis.name for axis in study.axes),
        tuple(Objective(name, goal) for name, goal in study.file.objectives.items()),
        {"vqrom": __version__, "Python": platform.python_version()}, hashes,
        {name: text for name, text in notes.items() if text},
        within=tuple(study.file.compare_within))
