"""What the documentation names exists: modules and their members, files, and targets of links."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

PAGES = sorted([*(REPOSITORY / "docs").rglob("*.md"),
                *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md"))])
DOTTED = re.compile(r"\bvqrom(?:_(?:hw|sw|sim))?(?:\.\w+)+")
FILE = re.compile(r"`(?:\./)?((?:hw|sw|sim|tests|docs|\.ci)/[\w./-]*\w/?)`")
TESTED = re.compile(r"(?<![\w./])tests/[\w./-]*\w")
BENCH = re.compile(r"-m ((?:tests|docs)(?:\.\w+)+)")
BARE = re.compile(r"`([\w.]+\.(?:py|sv|cpp|j2))`")
LINK = re.compile(r"\]\((?!https?:|#|<)([^)#\s]+)")
CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
OWN_FILES = {"vqrom.v", "vqrom.h", "vqrom.css", "vqrom.md", "vqrom.json", "vqrom.toml",
             "vqrom.network", "vqrom.simulate", "vqrom.area"}
"""Names of files and schemas that look like members of a package."""
REMOVED = {"hw/vqrom_hw/x.py", "vqrom_hw.dma_read"}
"""Names that a page gives as examples, or as what is no more."""
GENERATED = {"net.py", "mine.py", "bars.py"}
"""Files of a reader's own."""


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def exists(name: str) -> bool:
    """Whether a dotted name is a module, or a member of one, or a member of a member."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            if not hasattr(found, part) and part not in getattr(found, "model_fields", {}):
                return False
            found = getattr(found, part, None)
        return True
    return False


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_names_of_packages_import(page: Path) -> None:
    named = set(DOTTED.findall(text_of(page))) - OWN_FILES - REMOVED
    assert [name for name in sorted(named) if not exists(name)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_files_exist(page: Path) -> None:
    text = text_of(page)
    named = {*FILE.findall(text), *TESTED.findall(text)} - REMOVED
    modules = (name.replace(".", "/") for name in BENCH.findall(text))
    named |= {f"{name}/__main__.py" if (REPOSITORY / name).is_dir() else f"{name}.py"
              for name in modules}
    assert [name for name in sorted(named) if not (REPOSITORY / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_bare_file_names_are_of_the_tree(page: Path) -> None:
    """A page may call ``hw/vqrom_hw/bus/axi.py`` just ``axi.py``, if there is such a file."""
    known = {path.name for folder in ("hw", "sw", "sim", "tests", "docs")
             for path in (REPOSITORY / folder).rglob("*") if path.is_file()}
    named = set(BARE.findall(text_of(page))) - GENERATED
    assert sorted(named - known) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = set(LINK.findall(CODE.sub("", text_of(page))))
    assert [target for target in sorted(targets) if not (page.parent / target).exists()] == []
