"""The documentation's diagrams: well-formed, inside their edges, and true to the model."""

from __future__ import annotations

import importlib
from types import ModuleType
from xml.etree import ElementTree

import pytest

from tests.conftest import REPOSITORY

NAMES = ("accelerator", "processing_element", "decode", "layer", "software")
SVG = "{http://www.w3.org/2000/svg}"


def module_of(name: str) -> ModuleType:
    return importlib.import_module(f"docs.diagrams.{name}")


@pytest.mark.parametrize("name", NAMES)
def test_svg_is_well_formed_and_described(name: str) -> None:
    tree = ElementTree.fromstring(module_of(name).draw())
    assert tree.get("viewBox") and tree.get("role") == "img"
    assert tree.findtext(f"{SVG}title") and tree.findtext(f"{SVG}desc")
    colours = {element.get("style", "") for element in tree.iter()}
    assert not any("fill:#" in style or "stroke:#" in style for style in colours), (
        "colours are variables of the page, for light and dark")


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_cut_at_the_edge(name: str) -> None:
    drawing = module_of(name).picture()
    outside = [what for what, left, top, right, bottom in drawing.extents
               if left < 0 or top < 0 or right > drawing.width or bottom > drawing.height]
    assert outside == []


def test_every_diagram_is_on_a_page() -> None:
    pages = "".join(page.read_text(encoding="utf-8")
                    for page in (REPOSITORY / "docs").rglob("*.md"))
    for name in NAMES:
        assert f"```{{diagram}} {name}\n" in pages
    modules = {path.stem for path in (REPOSITORY / "docs" / "diagrams").glob("*.py")}
    assert modules == {*NAMES, "__init__", "drawing", "record_layer"}


def test_timing_chart_is_what_the_cycle_model_does_today() -> None:
    record = module_of("record_layer")
    assert record.encoded(record.record()) == record.TRACE.read_text(encoding="utf-8")
