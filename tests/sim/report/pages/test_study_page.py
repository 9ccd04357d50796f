"""The page of a study: what it shows, and what it makes of names and values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.sim.report.pages.page_checks import Page, check_page
from tests.sim.report.pages.study_tables import HOSTILE, factorial, hostile
from vqrom_hw.errors import VqromError
from vqrom_sim.report import Objective, PointTable, StudyColumn, StudyFacts, study_page
from vqrom_sim.report.pages.study import best_points, failures
from vqrom_sim.report.pages.study_data import brief, shown


def written(folder: Path, table: PointTable, study: StudyFacts) -> Page:
    study_page(table, study, folder / "report.html")
    return check_page((folder / "report.html").read_text())


def test_what_the_page_shows(tmp_path: Path) -> None:
    table, study = factorial()
    page = written(tmp_path, table, study)
    words = " ".join(page.text.split())
    for said in ("What rows do.", "8 points over 3 axes", "1 points are left out", "no such memory",
                 "meaning of cycles", "×0.5 at 16 … ×1 at 8", "version of vqrom"):
        assert said in words, said
    points = page.data["points"]
    assert points["values"][3] == [1000.0] * 4 + [500.0] * 3 + [None]
    assert points["ranks"] == list(table.ranks) and points["failures"] == table.failures
    assert [one["role"] for one in points["columns"]] == 3 * ["axis"] + 2 * [
        "objective"] + ["other"]
    assert set(page.data) == {"points", "pareto-0-data", "axis-0-data", "axis-1-data",
                              "axis-2-data", "parallel-data"}


def test_pareto_plot_holds_every_good_point(tmp_path: Path) -> None:
    table, study = factorial()
    rest, line, first = written(tmp_path, table, study).data["pareto-0-data"]["data"]
    assert sorted(rest["customdata"] + first["customdata"]) == list(range(7))
    assert first["customdata"] == [4, 5, 6]
    for trace in (rest, first):
        for row, x, y in zip(trace["customdata"], trace["x"], trace["y"], strict=True):
            assert (x, y) == (table.values["cycles"][row], table.values["area_um2"][row])
    assert list(zip(line["x"], line["y"], strict=True)) == [(500.0, 17), (1000.0, 9)]


def test_names_are_never_markup(tmp_path: Path) -> None:
    page = written(tmp_path, *hostile())
    assert "img" not in page.tags and "b" not in page.tags[page.tags.index("section"):]
    assert page.text.count(HOSTILE) > 10
    shown_by_plotly = [str(page.data[name]) for name in page.data if name.endswith("-data")]
    assert shown_by_plotly
    for text in shown_by_plotly:
        assert "<img" not in text and "&lt;img" in text


def test_points_that_all_failed(tmp_path: Path) -> None:
    table, study = factorial()
    failed = PointTable(table.columns, table.values, ["broken"] * 8, [None] * 8)
    page = written(tmp_path, failed, study)
    assert set(page.data) == {"points"} and "8 points are left out" in " ".join(page.text.split())


def test_one_objective_needs_no_pareto_plot(tmp_path: Path) -> None:
    table, study = factorial(objectives=(Objective("area_um2", "max"),))
    assert best_points(table, study) == [(study.objectives[0], "", 6)]
    assert "pareto-0-data" not in written(tmp_path, table, study).data


def test_points_that_are_not_compared_have_bests_of_their_own(tmp_path: Path) -> None:
    table, study = factorial(within=("storage",))
    best = best_points(table, study)
    assert [(one.column, said, row) for one, said, row in best] == [
        ("cycles", "storage rom", 4), ("area_um2", "storage rom", 0),
        ("cycles", "storage sram", 6), ("area_um2", "storage sram", 2)]
    assert len(written(tmp_path, table, study).data["pareto-0-data"]["data"]) == 2


def test_without_objectives_there_are_points_alone(tmp_path: Path) -> None:
    assert set(written(tmp_path, *factorial(objectives=())).data) == {"points"}


def test_failures_by_reason() -> None:
    table, _ = factorial()
    many = PointTable(table.columns, table.values,
                      ["a", None, "b", "b", None, "a", "b", None], table.ranks)
    assert failures(many) == [("b", [2, 3, 6]), ("a", [0, 5])]


def test_values_of_numpy_and_nan() -> None:
    column = StudyColumn("x", "", "", "")
    values = PointTable((column,), {"x": [np.int64(3), np.float32(0.5), float("nan"), None]},
                        [None] * 4, [1] * 4).values["x"]
    assert values == [3, 0.5, None, None] and type(values[0]) is int
    with pytest.raises(VqromError, match=r"column 'x' must hold .* not inf"):
        PointTable((column,), {"x": [float("inf")]}, [None], [None])
    with pytest.raises(VqromError, match=r"column 'x' must hold .* not \[1\]"):
        PointTable((column,), {"x": [[1]]}, [None], [None])


def test_tables_that_do_not_fit() -> None:
    column = StudyColumn("x", "", "", "")
    with pytest.raises(VqromError, match="column 'x' must have 2 values, one for each point"):
        PointTable((column,), {"x": [1]}, [None] * 2, [None] * 2)
    with pytest.raises(VqromError, match="columns of a study must be described once each"):
        PointTable((column,), {"y": [1]}, [None], [None])


@pytest.mark.parametrize(("changes", "error"), [
    ({"axes": ("rows", "columns")}, "no.* column .*'columns'|has none named 'columns'"),
    ({"objectives": (Objective("storage"),)}, "objective 'storage' of point 1 .* not 'rom'"),
    ({"objectives": (Objective("exact"),)}, "objective 'exact' of point 1 .* not True")])
def test_studies_that_do_not_fit(changes: dict, error: str, tmp_path: Path) -> None:
    with pytest.raises(VqromError, match=error):
        study_page(*factorial(**changes), tmp_path / "report.html")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("value", "long", "short"), [
    (None, "–", "–"), (True, "yes", "yes"), (1234567, "1 234 567", "1.235 M"), ("x", "x", "x"),
    (0.123456789, "0.123457", "0.123457"), (2.5e9, "2 500 000 000", "2.5 G"),
    (99_999, "99 999", "99 999"), (-3e5, "-300 000", "-300 k"), (4e13, "40 000 000 000 000",
                                                                  "40 T")])
def test_numbers_as_people_read_them(value: Any, long: str, short: str) -> None:
    assert shown(value).replace("\u202f", " ") == long
    assert brief(value).replace("\u202f", " ") == short
