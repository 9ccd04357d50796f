"""Rooms have doors: other rooms import what a room's ``__init__`` names, and nothing behind it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGES = {path.name: path for path in (
    REPOSITORY / "hw/vqrom_hw", REPOSITORY / "sw/vqrom_sw", REPOSITORY / "sim/vqrom_sim",
    REPOSITORY / "sim/vqrom")}


@dataclass(frozen=True)
class Import:
    """One ``from ... import ...`` of our packages, with its module written out."""

    file: str
    line: int
    module: tuple[str, ...]
    names: tuple[str, ...]


def rooms() -> list[Path]:
    """Every folder of code below a package."""
    return sorted(path.parent for package in PACKAGES.values()
                  for path in package.rglob("__init__.py") if path.parent != package)


def door(room: Path) -> set[str] | None:
    """The names in a room's ``__all__``, or None if it has none."""
    for node in ast.parse((room / "__init__.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return None


def place_of(path: Path) -> tuple[str, ...]:
    """The package and folders that a file lies in: ``("vqrom_sw", "compiler", "plan")``."""
    package = next(folder for folder in PACKAGES.values() if path.is_relative_to(folder))
    return package.name, *path.relative_to(package).parent.parts


def imports() -> Iterator[Import]:
    """All imports of our own packages in our own packages."""
    for package in PACKAGES.values():
        for path in sorted(package.rglob("*.py")):
            place = place_of(path)
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.ImportFrom):
                    continue
                module = list(place[:len(place) - node.level + 1] if node.level else ())
                module += node.module.split(".") if node.module else []
                if module[0] in PACKAGES:
                    yield Import(str(path.relative_to(REPOSITORY)), node.lineno, tuple(module),
                                 tuple(alias.name for alias in node.names))


def is_room(module: tuple[str, ...]) -> bool:
    """Whether a module is a folder, and no file."""
    return PACKAGES[module[0]].joinpath(*module[1:], "__init__.py").is_file()


@pytest.mark.parametrize("room", rooms(), ids=lambda room: str(room.relative_to(REPOSITORY)))
def test_every_room_says_what_it_is(room: Path) -> None:
    text = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8")))
    assert text and len(text.split()) >= 5, "its docstring says what lives there"
    assert door(room) is not None, "its __all__ says what may be imported"


def test_other_rooms_come_through_the_door() -> None:
    wrong = []
    for one in imports():
        own = place_of(REPOSITORY / one.file)[:2]
        room = one.module[:2]
        # Files of a package that are in no room have no door; a room's own files need none.
        if len(room) < 2 or room == own or not is_room(room):
            continue
        names = door(PACKAGES[room[0]] / room[1]) or set()
        if len(one.module) > 2 or not set(one.names) <= names:
            wrong.append(f"{one.file}:{one.line}: {'.'.join(one.module)} {', '.join(one.names)}")
    assert not wrong, "\n".join(wrong)


def test_no_folder_is_crowded() -> None:
    """Nobody needs a file-name prefix to find a group: at most 16 files to a folder."""
    folders = {path.parent for package in PACKAGES.values() for path in package.rglob("*.py")}
    folders |= {path.parent for path in (REPOSITORY / "tests").rglob("*.py")}
    for folder in folders:
        files = [path for path in folder.iterdir()
                 if path.is_file() and path.suffix != ".pyc"]
        assert len(files) <= 16, folder
