"""Files from outside: regular, bounded and of the expected form before they are parsed."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from vqrom_hw.errors import VqromError
from vqrom_hw.files import parse_toml
from vqrom_sw.io import load_array, parse_json, read_bytes, require_file


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/null", "/proc/self/maps", "/proc/self",
                                  "fifo"])
def test_no_regular_file(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "fifo")
    path = tmp_path / name
    for read in (lambda: read_bytes(path, "thing", 100), lambda: require_file(path, "thing"),
                 lambda: load_array(path, "thing")):
        with pytest.raises(VqromError, match=r"^thing"):
            read()


def test_sparse_file_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.touch()
    os.truncate(path, 1 << 42)
    with pytest.raises(VqromError, match="must be at most 100 bytes, not 4398046511104"):
        read_bytes(path, "thing", 100)


def written(path: Path, shape: object, kind: object = "<f4", size: int = 768) -> Path:
    """A ``.npy`` file of any header, with ``size`` bytes of numbers."""
    header = repr({"descr": kind, "fortran_order": False, "shape": shape}).encode()
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    os.truncate(path, path.stat().st_size + size)
    return path


@pytest.mark.parametrize(("shape", "kind", "size", "message"), [
    ((True, 3, 8, 8), "<f4", 768, "whole dimensions"),
    ((-1, 3, 8, 8), "<f4", 768, "whole dimensions"),
    ((1 << 40,), "|i1", 1 << 40, "whole dimensions"),
    ((1 << 12, 1 << 20), "|i1", 1 << 32, "at most 1073741824 bytes"),
    ((1, 3, 8, 8), "<f4", 767, "as long as its shape"),
    ((1, 3, 8, 8), "<f4", 769, "as long as its shape"),
    ((1, 3, 8, 8), "|b1", 192, "must hold numbers"),
    ((1, 3, 8, 8), "|O", 192, "must hold numbers"),
    ((1, 3, 8, 8), [("a", "<f4")], 768, "must hold numbers"),
    ((0, 3, 8, 8), "<f4", 0, "at least one value"),
    ((1,) * 9, "<f4", 4, "whole dimensions"),
])
def test_headers(tmp_path: Path, shape: object, kind: object, size: int, message: str) -> None:
    with pytest.raises(VqromError, match=message):
        load_array(written(tmp_path / "a.npy", shape, kind, size), "inputs")


def test_good_array(tmp_path: Path) -> None:
    np.testing.assert_array_equal(load_array(written(tmp_path / "a.npy", (1, 3, 8, 8)), "inputs"),
                                  np.zeros((1, 3, 8, 8), np.float32))


@pytest.mark.parametrize(("text", "message"), [
    ("x = " + "9" * 5000, "at most 64 digits"),
    ("x = " + "[" * 100_000, "at most 32 levels"),
    (".".join("a" * 100_000) + " = 1", "at most 32 levels"),
    ('"a" . ' * 50_000 + "b = 1", "at most 32 levels"),
    ("a" * 500_000, "valid TOML"),
])
def test_toml_that_takes_long(text: str, message: str) -> None:
    with pytest.raises(VqromError, match=message):
        parse_toml(text, "config")


def test_toml_with_long_strings() -> None:
    text = "s = '" + "[" * 100 + "9" * 100 + "a." * 100 + "'  # " + "[9." * 100
    assert len(parse_toml(text, "config")["s"]) == 400


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": ' + "9" * 5000 + "}", "[]", "{", b"\xff"])
def test_json(text: str | bytes) -> None:
    with pytest.raises(VqromError, match=r"^report must be"):
        parse_json(text, "report")
