"""Which cell library is used: named, found, or the generic one; and the technology beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from vqrom_hw.errors import VqromError
from vqrom_sim.area import choose_library
from vqrom_sim.area.liberty import generic_liberty


def named(name: str) -> str:
    return generic_liberty().replace("library(generic)", f"library({name})")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of open libraries."""
    monkeypatch.setenv("VQROM_LIBERTY", str(tmp_path))
    return tmp_path


def test_without_any_the_generic_library_and_a_note(folder: Path) -> None:
    found = choose_library()
    assert found.library.name == "generic" and found.estimated
    assert found.technology.name == "45nm" and found.nand2_um2 == found.technology.nand2_um2
    assert found.note is not None and "\n" not in found.note
    assert "google/skywater-pdk" in found.note and "sky130hd_tt.lib.gz" in found.note
    asked = choose_library(["generic"], "7nm")
    assert asked.note is None and asked.nand2_um2 == asked.technology.nand2_um2 < 0.1


def test_an_open_library_is_found(folder: Path) -> None:
    (folder / "sky130hd_tt.lib").write_text(named("sky130_fd_sc_hd"))
    for found in (choose_library(), choose_library(["sky130"])):
        assert found.library.name == "sky130_fd_sc_hd" and not found.estimated
        assert found.technology.name == "130nm" and found.note is None
        assert found.nand2_um2 == 1 and found.describe()["um2"] == "measured"
    with pytest.raises(VqromError, match=r"'asap7' must lie as asap7_simple\.lib\.gz, .*, or in"):
        choose_library(["asap7"])


def test_a_library_is_read_once_until_it_changes(folder: Path) -> None:
    path = folder / "mine.lib"
    path.write_text(named("sky130_one"))
    first = choose_library([path]).library
    assert choose_library([path]).library is first
    path.write_text(named("sky130_other"))
    assert choose_library([path]).library.name == "sky130_other"


def test_data_folder_is_the_second_place(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VQROM_LIBERTY", raising=False)
    monkeypatch.setenv("VQROM_DATA", str(tmp_path))
    assert choose_library().library.name == "generic"
    (tmp_path / "liberty").mkdir()
    (tmp_path / "liberty" / "sky130hd_tt.lib").write_text(named("sky130_fd_sc_hd"))
    assert choose_library().library.name == "sky130_fd_sc_hd"
    monkeypatch.setenv("VQROM_DATA", str(tmp_path / "absent"))
    assert choose_library().library.name == "generic"


def test_technology_of_a_library(folder: Path) -> None:
    mine, sky = folder / "mine.lib", folder / "sky.lib"
    mine.write_text(named("mine"))
    sky.write_text(named("sky130_fd_sc_hs"))
    assert choose_library([mine], "28nm").technology.name == "28nm"
    assert choose_library([sky], "130nm-ihp").technology.name == "130nm-ihp"
    with pytest.raises(VqromError, match=r"technology must be named for liberty library 'mine'"):
        choose_library([mine])
    with pytest.raises(VqromError, match=r"of the node of liberty library .*, 130nm, not '7nm'"):
        choose_library([sky], "7nm")


@pytest.mark.parametrize(("liberty", "message"), [
    (["absent"], "must be an existing file, or sky130, asap7 or generic, not 'absent'"),
    (["sky130", "asap7"], "not 'sky130'")])
def test_what_is_no_library(folder: Path, liberty: list[str], message: str) -> None:
    with pytest.raises(VqromError, match=message):
        choose_library(liberty)


def test_variable_that_names_no_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VQROM_LIBERTY", str(tmp_path / "absent"))
    with pytest.raises(VqromError, match="VQROM_LIBERTY must name a folder"):
        choose_library()
