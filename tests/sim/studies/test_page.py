"""The page of a study: its points, and why some are left out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.sim.report.pages.page_checks import check_page
from tests.sim.studies.counted import counted_study
from vqrom_sim.studies import run_study
from vqrom_sim.studies.page import left_out
from vqrom_sim.studies.run import as_study


def test_the_page_is_that_of_the_table(tmp_path: Path, runs: Callable[[], list[int]]) -> None:
    study = as_study(counted_study([11, 12, 13, 16]))
    table = run_study(study, tmp_path, workers=1)
    page = check_page((tmp_path / "report.html").read_text())
    points = page.data["points"]
    shown = [name for name in table.data.column_names if name not in ("error", "pareto")]
    assert [one["name"] for one in points["columns"]] == shown
    assert points["values"] == [table.data[name].to_pylist() for name in shown]
    assert points["failures"][4:6] == [
        "counted: latency must be a lucky number, not 13"] * 2
    assert points["ranks"] == table.data["pareto"].to_pylist()
    assert study.file.name in page.text and study.sha256 in page.text
    for column in table.columns:
        assert column.meaning in page.text or column.name not in shown


def test_why_points_are_left_out() -> None:
    def row(**values: object) -> dict[str, object]:
        return {"error": "", "feasible": True, "cycles": 1} | values

    assert left_out(row(), ("cycles",)) is None
    assert left_out(row(error="too wide"), ("cycles",)) == "too wide"
    assert left_out(row(feasible=False), ("cycles",)) == "breaks a constraint"
    assert left_out(row(cycles=None), ("cycles",)) == "no value of cycles"
