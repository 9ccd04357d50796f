"""Area: counting by hierarchy against Yosys' own flat netlist, memories, groups, bad input."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from vqrom_hw.config import AcceleratorConfig, load_config
from vqrom_hw.errors import VqromError
from vqrom_hw.export import generate, run_yosys
from vqrom_sim.area import estimate as area_module
from vqrom_sim.area import estimate_area, synthesis
from vqrom_sim.area.codebook_registers import register_file
from vqrom_sim.area.estimate import Place, count_instances, measure_area
from vqrom_sim.area.liberty import generic_liberty, parse_liberty
from vqrom_sim.area.synthesis import (
    SynthesizedModule,
    black_box,
    kept_memories,
    script,
    split_modules,
    synthesize,
)

SMALL = AcceleratorConfig(
    name="small", subvector=2, codewords=4, rows=4, columns=2, decode_ports=2, post_lanes=1,
    bus_width=64, activation_words=256, accumulator_depth=16)
CODEWORDS = np.arange(-4, 4, dtype=np.int8).reshape(4, 2)

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


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory):
    """A cache of this module's own: results are computed, not remembered."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VQROM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def design(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("design")
    generate(SMALL, CODEWORDS, directory)
    return directory


@pytest.fixture(scope="module")
def small_area(design: Path, cache: None) -> dict:
    return estimate_area(SMALL, design)


def flat_cells(directory: Path, verilog: str) -> Counter[str]:
    """Cells of the whole design in one Yosys run, flattened after mapping."""
    (directory / "module.v").write_text(verilog)
    (directory / "cells0.lib").write_text(generic_liberty())
    kept = [f"{module}/c:{memory}" for module, body in split_modules(verilog).items()
            for memory in kept_memories(body)]
    commands = [command.replace(" c:", " ") for command in script("vqrom", kept)]
    run_yosys([*commands[:-1], "flatten", "write_json flat.json"], directory)
    cells = json.loads((directory / "flat.json").read_text())["modules"]["vqrom"]["cells"]
    return Counter(cell["type"] for cell in cells.values() if cell["type"] != "$scopeinfo")


def test_hierarchy_multiplies_instances(tmp_path: Path, cache: None) -> None:
    netlists = synthesize(TREE, (generic_liberty(),), tmp_path)
    assert netlists["leaf"].cells == {"DFF": 1, "NAND2": 1}
    places = count_instances(netlists)
    assert places == {
        Place("vqrom", "control", "vqrom"): 1,
        Place("weight_loader", "decode", "middle"): 1, Place("sequencer", "array", "middle"): 1,
        Place("weight_loader/leaf", "decode", "leaf"): 2,
        Place("sequencer/leaf", "array", "leaf"): 2}


def test_small_tree_equals_its_flat_netlist(tmp_path: Path, cache: None) -> None:
    netlists = synthesize(TREE, (generic_liberty(),), tmp_path)
    counted: Counter[str] = Counter()
    for place, count in count_instances(netlists).items():
        for cell, number in netlists[place.module].cells.items():
            counted[cell] += number * count
    assert counted == flat_cells(tmp_path, "".join(TREE.values()))


def test_whole_design_equals_one_flat_run(
        design: Path, small_area: dict, tmp_path: Path) -> None:
    (tmp_path / "codebook.hex").write_bytes((design / "codebook.hex").read_bytes())
    flat = flat_cells(tmp_path, (design / "vqrom.v").read_text())
    total, library = small_area["total"], parse_liberty(generic_liberty())
    assert sum(memory["instances"] for memory in small_area["memories"]) == flat.pop("$mem_v2")
    assert total["flip_flops"] == flat["DFF"]
    # What abc finds depends on the order in which it meets the nets, by up to 1 % of a module.
    assert total["cells"] == pytest.approx(sum(flat.values()), rel=0.02)
    assert total["nand2"] == pytest.approx(
        sum(library.cells[name].area * count for name, count in flat.items()), rel=0.02)


def test_rows_groups_and_total_agree(small_area: dict) -> None:
    for key in ("cells", "flip_flops", "nand2", "memory_bits"):
        total = small_area["total"][key]
        assert sum(row[key] for row in small_area["components"]) == pytest.approx(total)
        assert sum(group[key] for group in small_area["groups"].values()) == pytest.approx(total)
    assert small_area["total"]["area_um2"] is None
    rows = {row["component"]: row for row in small_area["components"]}
    elements = rows["compute_unit/processing_array/processing_element"]
    assert elements["instances"] == SMALL.processing_elements and elements["group"] == "array"
    # Shadow and working weights, 8 bits each, and the product register.
    assert elements["flip_flops"] >= elements["instances"] * 2 * 8 * SMALL.subvector
    rom = rows["compute_unit/weight_loader/codebook_rom"]
    assert rom["instances"] == SMALL.decode_ports
    assert small_area["groups"]["rom"]["nand2"] == rom["nand2"] > 0
    json.dumps(small_area, allow_nan=False)


def test_memories_are_counted_apart(small_area: dict) -> None:
    buffer = next(memory for memory in small_area["memories"]
                  if memory["component"] == "activation_buffer/activation_bank")
    assert buffer == {
        "component": "activation_buffer/activation_bank", "group": "activation_buffer",
        "instances": 4,
        "name": "memory", "kind": "ram", "words": 64, "width": 32, "read_ports": 1,
        "write_ports": 1, "write_enables": 4, "synchronous": True, "bits": 2048}
    assert small_area["groups"]["activation_buffer"]["memory_bits"] == 4 * 2048
    assert small_area["groups"]["rom"]["memory_bits"] == 0


def test_rom_is_smaller_than_registers(small_area: dict) -> None:
    storage = small_area["codebook_storage"]
    assert (storage["bits"], storage["read_ports"]) == (64, 2)
    assert storage["rom"] == small_area["groups"]["rom"]
    # The bits themselves, and the output register of each port.
    assert storage["registers"]["flip_flops"] == 64 + 2 * 16
    assert storage["rom"]["nand2"] < storage["registers"]["nand2"] / 2


def test_every_further_read_port_of_registers_costs_the_same(tmp_path: Path, cache: None) -> None:
    names = {f"file_{ports}": register_file(f"file_{ports}", 16, 8, ports) for ports in (1, 2, 4)}
    netlists = synthesize(names, (generic_liberty(),), tmp_path, keep_memories=False)
    library = parse_liberty(generic_liberty())
    one, two, four = (sum(library.cells[cell].area * count for cell, count in
                          netlists[name].cells.items()) for name in names)
    assert four == pytest.approx(one + 3 * (two - one), rel=0.03)


def test_second_run_comes_from_the_cache(
        design: Path, small_area: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> str:
        raise AssertionError("Yosys was called")
    monkeypatch.setattr(synthesis, "run_yosys", refuse)
    seen: list[tuple[str, int, int]] = []
    assert estimate_area(SMALL, design, progress=lambda *step: seen.append(step)) == small_area
    modules = len(split_modules((design / "vqrom.v").read_text()))
    assert ("synthesis", 0, modules) in seen and ("synthesis", modules, modules) in seen


def test_another_codebook_is_another_rom(cache: None, tmp_path: Path, design: Path) -> None:
    (tmp_path / "codebook.hex").write_text("0000\n" * 4)
    module = split_modules((design / "vqrom.v").read_text())["codebook_rom"]
    zeros = synthesize({"codebook_rom": module}, (generic_liberty(),), tmp_path)["codebook_rom"]
    theirs = synthesize({"codebook_rom": module}, (generic_liberty(),), design)["codebook_rom"]
    assert sum(zeros.cells.values()) < sum(theirs.cells.values())


def test_liberty_gives_square_micrometres(
        design: Path, small_area: dict, tmp_path: Path, cache: None,
        monkeypatch: pytest.MonkeyPatch) -> None:
    text = generic_liberty().replace("library(generic)", "library(half)")
    for cell in parse_liberty(generic_liberty()).cells.values():
        text = text.replace(f"cell({cell.name}) {{\n    area : {cell.area:.6f};",
                            f"cell({cell.name}) {{\n    area : {cell.area / 2:.6f};")
    path = tmp_path / "half.lib"
    path.write_text(text)
    modules = split_modules((design / "vqrom.v").read_text())
    few = {name: modules[name] for name in ["column_adder"]}
    monkeypatch.setattr(area_module, "split_modules", lambda _: few)
    monkeypatch.setattr(area_module, "registers_for", lambda *_: None)
    monkeypatch.setattr(area_module, "count_instances",
                        lambda _: {Place("vqrom/adder", "array", "column_adder"): 3})
    result = estimate_area(SMALL, design, [path])
    assert result["library"]["nand2_area_um2"] == 0.5
    assert result["total"]["area_um2"] == pytest.approx(result["total"]["nand2"] / 2, rel=1e-4)
    adder = next(row for row in small_area["components"]
                 if row["component"] == "compute_unit/processing_array/column_adder")
    assert result["total"]["nand2"] == pytest.approx(
        3 * adder["nand2"] / adder["instances"], rel=0.05)


def test_library_that_lacks_a_latch(tmp_path: Path, cache: None) -> None:
    latch = """module latch (e, d, q);
  input e;
  input d;
  output q;
  reg q;
  always @* if (e) q = d;
endmodule
"""
    with pytest.raises(VqromError, match=r"module 'latch' cannot be .*\$_DLATCH_P_"):
        synthesize({"latch": latch}, (generic_liberty(),), tmp_path)


def test_module_that_is_no_verilog(tmp_path: Path, cache: None) -> None:
    with pytest.raises(VqromError, match="module 'bad' cannot be synthesised"):
        synthesize({"bad": "module bad (;\nendmodule\n"}, (generic_liberty(),), tmp_path)


def test_design_of_another_configuration(design: Path, tmp_path: Path) -> None:
    other = SMALL.model_copy(update={"codewords": 8})
    with pytest.raises(VqromError, match=r"must have codewords 8, as in config 'small', not 4"):
        estimate_area(other, design)
    with pytest.raises(VqromError, match=r"must hold a 'vqrom.json'"):
        estimate_area(SMALL, tmp_path)


def test_measure_area_generates_first(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(config, directory, liberty, progress):
        return {"files": sorted(path.name for path in directory.iterdir()), "config": config.name}
    monkeypatch.setattr(area_module, "estimate_area", look)
    assert measure_area(SMALL, CODEWORDS) == {
        "files": ["codebook.hex", "vqrom.h", "vqrom.json", "vqrom.v"], "config": "small"}
    with pytest.raises(VqromError, match="codebook must be int8 of shape"):
        measure_area(load_config("tiny"), CODEWORDS)


def test_kept_memories_by_size() -> None:
    text = ("module m (clk);\n  reg [15:0] big [63:0];\n  reg [15:0] small [62:0];\n"
            "  reg [63:0] rom [4095:0];\n  reg [63:0] huge [4096:0];\n"
            '  initial $readmemh("codebook.hex", rom);\n'
            '  initial $readmemh("codebook.hex", huge);\nendmodule\n')
    assert kept_memories(text) == ["big", "huge"]


def test_black_box_has_ports_only() -> None:
    assert black_box(TREE["leaf"]) == (
        "(* blackbox *)\nmodule leaf (a, b, y, clk);\n  input a;\n  input b;\n  output y;\n"
        "  input clk;\nendmodule\n")


def test_text_without_modules() -> None:
    with pytest.raises(VqromError, match="must hold modules"):
        split_modules("")


def test_groups_of_unknown_components_are_those_around_them() -> None:
    nothing: dict[str, int] = {}
    netlists = {
        "vqrom": SynthesizedModule(nothing, (), (("dma_read", "a"), ("novel", "b")), Path()),
        "a": SynthesizedModule(nothing, (), (("novel_3", "b"),), Path()),
        "b": SynthesizedModule(nothing, (), (), Path()),
    }
    assert {place.component: place.group for place in count_instances(netlists)} == {
        "vqrom": "control", "dma_read": "dma", "novel": "control", "dma_read/novel": "dma"}
