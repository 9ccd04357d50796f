"""Fixtures of the studies' tests: a measure that costs nothing, and a cache of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sim.studies.counted import COUNTED, RUNS
from vqrom_sim.studies import MEASURES


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[int]]:
    """Make the measure ``counted`` known, with an empty cache; gives the latencies that ran."""
    monkeypatch.setitem(MEASURES, "counted", COUNTED)
    monkeypatch.setenv("VQROM_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "runs.txt"
    file.touch()
    monkeypatch.setenv(RUNS, str(file))
    return lambda: [int(line) for line in file.read_text(encoding="utf-8").split()]
