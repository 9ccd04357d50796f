"""`timing.json` of a small design, from its Verilog to its slowest paths by name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.sim.timing.toy_library import toy_liberty
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_hw.export import METADATA, VERILOG
from vqrom_sim.area import choose_library
from vqrom_sim.timing import opensta, timing_of

needs_opensta = pytest.mark.skipif(shutil.which("sta") is None,
                                   reason="OpenSTA is missing: apt-get install opensta")
CONFIG = AcceleratorConfig(
    name="small", subvector=2, codewords=4, rows=4, columns=2, decode_ports=2, post_lanes=1,
    bus_width=64, activation_words=256, accumulator_depth=16)
DESIGN = """module requantizer (a, enable, total, clk);
  input [7:0] a;
  input enable;
  output [15:0] total;
  input clk;
  reg [7:0] value = 8'h00;
  reg [15:0] total = 16'h0000;
  always @(posedge clk) begin
    if (enable) value <= a;
    total <= total + value * value;
  end
endmodule
module vqrom (a, enable, address, write, y, word, clk);
  input [7:0] a;
  input enable;
  input [5:0] address;
  input write;
  output [31:0] y;
  output [15:0] word;
  input clk;
  reg started = 1'h0;
  reg [15:0] memory [63:0];
  reg [15:0] word;
  always @(posedge clk) begin
    started <= enable;
    if (write) memory[address] <= y[15:0];
    word <= memory[address];
  end
  requantizer requantizer_0 (
    .a(a), .enable(started), .total(y[15:0]), .clk(clk)
  );
  requantizer requantizer_1 (
    .a(word[7:0]), .enable(started), .total(y[31:16]), .clk(clk)
  );
endmodule
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory):
    """A cache of this module's own: results are computed, not remembered."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VQROM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("design")
    (folder / VERILOG).write_text(DESIGN)
    (folder / METADATA).write_text(json.dumps({
        "parameters": CONFIG.model_dump(mode="json"), "codebook": {"sha256": "00"}}))
    (folder / "toy.lib").write_text(toy_liberty())
    return folder


@pytest.fixture(scope="module")
def report(folder: Path, cache: None) -> dict:
    return timing_of(CONFIG, folder, choose_library([folder / "toy.lib"], "45nm"), 10.0)


@needs_opensta
def test_wires_make_it_slower(report: dict) -> None:
    none, nominal, twice = (row["period_ns"] for row in report["wires"])
    assert none < nominal < twice
    assert report["period_ns"] == nominal
    assert report["fmax_mhz"] == pytest.approx(1e3 / nominal, rel=1e-3)
    assert report["asked"] == {"period_ns": 10.0, "slack_ns": pytest.approx(10 - nominal)}


@needs_opensta
def test_slowest_path_has_the_names_of_the_source(report: dict) -> None:
    slowest = report["paths"][0]
    assert slowest["start"] == {"component": "requantizer", "register": "value"}
    assert slowest["end"] == {"component": "requantizer", "register": "total"}
    assert slowest["through"] == ["requantizer"]
    assert slowest["cells"] == len(slowest["points"]) > 5
    assert slowest["points"][0]["cell"].startswith("DFF_X")
    times = [point["arrival_ns"] for point in slowest["points"]]
    assert times == sorted(times) and times[-1] < slowest["delay_ns"] == report["period_ns"]


@needs_opensta
def test_every_component_has_its_slowest_path(report: dict) -> None:
    rows = {row["component"]: row for row in report["components"]}
    assert set(rows) == {"requantizer", "vqrom", "port"}
    # Two instances of 8 and 16 bits; a memory's pins and one register; all output bits.
    assert rows["requantizer"]["ends"] == 2 * (8 + 16)
    assert rows["port"]["ends"] == 32 + 16
    assert sum(row["ends"] for row in rows.values()) == report["ends"]
    assert rows["requantizer"]["period_ns"] == report["period_ns"]
    assert all(row["period_ns"] <= report["period_ns"] for row in rows.values())


@needs_opensta
def test_memory_takes_its_access_time(report: dict, folder: Path, cache: None) -> None:
    (memory,) = report["memories"]
    assert (memory["words"], memory["width"]) == (64, 16)
    assert memory["kind"] == "ram_64x16_1r1w1_clocked"
    later = timing_of(CONFIG, folder, choose_library([folder / "toy.lib"], "130nm"))
    assert later["memories"][0]["access_ns"] > memory["access_ns"]
    port = {row["component"]: row for row in later["components"]}["port"]
    assert port["start"] == {"component": "vqrom", "register": "memory RD_DATA"}
    assert port["period_ns"] > later["memories"][0]["access_ns"]


@needs_opensta
def test_second_run_comes_from_the_cache(
        report: dict, folder: Path, cache: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("OpenSTA was called")
    monkeypatch.setattr(opensta, "run", refuse)
    assert timing_of(CONFIG, folder, choose_library([folder / "toy.lib"], "45nm"), 10.0) == report
    json.dumps(report, allow_nan=False)


def test_bad_period(folder: Path) -> None:
    with pytest.raises(VqromError, match=r"period must be a positive number.*not -1"):
        timing_of(CONFIG, folder, choose_library([folder / "toy.lib"], "45nm"), -1.0)


@needs_opensta
def test_generic_cells_have_no_delays(folder: Path) -> None:
    with pytest.raises(VqromError, match="with delay tables, which generic cells do not have"):
        timing_of(CONFIG, folder, choose_library(["generic"]))
