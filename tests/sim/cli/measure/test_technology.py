"""`vqrom technology`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.sim.cli.command_line import Command, one_line
from vqrom_sim.technology import MemoryShape, load_technology, technology_names


def test_overview(vqrom: Command) -> None:
    ran = vqrom("technology", "--json")
    rows = json.loads(ran.out)
    assert (ran.status, ran.err) == (0, "")
    assert [row["technology"] for row in rows] == list(technology_names())
    assert all(row["mean_error"] is None or row["worst_error"] >= row["mean_error"] > 0
               for row in rows)
    table = vqrom("technology")
    assert table.status == 0 and all(name[:6] in table.out for name in technology_names())


def test_errors_and_estimates(vqrom: Command) -> None:
    report = json.loads(vqrom("technology", "7nm", "--json").out)
    assert {row["role"] for row in report["checked"]} == {"calibration", "validation", "other"}
    assert report["summary"]["macros"] == sum(
        row["figure"] == "area_um2" and row["basis"] != "model" and row["role"] != "other"
        for row in report["checked"])
    report = json.loads(vqrom("technology", "28nm", "--macro", "rom:256x32",
                              "--macro", "sram_1r1w:1024x128/16", "--json").out)
    node = load_technology("28nm")
    for row, shape in zip(report["macros"], (MemoryShape("rom", 256, 32),
                                             MemoryShape("sram_1r1w", 1024, 128, 16)), strict=True):
        assert row["area_um2"] == node.estimate(shape).area_um2


def test_constants(vqrom: Command) -> None:
    report = json.loads(vqrom("technology", "130nm", "--constants", "--json").out)
    assert {row["constant"] for row in report["constants"]} == set(
        load_technology("130nm").constants)
    sources = {row["source"]: row["text"] for row in report["sources"]}
    assert all(row["low"] <= row["value"] <= row["high"] and sources[row["source"]]
               for row in report["constants"])
    assert "rom.cell_width_um" in vqrom("technology", "130nm", "--constants").out


@pytest.mark.parametrize(("arguments", "message"), [
    (("5nm",), "technology must be one of 130nm, 130nm-ihp, 45nm, 28nm, 7nm or a .toml file, "
               "not '5nm'"),
    (("--constants",), "technology must be named for --macro and --constants"),
    (("28nm", "--macro", "rom"), "macro must be KIND:WORDSxWIDTH or KIND:WORDSxWIDTH/PARTS, such "
                                 "as rom:256x32, not 'rom'"),
    (("28nm", "--macro", "ram:1x1"), "memory kind must be one of sram_1rw, sram_1r1w, "
                                     "register_file, rom, not 'ram'")])
def test_mistakes(vqrom: Command, arguments: tuple[str, ...], message: str) -> None:
    assert one_line(vqrom("technology", *arguments)) == message


def test_a_file_with_a_mistake(vqrom: Command, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('base = "28nm"\nspeed = 3\n')
    assert one_line(vqrom("technology", path)) == (
        f"technology {str(path)!r}: speed: a technology has no such field, not 3")
