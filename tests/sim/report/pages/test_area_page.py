"""The page of an area estimate: every um2 is a tile, every form of the codebook a bar."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from plotly.graph_objects import Figure

from tests.sim.report.pages.page_checks import check_page
from tests.sim.report.pages.study_tables import HOSTILE
from vqrom_hw.config import load_config
from vqrom_sim.report.pages import area_page
from vqrom_sim.report.pages.area_figures import area_spec, storage_spec


def sizes(logic: float, memory: float, **more: Any) -> dict[str, Any]:
    return {"cells": 10, "flip_flops": 2, "nand2": logic / 4, "logic_um2": logic,
            "memory_bits": 64 if memory else 0, "memory_um2": memory, "area_um2": logic + memory,
            **more}


def estimate() -> dict[str, Any]:
    """An area estimate of three components in two groups; names are hostile."""
    def form(name: str, **more: Any) -> dict[str, Any]:
        return {"form": name, "what": f"codebook as {name}", "method": "synthesis",
                "logic_um2": 10.0, "memory_um2": 5.0, "area_um2": 15.0, "error": 0.03, "cycles": 1,
                "macros": 1, "access_ns": 1.5, "reason": None} | more

    none = dict.fromkeys(("method", "logic_um2", "memory_um2", "area_um2", "error", "cycles",
                          "access_ns"))
    rows = [("vqrom", "control", 5.0, 0.0), (f"codebook_rom/{HOSTILE}", "rom", 20.0, 0.0),
            ("csr", "control", 7.0, 30.0)]
    return {
        "config": load_config("tiny").model_dump(mode="json"), "codebook_sha256": "ab" * 32,
        "library": {"name": HOSTILE, "source": "tests", "nand2_cell": "nand2",
                    "nand2_area_um2": 4.0, "um2": "estimated", "estimator": "Yosys"},
        "technology": {"name": "130nm", "memory_error": 0.1, "estimator": "macro model"},
        "components": [sizes(logic, memory, component=name, group=group, instances=1)
                       for name, group, logic, memory in rows],
        "groups": {"rom": sizes(20.0, 0.0), "control": sizes(12.0, 30.0)},
        "total": sizes(32.0, 30.0),
        "memories": [{"component": "csr", "macro": "SRAM", "instances": 1, "words": 8, "width": 8,
                      "write_enables": 1, "banks": 1, "area_um2": 30.0, "error": 0.1,
                      "access_ns": 1.0}],
        "codebook_storage": {"bits": 64, "read_ports": 2, "recommended": "rom_macros",
                             "clear": False, "forms": [
                                 form("logic"), form("rom_macros"),
                                 form("registers", **none, reason="too large")]}}


def test_what_the_page_shows(tmp_path: Path) -> None:
    area_page(tmp_path / "report.html", estimate())
    page = check_page((tmp_path / "report.html").read_text())
    assert set(page.data) == {"area-data", "storage-data"} and "img" not in page.tags
    words = " ".join(page.text.split())
    for said in ("Area of tiny", "rom macros, though errors overlap", "too large", "macro model",
                 HOSTILE, "ab" * 32):
        assert said in words, said


def test_every_square_micrometre_is_a_tile() -> None:
    area = estimate()
    (tree,) = area_spec(area)["data"]
    assert sum(tree["values"]) == area["total"]["area_um2"]
    assert len(set(tree["ids"])) == len(tree["ids"]) == len(tree["labels"])
    assert set(tree["parents"]) - {""} <= set(tree["ids"])
    assert "csr, memory" in tree["labels"] and "<img" not in str(tree["labels"])
    of_rom = [value for value, parent in zip(tree["values"], tree["parents"], strict=True)
              if parent == "group rom"]
    assert sum(of_rom) == pytest.approx(area["groups"]["rom"]["area_um2"])


def test_forms_without_an_area_have_no_bar() -> None:
    spec = storage_spec(estimate()["codebook_storage"])
    assert [trace["x"] for trace in spec["data"]] == [[10.0, 10.0], [5.0, 5.0]]
    assert Figure(spec)
