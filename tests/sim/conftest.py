"""Fixtures of the simulator's and the command line's tests."""

from __future__ import annotations

import sys

import pytest

from tests.sim.cli.command_line import Command, Ran
from vqrom_sim.cli import main


@pytest.fixture
def vqrom(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command line in this process."""
    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["vqrom", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Ran(int(ended.value.code or 0), captured.out, captured.err)
    return run
