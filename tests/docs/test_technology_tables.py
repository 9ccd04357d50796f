"""The page on memory macros has every published area, and whole tables."""

from __future__ import annotations

import importlib.util
from types import ModuleType

from tests.conftest import REPOSITORY
from vqrom_sim.technology import check_published, load_technology, technology_names


def tables() -> ModuleType:
    """The module of the documentation that makes the tables."""
    path = REPOSITORY / "docs" / "_ext" / "technology_tables.py"
    spec = importlib.util.spec_from_file_location("technology_tables", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_tables_are_whole() -> None:
    page = (REPOSITORY / "docs/sim/technology.md").read_text(encoding="utf-8")
    for name, table in tables().TABLES.items():
        lines = table()
        assert len(lines) > 3 and len({line.count("|") for line in lines}) == 1, name
        assert f"```{{technologies}} {name}\n" in page


def test_every_area_has_a_row() -> None:
    figures = check_published(*map(load_technology, technology_names()))
    assert len(tables().areas()) - 2 == sum(one.figure == "area_um2" for one in figures)
    assert len(tables().summary()) - 2 == len(technology_names()) + 1
