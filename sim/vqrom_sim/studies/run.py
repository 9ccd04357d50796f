"""A study from its file to its table."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vqrom_hw.errors import VqromError
from vqrom_sim import __version__
from vqrom_sw.io import write_bytes
from vqrom_sw.progress import Progress

from .execution import Crew, code_digest, crew_of
from .page import PAGE, write_page
from .pareto import Row, rank_rows
from .point import Point
from .points import all_points, check_things, holds
from .search import search_rows
from .store import SCHEMA, Store, open_store
from .study import ERROR, FEASIBLE, Study, values_of
from .table import StudyTable
from .work import Work

StudyLike = Study | str | Path | Mapping[str, Any]
"""A study, its file or name, or what a file would hold."""
TIMES = "times.csv"
"""How long each work took; the only file that differs from run to run."""


def run_study(study: StudyLike, directory: str | Path, *, workers: int | None = None,
              scheduler: str | None = None, progress: Progress | None = None) -> StudyTable:
    """Measure the points of a study, and write its table.

    What was computed before in the same directory, and is still what the study asks for, is not
    computed again. The files but ``times.csv`` and the journal are the same bytes however often
    the study was interrupted, and wherever it ran.

    Parameters
    ----------
    study:
        The study, its file, the name of one that comes with vqrom, or what a file would hold, as a
        dictionary.
    directory:
        Where the table and the journal go; made if absent. Other files in it stay.
    workers:
        Processes on this machine; 1 works in this process, the default is one for each processor.
    scheduler:
        Address of a Dask scheduler, whose workers are taken instead.
    progress:
        Called with what is being done, how much of it is done, and how much there is.

    Raises
    ------
    VqromError
        If the study says what cannot be done, something that it names is absent, no point can be
        measured, the directory cannot be written, is in use or holds another study, or the cluster
        is not there.
    """
    study = as_study(study)
    check_things(study)
    points = None if study.file.search else all_points(study)
    described = describe_study(study)
    with ExitStack() as stack:
        crew = stack.enter_context(crew_of(workers, scheduler))
        store = stack.enter_context(open_store(Path(directory), study, described))
        runner = _Runner(study, store, crew, progress or (lambda what, done, total: None))
        rows = search_rows(study, runner.measure) if points is None else runner.measure(points)
        rank_rows(study, rows)
        table = StudyTable.of(rows, study.columns, study.file.name)
        table.save(store.directory)
        write_bytes(store.directory / TIMES, _times(store))
        write_page(study, table, described, store.directory / PAGE)
    return table


def as_study(given: StudyLike) -> Study:
    """A study from what stands for one.

    Raises
    ------
    VqromError
        If the file cannot be read, or says what cannot be done.
    """
    if isinstance(given, Study):
        return given
    return Study.of(given) if isinstance(given, Mapping) else Study.load(given)


def describe_study(study: Study) -> dict[str, Any]:
    """What ``study.json`` says: the study as it was given, and what its results depend on."""
    context = study.context
    workloads = {str(name): [{"name": program.name, "kind": program.kind,
                              "sha256": program.sha256}
                             for program in context.programs(str(name))]
                 for name in values_of(study, "workload") if name != "none"}
    libraries = {str(name): context.library(str(name)).sha256
                 for name in values_of(study, "library")}
    return {
        "schema": SCHEMA, "study": study.file.model_dump(mode="json", by_alias=True),
        "sha256": study.sha256, "vqrom": __version__, "sources_sha256": code_digest(),
        "workloads": workloads, "libraries": libraries,
    }


@dataclass
class _Runner:
    """Measures points of a study with a store and a crew."""

    study: Study
    store: Store
    crew: Crew
    tell: Progress

    def measure(self, points: Sequence[Point]) -> list[Row]:
        """The rows of points; all columns but that of the Pareto fronts are filled."""
        needs = [self._works(point) for point in points]
        self._do([work for need in needs for works in need.values() if not isinstance(works, str)
                  for work in works])
        return [self._row(point, need) for point, need in zip(points, needs, strict=True)]

    def _works(self, point: Point) -> dict[str, Sequence[Work] | str]:
        """What each measure needs for a point, or why it cannot have it."""
        found: dict[str, Sequence[Work] | str] = {}
        if point.error:
            return found
        for measure in self.study.measures:
            try:
                found[measure.name] = measure.works(point, self.study.context)
            except VqromError as error:
                found[measure.name] = str(error)
        return found

    def _do(self, works: Sequence[Work]) -> None:
        """Do what is not known yet, each work once."""
        new = {work.key: work for work in works if work.key not in self.store.outcomes}
        self.tell("measurements", 0, len(new))
        for done, outcome in enumerate(self.crew.outcomes(list(new.values())), start=1):
            self.store.add(outcome)
            self.tell("measurements", done, len(new))

    def _row(self, point: Point, need: dict[str, Sequence[Work] | str]) -> Row:
        row: Row = {column.name: None for column in self.study.columns} | dict(point.values)
        reasons = [point.error] if point.error else []
        for measure in self.study.measures if not point.error else ():
            works = need[measure.name]
            try:
                if isinstance(works, str):
                    raise VqromError(works)
                row |= measure.figures(point, self.study.context,
                                       [self._result(work) for work in works])
            except VqromError as error:
                reasons.append(f"{measure.name}: {error}")
        row[ERROR] = "; ".join(reasons)
        self._derive(row)
        return row

    def _result(self, work: Work) -> Any:
        outcome = self.store.outcomes[work.key]
        if outcome.result is None:
            raise VqromError(outcome.error)
        return outcome.result

    def _derive(self, row: Row) -> None:
        """Fill the columns that follow from others, and whether the constraints hold."""
        try:
            for name, expression in self.study.derived.items():
                row[name] = expression.value(row)
            if self.study.measured_constraints and not row[ERROR]:
                row[FEASIBLE] = holds(self.study.measured_constraints, row)
        except VqromError as error:
            row[ERROR] = "; ".join(filter(None, [row[ERROR], str(error)]))


def _times(store: Store) -> bytes:
    """Seconds of each work, the longest first."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("seconds", "work", "key"))
    for outcome in sorted(store.outcomes.values(), key=lambda one: (-one.seconds, one.key)):
        writer.writerow((f"{outcome.seconds:.3f}", outcome.label, outcome.key))
    return text.getvalue().encode()
