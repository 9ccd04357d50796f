"""A cached array is made once, and again when something that it depends on changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vqrom_sw.io import cached_array


class Maker:
    """Makes an array, and counts how often it does."""

    def __init__(self):
        self.calls = 0

    def __call__(self) -> np.ndarray:
        self.calls += 1
        return np.full(3, self.calls, np.float32)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VQROM_CACHE", str(tmp_path / "cache"))
    return tmp_path


def test_made_once(folder: Path) -> None:
    make, source = Maker(), folder / "source"
    source.write_text("one")
    first, again = (cached_array("some", [source, 5], make) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert again.dtype == np.float32 and make.calls == 1


def test_made_again_for_anything_else(folder: Path) -> None:
    make, source = Maker(), folder / "source"
    for content, number, calls in (("one", 5, 1), ("two", 5, 2), ("two", 6, 3), ("one", 5, 3)):
        source.write_text(content)
        cached_array("some", [source, number], make)
        assert make.calls == calls


def test_a_damaged_file_is_made_again(folder: Path) -> None:
    make = Maker()
    cached_array("some", [], make)
    (path,) = (folder / "cache" / "arrays").iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    assert cached_array("some", [], make).shape == (3,) and make.calls == 2
    cached_array("some", [], make)
    assert make.calls == 2


def test_without_a_place_it_is_made_each_time(folder: Path,
                                              monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "file").write_text("no folder")
    monkeypatch.setenv("VQROM_CACHE", str(folder / "file"))
    make = Maker()
    for calls in (1, 2):
        cached_array("some", [], make)
        assert make.calls == calls
