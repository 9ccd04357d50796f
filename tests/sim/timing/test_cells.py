"""Cells as loads and drivers, read from Liberty texts."""

from __future__ import annotations

import pytest

from tests.sim.timing.toy_library import GATES, PS_PER_FF, toy_liberty
from vqrom_hw.errors import VqromError
from vqrom_sim.timing.cells import Corner, read_cells
from vqrom_sim.timing.liberty_tree import read_tree


def test_drivers_are_the_lines_of_the_tables() -> None:
    library = read_cells([toy_liberty()])
    for kind, (_, delay) in GATES.items():
        for strength in (1, 4):
            cell = library.cells[f"{kind}_X{strength}"]
            driver = cell.outputs["Y"]
            assert driver.intrinsic_ps == pytest.approx(delay)
            assert driver.ps_per_ff == pytest.approx(PS_PER_FF / strength)
            assert cell.mean_input_ff == strength
    flip_flop = library.cells["DFF_X1"]
    assert flip_flop.sequential and flip_flop.clocks == {"CK"} and flip_flop.mean_input_ff == 1
    assert library.inverter_ff == 1 and library.corner == Corner(1, 1.0, 25)


def test_units_of_the_library_do_not_matter() -> None:
    text = toy_liberty().replace('"1ps"', '"1ns"').replace("(1, ff)", '(1, "pf")')
    driver = read_cells([text]).cells["INV_X1"].outputs["Y"]
    assert driver.intrinsic_ps == pytest.approx(1e3 * GATES["INV"][1])
    assert driver.ps_per_ff == pytest.approx(PS_PER_FF)


def test_table_over_slew_and_load() -> None:
    text = toy_liberty(extra="""
  lu_table_template(both) {
    variable_1 : input_net_transition;
    variable_2 : total_output_net_capacitance;
    index_1("1, 5, 9");
    index_2("0, 10");
  }
  cell(SLOW) {
    area : 1;
    pin(A) { direction : input; capacitance : 1; }
    pin(Y) { direction : output; function : "A";
      timing() { related_pin : "A"; timing_sense : positive_unate;
        cell_rise(both) { values("1, 11", "3, 33", "5, 55"); }
        cell_fall(both) { values("2, 22", "3, 23", "4, 44"); }
      }
    }
  }
""")
    driver = read_cells([text]).cells["SLOW"].outputs["Y"]
    # The second slew, the worse edge: 3 ps at no load, 33 ps at 10 fF.
    assert (driver.intrinsic_ps, driver.ps_per_ff) == pytest.approx((3, 3))


def test_families_are_drive_strengths() -> None:
    library = read_cells([toy_liberty()])
    family = library.families[library.cells["NAND2_X1"].family]
    assert [cell.name for cell in family] == ["NAND2_X1", "NAND2_X2", "NAND2_X4", "NAND2_X8"]
    assert [cell.name for cell in library.buffers] == ["BUF_X1", "BUF_X2", "BUF_X4", "BUF_X8"]


def test_delay_cells_and_cells_between_domains_are_not_chosen() -> None:
    plain = toy_liberty()
    start = plain.index("  cell(BUF_X4)")
    cell = plain[start:plain.index("  cell(", start + 1)]
    delay = cell.replace("BUF_X4", "DELAY_X4").replace(
        "20.0, 220.0, 2020.0", "90.0, 290.0, 2090.0")
    shifter = cell.replace("BUF_X4", "SHIFT_X4").replace(
        "    area", "    is_level_shifter : true;\n    area")
    library = read_cells([toy_liberty(extra=delay + shifter)])
    assert library.unusable == {"SHIFT_X4"}
    assert [cell.name for cell in library.buffers] == ["BUF_X1", "BUF_X2", "BUF_X4", "BUF_X8"]


@pytest.mark.parametrize(("texts", "message"), [
    ([toy_liberty(), toy_liberty("other", 0.7)], "must be of one corner"),
    ([toy_liberty().replace("nom_voltage", "voltage")], "must state its nominal process"),
    ([toy_liberty().replace('"1ps"', '"1 fortnight"')], "must have units of ps"),
    ([toy_liberty().replace("BUF", "CUF").replace('function : "A";', "")], "must have a buffer"),
    ([toy_liberty().replace("!A\"", "A\"")], "must have an inverter"),
    (["library(x) { cell(y) {"], r"must hold one library\(\.\.\.\) group"),
    (["library(x) { ) }"], "must hold groups and attributes"),
])
def test_libraries_that_do_not_serve(texts: list[str], message: str) -> None:
    with pytest.raises(VqromError, match=message):
        read_cells(texts)


def test_comments_and_continued_lines() -> None:
    tree = read_tree('library("x") { /* } */ a : "b c" ;\n values ("1, 2", \\\n "3"); ; }')
    assert tree.name == "x" and tree.attributes == {"a": "b c", "values": '"1, 2",  "3"'}
