"""The instance tree: instances, places and groups, and what their cells add up to."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from vqrom_hw.export import run_yosys
from vqrom_sim.area import Place, SynthesizedModule, count_instances, synthesize
from vqrom_sim.area.liberty import generic_liberty
from vqrom_sim.area.synthesis import script

TREE = {
    "leaf": """module leaf (a, b, y, clk);
  input a;
  input b;
  output y;
  input clk;
  reg y;
  always @(posedge clk) y <= ~(a & b);
endmodule
""",
    "middle": """module middle (a, y, clk);
  input [3:0] a;
  output [1:0] y;
  input clk;
  leaf leaf_0 (
    .a(a[0]), .b(a[1]), .y(y[0]), .clk(clk)
  );
  leaf leaf_1 (
    .a(a[2]), .b(a[3]), .y(y[1]), .clk(clk)
  );
endmodule
""",
    "vqrom": """module vqrom (a, y, clk);
  input [7:0] a;
  output y;
  input clk;
  wire [3:0] z;
  middle weight_loader (
    .a(a[3:0]), .y(z[1:0]), .clk(clk)
  );
  middle sequencer (
    .a(a[7:4]), .y(z[3:2]), .clk(clk)
  );
  assign y = ^z;
endmodule
""",
}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of each test's own: results are computed, not remembered."""
    monkeypatch.setenv("VQROM_CACHE", str(tmp_path / "cache"))


def test_hierarchy_multiplies_instances(tmp_path: Path) -> None:
    netlists = synthesize(TREE, (generic_liberty(),), tmp_path)
    assert netlists["leaf"].cells == {"DFF": 1, "NAND2": 1}
    places = count_instances(netlists)
    assert places == {
        Place("vqrom", "control", "vqrom"): 1,
        Place("weight_loader", "decode", "middle"): 1, Place("sequencer", "array", "middle"): 1,
        Place("weight_loader/leaf", "decode", "leaf"): 2,
        Place("sequencer/leaf", "array", "leaf"): 2}


def test_small_tree_equals_its_flat_netlist(tmp_path: Path) -> None:
    netlists = synthesize(TREE, (generic_liberty(),), tmp_path)
    counted: Counter[str] = Counter()
    for place, count in count_instances(netlists).items():
        for cell, number in netlists[place.module].cells.items():
            counted[cell] += number * count
    (tmp_path / "module.v").write_text("".join(TREE.values()))
    (tmp_path / "cells0.lib").write_text(generic_liberty())
    run_yosys(script("vqrom", (), flat=True), tmp_path)
    cells = json.loads((tmp_path / "netlist.json").read_text())["modules"]["vqrom"]["cells"]
    assert counted == Counter(cell["type"] for cell in cells.values()
                              if cell["type"] != "$scopeinfo")


def test_groups_of_unknown_components_are_those_around_them() -> None:
    nothing: dict[str, int] = {}
    netlists = {
        "vqrom": SynthesizedModule(nothing, (), (("dma_read", "a"), ("novel", "b")), Path()),
        "a": SynthesizedModule(nothing, (), (("novel_3", "b"),), Path()),
        "b": SynthesizedModule(nothing, (), (), Path()),
    }
    assert {place.component: place.group for place in count_instances(netlists)} == {
        "vqrom": "control", "dma_read": "dma", "novel": "control", "dma_read/novel": "dma"}
