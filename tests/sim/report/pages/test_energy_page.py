"""The page of an energy account: all energy is in its pictures and tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from plotly.graph_objects import Figure

from tests.sim.report.pages.page_checks import check_page
from tests.sim.report.pages.study_tables import HOSTILE
from vqrom_hw.config import load_config
from vqrom_sim.report import energy_page
from vqrom_sim.report.pages.energy import (
    KINDS,
    dram_spec,
    flat,
    groups_spec,
    joules,
    layers_spec,
)


def account() -> dict[str, Any]:
    """An energy account of two parts, a component and a memory."""
    def parts(dynamic: float, clock: float, leakage: float) -> dict[str, float]:
        return {"dynamic_pj": dynamic, "clock_pj": clock, "leakage_pj": leakage,
                "total_pj": dynamic + clock + leakage}

    return {
        "network": HOSTILE, "images": 2, "config": load_config("tiny").model_dump(mode="json"),
        "macs": 100, "cycles": 1000, "frequency_mhz": 100.0, "time_us": 10.0,
        "library": {"name": HOSTILE, "supply_v": 1.1}, "assumptions": {"wires": {"ff": 1}},
        "stimuli": {}, "technology": {"name": "45nm", "node_nm": 45},
        "components": [{"component": "array", "group": "array", "event": "MAC", "events": 100,
                        "event_pj": 0.4, "cycle_pj": 0.0, "clock_cycle_pj": 0.02,
                        "leakage_uw": 1.0, **parts(40, 20, 10), "estimator": "gates"}],
        "memories": [{"component": "activation_buffer", "group": "activation_buffer",
                      "macro": "SRAM", "instances": 1, "reads": 10, "writes": 5, "read_pj": 2.0,
                      "write_pj": 4.0, "leakage_uw": 1.0, **parts(40, 0, 10),
                      "estimator": "macro model"}],
        "groups": {"array": parts(40, 20, 10), "activation_buffer": parts(40, 0, 10)},
        "total": parts(80, 20, 20), "array_pj_per_mac": 0.4, "chip_pj_per_image": 60.0,
        "stalled_cycle_pj": parts(0, 0.02, 0.02),
        "layers": [{"name": HOSTILE, "kind": "conv", "macs": 60, "cycles": 600, "dram_bits": 30,
                    "groups": {"array": 50.0, "activation_buffer": 10.0}, **parts(40, 10, 10)},
                   {"name": "add", "kind": "add", "macs": 0, "cycles": 400, "dram_bits": 20,
                    "groups": {"array": 20.0, "activation_buffer": 40.0}, **parts(40, 10, 10)}],
        "dram": [{"pj_per_bit": cost, "bits": 50, "energy_pj": 50 * cost,
                  "with_chip_pj": 50 * cost + 120} for cost in (3.7, 20.0)]}


def test_what_the_page_shows(tmp_path: Path) -> None:
    energy_page(tmp_path / "report.html", account())
    page = check_page((tmp_path / "report.html").read_text())
    assert set(page.data) == {"groups-data", "layers-data", "dram-data"}
    words = " ".join(page.text.split())
    for said in ("400 fJ a multiply-accumulate", "33.3", "macro model", "gates", HOSTILE,
                 "assumption: wires.ff"):
        assert said in words.replace("\u202f", " "), said
    assert "img" not in page.tags


def test_energies_add_up() -> None:
    energy = account()
    spec = groups_spec(energy)
    drawn = sum(sum(trace["x"]) for trace in spec["data"])
    assert drawn * 2 * 1e12 == pytest.approx(energy["total"]["total_pj"])
    assert len(spec["data"]) == len(KINDS) and Figure(spec)
    layers = layers_spec(energy)
    drawn = sum(sum(trace["x"]) for trace in layers["data"])
    assert drawn * 2 * 1e12 == pytest.approx(energy["total"]["total_pj"])
    assert [len(trace["y"]) for trace in layers["data"]] == [2, 2] and Figure(layers)
    with_dram = [sum(values) for values in zip(*(trace["x"] for trace in
                                                 dram_spec(energy)["data"]), strict=True)]
    assert [value * 2 * 1e12 for value in with_dram] == pytest.approx(
        [row["with_chip_pj"] for row in energy["dram"]])


@pytest.mark.parametrize(("picojoules", "text"), [
    (0, "0 fJ"), (0.4, "400 fJ"), (1, "1 pJ"), (999.96, "1 nJ"), (76.81e6, "76.81 µJ"),
    (3e15, "3000 J")])
def test_energies_as_people_read_them(picojoules: float, text: str) -> None:
    assert joules(picojoules).replace("\u202f", " ") == text


def test_nested_facts() -> None:
    assert flat({"a": {"b": 1, "c": [2]}, "d": None}) == [("a.b", 1), ("a.c", [2]), ("d", None)]
