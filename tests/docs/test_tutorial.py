"""The tutorial works as it is written: its blocks run in order, in a folder of their own."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import REPOSITORY
from tests.sim.cli.command_line import Command, Ran
from vqrom_sim.cli import main

PAGE = REPOSITORY / "docs" / "tutorial" / "README.md"
BLOCK = re.compile(r"^```(?:\{code-block\} )?(\w+)\n(?::caption: (\S+)\n\n)?(.*?)^```$",
                   re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block: its language, the file that it stands for (or an empty name), its text."""

    language: str
    file: str
    text: str


def blocks() -> list[Block]:
    return [Block(*match) for match in BLOCK.findall(PAGE.read_text(encoding="utf-8"))]


def commands(text: str) -> list[list[str]]:
    """Commands as a shell splits them."""
    lines = text.replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def test_no_block_is_left_out() -> None:
    """All fences of the page are of a kind that runs."""
    text = PAGE.read_text(encoding="utf-8")
    found = blocks()
    assert len(found) * 2 == len(re.findall(r"^```", text, re.MULTILINE))
    assert {block.language for block in found} == {"python", "sh", "toml"}


@pytest.fixture
def vqrom(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command line in this process."""
    def run(*arguments: object) -> Ran:
        monkeypatch.setattr("sys.argv", ["vqrom", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Ran(int(ended.value.code or 0), captured.out, captured.err)
    return run


def test_tutorial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vqrom: Command,
                  capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    names: dict[str, object] = {}
    said = ""
    for block in blocks():
        if block.file:
            Path(block.file).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            exec(compile(block.text, str(PAGE), "exec"), names)
            said += capsys.readouterr().out
        else:
            for words in commands(block.text):
                assert words[0] == "vqrom"
                ran = vqrom(*words[1:])
                assert (ran.status, ran.err) == (0, ""), words
    accuracy = [float(value) for value in re.findall(r"^(?:float|on the codebook): (\S+)$", said,
                                                     re.MULTILINE)]
    assert len(accuracy) == 2 and min(accuracy) > 0.9, said
    assert "module vqrom(" in Path("verilog/vqrom.v").read_text().replace("vqrom (", "vqrom(")
    for name in ("run", "ports"):
        assert Path("work", name, "report.json").is_file()
    assert Path("work/area/area.json").is_file()
