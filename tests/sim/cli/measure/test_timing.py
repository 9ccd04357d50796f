"""`vqrom timing` and the clock of `vqrom simulate`: mistakes are one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sim.cli.command_line import Command, one_line
from tests.sim.timing.toy_library import toy_liberty


def arguments(tmp_path: Path, **changes: str) -> list[str]:
    options = {"config": "tiny", "codebook": str(tmp_path / "codebook.safetensors"),
               "liberty": str(tmp_path / "cells.lib"), "technology": "45nm",
               "output": str(tmp_path / "out")} | changes
    return ["timing", *(word for name, value in options.items() for word in (f"--{name}", value))]


def test_missing_program(
        vqrom: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert one_line(vqrom(*arguments(tmp_path))) == (
        "timing needs OpenSTA's program 'sta' on PATH, which is not there; install it with: "
        "apt-get install opensta")
    assert not (tmp_path / "out").exists()


def test_missing_files(vqrom: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "sta"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert "cells.lib" in one_line(vqrom(*arguments(tmp_path)))
    (tmp_path / "cells.lib").write_text(toy_liberty())
    assert "technology" in one_line(vqrom(*arguments(tmp_path, technology="3nm")))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("options", "message"), [
    (["--frequency", "100", "--timing", "t.json"], "a frequency or a timing file, not both"),
    (["--frequency", "0"], "frequency must be more than 0"),
    (["--timing", "absent.json"], "timing 'absent.json' cannot be read"),
    (["--frequency", "100", "--engine", "reference"], "which engine 'reference' does not count"),
])
def test_clocks_that_cannot_be(
        vqrom: Command, tmp_path: Path, options: list[str], message: str) -> None:
    topology = tmp_path / "layers.csv"
    topology.write_text("layer, h, w, fh, fw, c, n, s,\nc1, 8, 8, 3, 3, 4, 4, 1,\n")
    assert message in one_line(vqrom("simulate", "--config", "tiny", "--topology", str(topology),
                                     "-o", str(tmp_path / "out"), *options))
    assert not (tmp_path / "out").exists()


def test_topology_in_seconds(vqrom: Command, tmp_path: Path) -> None:
    topology = tmp_path / "layers.csv"
    topology.write_text("layer, h, w, fh, fw, c, n, s,\nc1, 8, 8, 3, 3, 4, 4, 1,\n")
    ran = vqrom("simulate", "--config", "tiny", "--topology", str(topology), "-o",
                str(tmp_path / "out"), "--frequency", "250")
    assert ran.status == 0 and "at 250 MHz (given): " in ran.out and "inferences/s" in ran.out
