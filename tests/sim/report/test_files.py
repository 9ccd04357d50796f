"""Arguments are checked, and results appear as a whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vqrom_hw.errors import VqromError
from vqrom_sim.report import staged
from vqrom_sw.io import load_array, write_bytes


def test_load_array_truncated_at_every_byte(tmp_path: Path) -> None:
    whole = tmp_path / "whole.npy"
    np.save(whole, np.arange(4, dtype=np.int8))
    data = whole.read_bytes()
    np.testing.assert_array_equal(load_array(whole, "inputs"), np.arange(4))
    cut = tmp_path / "cut.npy"
    for size in range(len(data)):
        cut.write_bytes(data[:size])
        with pytest.raises(VqromError, match="inputs"):
            load_array(cut, "inputs")


def test_load_array_wrong(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    with pytest.raises(VqromError, match="inputs must be an existing file"):
        load_array(path, "inputs")
    with pytest.raises(VqromError, match="inputs must be a file, not the directory"):
        load_array(tmp_path, "inputs")
    np.save(path, np.array([{}]), allow_pickle=True)
    with pytest.raises(VqromError, match="must hold numbers"):
        load_array(path, "inputs")
    np.save(path, np.zeros((0, 3)))
    with pytest.raises(VqromError, match=r"at least one value.*shape \(0, 3\)"):
        load_array(path, "inputs")
    np.save(path, np.zeros(3))
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(VqromError, match="must be as long as its shape"):
        load_array(path, "inputs")


def test_load_array_claims_more_than_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "huge.npy"
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }"
    header += b" " * (117 - len(header)) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(VqromError, match="must have at most 8 whole dimensions"):
        load_array(path, "inputs")


def test_staged_moves_everything_and_keeps_the_rest(tmp_path: Path) -> None:
    output = tmp_path / "new" / "out"
    with staged(output) as directory:
        (directory / "a").write_text("1")
        (directory / "sub").mkdir()
        (directory / "sub" / "b").write_text("2")
        assert not output.exists()
    (output / "mine").write_text("keep")
    with staged(output) as directory:
        (directory / "a").write_text("3")
    assert {path.relative_to(output).as_posix(): path.read_text()
            for path in output.rglob("*") if path.is_file()} == {
                "a": "3", "sub/b": "2", "mine": "keep"}
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["out"]


def test_staged_leaves_nothing_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), staged(tmp_path / "new" / "out") as directory:
        (directory / "a").write_text("1")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_staged_wrong(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(VqromError, match="output must be a directory"), staged(tmp_path / "file"):
        pass
    with pytest.raises(VqromError, match="output must be a directory"), \
            staged(tmp_path / "file" / "below"):
        pass
    (tmp_path / "out" / "a").mkdir(parents=True)
    with pytest.raises(VqromError, match="must not be a directory already"), \
            staged(tmp_path / "out") as directory:
        (directory / "a").write_text("1")
        (directory / "0").write_text("1")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a"]


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    with (pytest.raises(VqromError, match=r"out' cannot be written: Permission"),
          staged(tmp_path / "out")):
        pass
    monkeypatch.undo()
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    with (pytest.raises(VqromError, match=r"out' cannot be written: No space left"),
          staged(tmp_path / "out") as folder):
        (folder / "half").write_text("x")
        raise OSError(28, "No space left on device")
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_read_meanwhile_keeps_its_name(tmp_path: Path) -> None:
    """What another file's error says is not said of the output, and nothing is left of it."""
    with pytest.raises(FileNotFoundError, match=r"absent\.lib"), staged(tmp_path / "out"):
        (tmp_path / "absent.lib").read_bytes()
    assert list(tmp_path.iterdir()) == []


def test_a_second_process_is_told_that_the_output_is_being_written(tmp_path: Path) -> None:
    with (staged(tmp_path / "out"),
          pytest.raises(VqromError, match="another process is writing it"),
          staged(tmp_path / "out")):
        pass


def test_whole_files_are_written_into_a_staged_folder(tmp_path: Path) -> None:
    with staged(tmp_path / "out") as folder:
        write_bytes(folder / "a.npy", b"whole")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.npy"]
