"""The README's tour runs as it is written there, in a fresh folder."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from tests.sim.cli.command_line import Command

REPOSITORY = Path(__file__).resolve().parents[3]


def blocks(language: str) -> list[str]:
    """The README's fenced blocks of one language below its heading of the tour."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    tour = text[text.index("## A tour"):]
    return re.findall(rf"^```{language}\n(.*?)^```$", tour, flags=re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    """The commands of the tour as a shell splits them, without comments."""
    lines = blocks("sh")[0].replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def expanded(words: list[str]) -> list[str]:
    """The words with ``*`` expanded to the files that match, as a shell does it."""
    return [match for word in words
            for match in (sorted(map(str, Path().glob(word))) if "*" in word else [word])]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the tour finds in a clone."""
    folder = tmp_path_factory.mktemp("clone")
    (folder / "tests").symlink_to(REPOSITORY / "tests")
    return folder


def test_tour(clone: Path, monkeypatch: pytest.MonkeyPatch, vqrom: Command) -> None:
    monkeypatch.chdir(clone)
    for words in commands():
        assert words[:2] == ["./run", "vqrom"], words
        ran = vqrom(*expanded(words[2:]))
        assert (ran.status, ran.err) == (0, ""), (words, ran.err)
    for name in ("mnist", "mnist-cycles", "resnet50"):
        assert Path("work", name, "report.json").is_file()
    assert Path("work/area/area.json").is_file() and Path("work/verilog/vqrom.v").is_file()


def test_notebook(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The lines for a notebook run, and the last one is a figure."""
    monkeypatch.chdir(tmp_path)
    lines = blocks("python")[0].splitlines()
    names: dict[str, object] = {}
    exec("\n".join(lines[:-1]), names)
    assert lines[-1] == "run.plot_layers()"
    assert isinstance(eval(lines[-1], names), Figure)
