"""Search of a space by Optuna: repeatable, resumable, and better than chance."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sim.studies.counted import counted_study
from tests.sim.studies.test_resume import contents
from vqrom_hw.errors import VqromError
from vqrom_sim.studies import run_study

SPACE = {
    "axes": {"dram_latency": {"from": 16, "to": 2015, "step": 1}, "rows": [8, 16, 32],
             "weights": ["index", "raw"]},
    "derived": {"cost": "square / 1000 + abs(rows - 16) + 5 * (weights == 'raw')"},
    "objectives": {"cost": "min"}, "constraints": ["square > 400"],
}


def searched(sampler: str, **search: object) -> dict:
    return counted_study([1]) | SPACE | {
        "search": {"points": 60, "batch": 10, "sampler": sampler, "seed": 3} | search}


@pytest.fixture(autouse=True)
def _weights_are_used(runs: Callable[[], list[int]], monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache and the measure of the other tests."""


@pytest.mark.parametrize("sampler", ["nsga2", "tpe"])
def test_search(tmp_path: Path, runs: Callable[[], list[int]], sampler: str) -> None:
    """The same seed finds the same points, also when most are known; they beat chance."""
    table = run_study(searched(sampler), tmp_path / "one", workers=1)
    assert len(table) == 60
    count = len(runs())
    # Known points are answered from the journal: nothing runs again, and the way is the same.
    first = contents(tmp_path / "one")
    run_study(searched(sampler), tmp_path / "one", workers=1)
    assert contents(tmp_path / "one") == first and len(runs()) == count
    chance = run_study(searched("random"), tmp_path / "chance", workers=1)
    best, lucky = (min(row["cost"] for row in found.rows if row["feasible"])
                   for found in (table, chance))
    assert best < lucky
    assert all(row["feasible"] is (row["square"] > 400) for row in table.rows)
    assert all(row["pareto"] is None for row in table.rows if not row["feasible"])


def test_axes_that_are_compared_within_are_measured_as_a_whole(tmp_path: Path) -> None:
    """Each design has all their values, and a front of its own for each."""
    study = searched("nsga2", points=12) | {"compare_within": ["weights"]}
    table = run_study(study, tmp_path, workers=1)
    assert len(table) == 24
    assert [row["weights"] for row in table.rows] == ["index", "raw"] * 12
    best = [row for row in table.rows if row["pareto"] == 1]
    assert {row["weights"] for row in best} == {"index", "raw"}


def test_a_small_space_ends(tmp_path: Path) -> None:
    """There may be fewer points than are wanted."""
    study = searched("random", batch=50) | {"axes": {"dram_latency": [21, 22, 23]}}
    table = run_study(study, tmp_path, workers=1)
    assert sorted(row["dram_latency"] for row in table.rows) == [21, 22, 23]


def test_designs_that_come_first(tmp_path: Path) -> None:
    """They are measured before all others; what is no value of an axis is refused."""
    table = run_study(searched("nsga2", points=4, first=[{"dram_latency": 1999, "rows": 8}]),
                      tmp_path / "one", workers=1)
    assert (table.rows[0]["dram_latency"], table.rows[0]["rows"]) == (1999, 8)
    with pytest.raises(VqromError, match="not rows = 12"):
        run_study(searched("nsga2", first=[{"rows": 12}]), tmp_path / "other", workers=1)
    assert not (tmp_path / "other").exists()
