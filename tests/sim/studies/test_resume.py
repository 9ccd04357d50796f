"""Studies that were interrupted: the same bytes, and nothing computed twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.sim.studies.counted import SECONDS, counted_study
from vqrom_hw.errors import VqromError
from vqrom_sim.studies import run_study
from vqrom_sim.studies.store import JOURNAL, STUDY_FILE, read_journal

SAME = ("points.parquet", "points.csv", "pareto.csv", "columns.json", "study.json", "report.html")
"""Files that do not depend on when and where a study ran."""


def contents(directory: Path) -> dict[str, bytes]:
    return {name: (directory / name).read_bytes() for name in SAME}


def killed_after(directory: Path, results: int) -> None:
    """Run the study of :mod:`.counted` in a process, and kill it after so many more results."""
    journal = directory / JOURNAL
    before = len(read_journal(journal))
    environment = os.environ | {SECONDS: "0.05", "PYTHONPATH": os.pathsep.join(
        [str(REPOSITORY), *filter(None, sys.path)])}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.sim.studies.counted", str(directory)], env=environment)
    while not journal.exists() or journal.read_bytes().count(b"\n") < before + results:
        assert process.poll() is None, "it ended before it was killed"
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_killed_twice(tmp_path: Path, runs: Callable[[], list[int]]) -> None:
    """The table of a study that was killed is that of one that was not, byte for byte."""
    study = counted_study(range(20, 60))
    dice = random.Random(os.urandom(8))
    for _ in range(2):
        killed_after(tmp_path / "killed", dice.randint(1, 12))
        assert not (tmp_path / "killed/points.csv").exists()
    run_study(study, tmp_path / "killed", workers=1)
    # What was under way when it was killed is all that may have run twice.
    assert len(runs()) <= 40 + 2
    count = len(runs())
    run_study(study, tmp_path / "whole", workers=1)
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
    assert len(runs()) == count


def test_lines_that_are_not_whole_count_as_absent(tmp_path: Path,
                                                  runs: Callable[[], list[int]],
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that was cut off, or altered, is computed again; the others are not."""
    study = counted_study([20, 21, 22, 23])
    run_study(study, tmp_path / "out", workers=1)
    expected = contents(tmp_path / "out")
    journal = tmp_path / "out" / JOURNAL
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(lines[0].replace(b"400", b"401") + lines[1] + lines[2] + lines[3][:-9])
    monkeypatch.setenv("VQROM_CACHE", str(tmp_path / "empty"))
    run_study(study, tmp_path / "out", workers=1)
    assert runs() == [20, 21, 22, 23, 20, 23]
    assert contents(tmp_path / "out") == expected


def test_points_that_are_added_keep_the_others(tmp_path: Path,
                                               runs: Callable[[], list[int]]) -> None:
    run_study(counted_study([20, 21]), tmp_path, workers=1)
    table = run_study(counted_study([19, 20, 22]), tmp_path, workers=1)
    assert runs() == [20, 21, 19, 22]
    assert [row["dram_latency"] for row in table.rows] == [19, 19, 20, 20, 22, 22]


def test_another_study_is_refused(tmp_path: Path, runs: Callable[[], list[int]]) -> None:
    run_study(counted_study([20]), tmp_path, workers=1)
    before = contents(tmp_path)
    with pytest.raises(VqromError, match="must not hold another study; it holds 'counted', not "
                                         "'other'"):
        run_study(counted_study([20]) | {"name": "other"}, tmp_path, workers=1)
    assert contents(tmp_path) == before
    (tmp_path / STUDY_FILE).write_text("{}")
    with pytest.raises(VqromError, match=r"must hold a study\.json as vqrom study writes it"):
        run_study(counted_study([20]), tmp_path, workers=1)


def test_two_runs_do_not_meet(tmp_path: Path, runs: Callable[[], list[int]]) -> None:
    """While one run has the directory, another one is refused."""
    def meanwhile(what: str, done: int, total: int) -> None:
        with pytest.raises(VqromError, match="must not be in use by another run"):
            run_study(counted_study([20]), tmp_path, workers=1)
    run_study(counted_study([20, 21]), tmp_path, workers=1, progress=meanwhile)
    assert runs() == [20, 21]
