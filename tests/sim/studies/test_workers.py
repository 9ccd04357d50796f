"""Work in processes of its own, and work that ends badly."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.sim.studies.counted import counted_study
from tests.sim.studies.test_resume import contents
from vqrom_hw.errors import VqromError
from vqrom_sim.studies import run_study


def test_errors_and_faults_are_rows(tmp_path: Path, runs: Callable[[], list[int]]) -> None:
    """A point that fails has its reason, in one line; faults are tried again, errors are not."""
    study = counted_study([12, 13, 14])
    table = run_study(study, tmp_path, workers=1)
    assert [(row["square"], row["pareto"]) for row in table.rows] == [
        (144, 1), (144, 1), (None, None), (None, None), (None, None), (None, None)]
    none, wrong, fault = (row["error"] for row in table.rows[::2])
    assert (none, wrong) == ("", "counted: latency must be a lucky number, not 13")
    assert re.fullmatch(r"counted: RuntimeError \(counted\.py, line \d+\): a fault in two lines",
                        fault)
    assert all(row["half"] is None for row in table.rows if row["error"])
    run_study(study, tmp_path, workers=1)
    assert runs() == [12, 13, 14, 14]


def test_work_that_ends_its_process_takes_no_other_down(
        tmp_path: Path, runs: Callable[[], list[int]]) -> None:
    """All other points of two processes are those of one, byte for byte."""
    table = run_study(counted_study([20, 21, 15]), tmp_path / "two", workers=2)
    assert [row["square"] for row in table.rows[::2]] == [400, 441, None]
    assert table.rows[4]["error"] == ("counted: the worker ended before its result was there: "
                                      "memory may have been short")
    for name in ("one", "two"):
        # What "two" has is in its journal; "one" finds it in the cache.
        run_study(counted_study([20, 21]), tmp_path / name, workers=1)
    assert contents(tmp_path / "two") == contents(tmp_path / "one")
    assert runs().count(20) <= 2


def test_crews_that_cannot_be_had(tmp_path: Path, runs: Callable[[], list[int]],
                                  monkeypatch: pytest.MonkeyPatch) -> None:
    """One line each, and no directory."""
    monkeypatch.setattr("vqrom_sim.studies.execution.CONNECT_SECONDS", 1)
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"workers": 0}, "workers must be at least 1, not 0"),
        ({"scheduler": "tcp://127.0.0.1:1"},
         "scheduler must be the address of a Dask scheduler that answers within 1 seconds, not "
         "'tcp://127.0.0.1:1'"),
        ({"scheduler": "nowhere at all"}, "scheduler must be the address"))
    for arguments, line in cases:
        with pytest.raises(VqromError, match=line) as raised:
            run_study(counted_study([20]), tmp_path / "out", **arguments)
        assert "\n" not in str(raised.value)
    assert not (tmp_path / "out").exists()
    assert runs() == []
