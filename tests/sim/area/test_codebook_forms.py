"""Forms of the codebook: bank conflicts, the crossbar's function, which form is recommended."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest

from vqrom_hw.config import load_config
from vqrom_hw.export import run_yosys
from vqrom_hw.export.verilog import to_verilog
from vqrom_hw.weights.codebook_rom import CodebookRom
from vqrom_sim.area import (
    choose_library,
    count_instances,
    design_modules,
    memory_rows,
    split_modules,
    synthesize,
)
from vqrom_sim.area.bank_conflicts import cycles_of_lookup
from vqrom_sim.area.codebook_forms import FORMS, codebook_forms, smallest, stored_form
from vqrom_sim.area.codebook_verilog import crossbar, register_file, rom_port
from vqrom_sim.area.liberty import generic_liberty, parse_liberty


@pytest.mark.parametrize(("ports", "banks"), [(1, 1), (1, 4), (3, 1), (2, 2), (4, 2), (4, 4)])
def test_cycles_are_the_mean_of_all_choices(ports: int, banks: int) -> None:
    fullest = [max(choice.count(bank) for bank in range(banks))
               for choice in itertools.product(range(banks), repeat=ports)]
    assert cycles_of_lookup(ports, banks) == pytest.approx(math.fsum(fullest) / len(fullest))


def test_cycles_of_many_ports_against_draws() -> None:
    draws = np.random.default_rng(5).integers(0, 16, (20_000, 16))
    fullest = np.stack([(draws == bank).sum(1) for bank in range(16)]).max(0)
    assert cycles_of_lookup(16, 16) == pytest.approx(fullest.mean(), abs=0.02)


def test_crossbar_delivers_every_codeword(tmp_path: Path) -> None:
    """Proved by Yosys for all indices: 2 ports, 4 codewords of 4 bits in 2 banks."""
    (tmp_path / "top.v").write_text(crossbar("crossbar", 4, 4, 2, 2) + """
module top (clk, start, index, done, right);
  input clk, start;
  input [3:0] index;
  output done, right;
  wire [1:0] row;
  reg [7:0] word;
  reg [3:0] held;
  wire [3:0] used = start ? index : held;
  wire [7:0] codewords;
  function [3:0] codebook;
    input [1:0] number;
    codebook = 4'b0110 ^ {number, number[0], 1'b1};
  endfunction
  crossbar crossbar (.clk(clk), .start(start), .index(used), .row(row), .word(word), .done(done),
                     .codewords(codewords));
  always @(posedge clk) begin
    held <= used;
    word <= {codebook({row[1], 1'b1}), codebook({row[0], 1'b0})};
  end
  assign right = codewords == {codebook(used[3:2]), codebook(used[1:0])};
endmodule
""")
    start = "".join(f" -set-at {step} start {int(step == 1)}" for step in range(1, 8))
    prepare = ("read_verilog top.v", "prep -flatten -top top")
    # Two cycles for two ports at one bank, one more to deliver: from step 5 on all is there.
    run_yosys((*prepare, f"sat -verify -seq 7{start} -prove right 1 -prove-skip 4"), tmp_path)
    with pytest.raises(RuntimeError, match="proof did fail"):
        run_yosys((*prepare, f"sat -verify -seq 7{start} -prove right 1 -prove-skip 2"), tmp_path)


def test_every_further_read_port_of_registers_costs_the_same(tmp_path: Path) -> None:
    names = {f"file_{ports}": register_file(f"file_{ports}", 16, 8, ports) for ports in (1, 2, 4)}
    netlists = synthesize(names, (generic_liberty(),), tmp_path, keep_memories=False)
    library = parse_liberty(generic_liberty())
    one, two, four = (sum(library.cells[cell].area * count for cell, count in
                          netlists[name].cells.items()) for name in names)
    assert four == pytest.approx(one + 3 * (two - one), rel=0.03)


def test_recommended_serves_all_ports_and_says_when_errors_overlap() -> None:
    def row(form: str, area_um2: float | None, error: float = 0.1, cycles: float = 1) -> dict:
        ends = [None if area_um2 is None else area_um2 * (1 + way * error) for way in (-1, 1)]
        return {"form": form, "area_um2": area_um2, "low_um2": ends[0], "high_um2": ends[1],
                "cycles": cycles}
    slow, absent = row("slow", 1, cycles=1.5), row("absent", None)
    assert smallest([row("a", 10), row("b", 20), slow, absent]) == ("a", True)
    assert smallest([row("a", 10), row("b", 9.5), slow, absent]) == ("b", False)


def test_forms_of_an_sram_accelerator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A codebook in SRAM, too large for logic: what is not synthesised says so."""
    monkeypatch.setattr("vqrom_sim.area.codebook_forms.ROM_LOGIC_BITS", 1000)
    monkeypatch.setattr("vqrom_sim.area.codebook_forms.MAX_REGISTER_BITS", 1000)
    config = load_config("tiny").model_copy(update={
        "codebook_storage": "sram", "codewords": 512, "subvector": 1, "decode_ports": 17})
    library = choose_library(["generic"])
    rom = {"logic_um2": 5.0, "area_um2": 7.0}
    storage = codebook_forms(config, tmp_path, library, rom | {"nand2": 1.0})
    forms = {one["form"]: one for one in storage["forms"]}
    assert tuple(forms) == tuple(FORMS) and storage["stored"] == "sram_macros"
    assert forms["logic"]["area_um2"] is None and "1000 bits" in forms["logic"]["reason"]
    assert forms["registers"]["area_um2"] is None
    assert forms["rom_macros"]["macros"] == forms["sram_macros"]["macros"] == 17
    # A cell has at most 16 ports: two ROMs of 9.
    shared = forms["rom_multiport"]
    assert shared["macros"] == 2
    # Ports of a cell are known badly.
    assert shared["low_um2"] < 0.7 * shared["area_um2"]
    assert shared["high_um2"] > 1.3 * shared["area_um2"]
    assert forms["rom_banked"]["macros"] == 32 and 2 < forms["rom_banked"]["cycles"] < 4
    assert forms["rom_macros"]["area_um2"] < forms["sram_macros"]["area_um2"]
    assert storage["recommended"] == "rom_macros"


@pytest.mark.parametrize(("changes", "form"), [
    ({}, "logic"), ({"codebook_rom": "logic"}, "logic"), ({"codebook_rom": "macro"}, "rom_macros"),
    ({"codewords": 16384}, "rom_macros"), ({"codebook_storage": "sram"}, "sram_macros")])
def test_stored_form(changes: dict, form: str) -> None:
    assert stored_form(load_config("tiny").model_copy(update=changes)) == form


def test_macro_of_the_codebook_is_counted(tmp_path: Path) -> None:
    """One port of the codebook, without the accelerator around it."""
    port = to_verilog(CodebookRom(range(100, 116), 8, "macro"), "codebook_rom", "codebook.hex")
    (tmp_path / "codebook.hex").write_text("".join(f"{16 * word:02x}\n" for word in range(16)))
    modules = split_modules(port) | {"vqrom_codebook_rom": rom_port(16, 8)}
    netlists = synthesize(modules, (generic_liberty(),), tmp_path)
    row, = memory_rows(count_instances(netlists, "codebook_rom"), netlists,
                       choose_library(["generic"]).technology)
    assert (row["macro"], row["words"], row["component"]) == ("rom", 16, "macro")


def test_design_with_a_macro_has_its_module(tmp_path: Path) -> None:
    (tmp_path / "vqrom.v").write_text("module vqrom (clk);\n  input clk;\nendmodule\n")
    config = load_config("tiny")
    assert set(design_modules(config, tmp_path)) == {"vqrom"}
    macro = config.model_copy(update={"codebook_rom": "macro"})
    assert set(design_modules(macro, tmp_path)) == {"vqrom", "vqrom_codebook_rom"}
