"""The page of a study, from its table."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from vqrom_sim import __version__
from vqrom_sim.report import Objective, PointTable, StudyColumn, StudyFacts, study_page

from .study import ERROR, FEASIBLE, PARETO, Study
from .table import StudyTable

PAGE = "report.html"
"""Name of the page in a study's directory."""
TOOLS = ("numpy", "optuna", "plotly", "pyarrow", "pyosys")
"""Packages whose versions a page names."""


def write_study_page(study: Study, table: StudyTable, described: Mapping[str, Any],
                     directory: Path) -> None:
    """Write the page of a study into a directory that is there.

    Parameters
    ----------
    study, table:
        The study, and all its points.
    described:
        What ``study.json`` says.
    directory:
        Where it goes.

    Raises
    ------
    VqromError
        If it cannot be written.
    """
    columns = tuple(StudyColumn(one.name, one.unit, one.meaning, one.provenance)
                    for one in table.columns)
    values = {name: table.data[name].to_pylist() for name in table.data.column_names}
    objectives = study.file.objectives
    points = PointTable(
        columns, values, failures=[left_out(row, tuple(objectives)) for row in table.rows],
        ranks=values.get(PARETO, [None] * len(table)))
    facts = StudyFacts(
        study.file.name, study.file.description,
        axes=tuple(one.name for one in table.columns if one.role == "axis"),
        objectives=tuple(Objective(name, goal) for name, goal in objectives.items()),
        within=tuple(study.file.compare_within),
        versions={"vqrom": __version__, "Python": platform.python_version(),
                  **{name: version(name) for name in TOOLS}},
        hashes=_hashes(described), notes=_notes(study))
    study_page(points, facts, directory / PAGE)


def left_out(row: Mapping[str, Any], objectives: tuple[str, ...]) -> str | None:
    """Why a point is compared with no other; None if it is."""
    if row[ERROR]:
        return row[ERROR]
    if row.get(FEASIBLE) is False:
        return "breaks a constraint"
    missing = [name for name in objectives if row[name] is None]
    return f"has no {', '.join(missing)}" if missing else None


def _hashes(described: Mapping[str, Any]) -> dict[str, str]:
    """Identities of the study, the code, the workloads and the libraries."""
    found = {"study": described["sha256"], "code": described["sources_sha256"]}
    for workload, programs in described["workloads"].items():
        found |= {f"workload {workload}: {one['name']}": str(one["sha256"]) for one in programs}
    return found | {f"library {name}": str(sha256)
                    for name, sha256 in described["libraries"].items()}


def _notes(study: Study) -> dict[str, str]:
    """How points came about."""
    search = study.file.search
    how = "every combination" if search is None else ", ".join(
        f"{name} {value}" for name, value in search.model_dump(mode="json").items())
    return {"points": how, **({"constraints": "; ".join(study.file.constraints)}
                              if study.file.constraints else {})}
