"""Fixtures shared by the tests of all three packages."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_configure() -> None:
    """Two workers on two cores: each computes on one thread."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real networks and data beside the repository, or a visible skip."""
    folder = Path(os.environ.get("VQROM_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data absent: no folder {folder} (set VQROM_DATA)")
    return folder
