"""Work on a Dask cluster."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from distributed import LocalCluster

from tests.sim.studies.counted import counted_study
from tests.sim.studies.test_resume import contents
from vqrom_hw.errors import VqromError
from vqrom_sim.studies import execution, run_study


def test_cluster(tmp_path: Path, runs: Callable[[], list[int]],
                 monkeypatch: pytest.MonkeyPatch) -> None:
    """Its workers give the same bytes; workers with other code are refused."""
    study = counted_study([20, 21, 13, 22])
    # Workers in this process: what differs from others is where they are.
    make: Any = LocalCluster  # whose annotations do not know that there may be no dashboard
    cluster = make(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None)
    with cluster:
        address = cluster.scheduler_address
        run_study(study, tmp_path / "cluster", scheduler=address)
        assert sorted(runs()) == [13, 20, 21, 22]
        run_study(study, tmp_path / "here", workers=1)
        assert contents(tmp_path / "cluster") == contents(tmp_path / "here")
        digests = iter(["a", "b", "b"])
        monkeypatch.setattr(execution, "code_digest", lambda: next(digests))
        with pytest.raises(VqromError, match=r"worker .* must have the same vqrom and libraries"):
            run_study(study | {"name": "other"}, tmp_path / "other", scheduler=address)
        monkeypatch.undo()
    assert not (tmp_path / "other").exists()


def test_without_dask(tmp_path: Path, runs: Callable[[], list[int]],
                      monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(VqromError, match=r"package 'distributed' must be installed for a "
                                         r"scheduler: pip install 'vqrom\[dask\]'"):
        run_study(counted_study([20]), tmp_path / "out", scheduler="tcp://127.0.0.1:1")
    assert not (tmp_path / "out").exists()
