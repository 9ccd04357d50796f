"""Memories as macros: pins, delays, and what is refused."""

from __future__ import annotations

import pytest

from tests.sim.timing.toy_library import toy_liberty
from vqrom_hw.errors import VqromError
from vqrom_sim.timing.cells import read_cells
from vqrom_sim.timing.liberty_tree import read_tree
from vqrom_sim.timing.memories import SETUP_PART, macro, macro_pins, memory_liberty
from vqrom_sim.timing.netlist import Bit

LIBRARY = read_cells([toy_liberty()])
PARAMETERS = {"RD_CLK_ENABLE": "1", "RD_CLK_POLARITY": "1", "WR_CLK_ENABLE": "1",
              "WR_CLK_POLARITY": "1"}
PINS: dict[str, Bit] = {
    "RD_ADDR[0]": 2, "RD_ADDR[1]": 3, "RD_ARST[0]": "0", "RD_CLK[0]": 1, "RD_DATA[0]": 4,
    "RD_DATA[1]": 5, "RD_EN[0]": "1", "RD_SRST[0]": "0", "WR_ADDR[0]": 6, "WR_ADDR[1]": 7,
    "WR_CLK[0]": 1, "WR_DATA[0]": 8, "WR_DATA[1]": 9, "WR_EN[0]": 10, "WR_EN[1]": 10}


def test_pins_of_a_macro() -> None:
    assert macro_pins("m", PARAMETERS, PINS) == {
        "CLK": 1, "RD_ADDR_0": 2, "RD_ADDR_1": 3, "RD_DATA_0": 4, "RD_DATA_1": 5, "RD_EN_0": "1",
        "WR_ADDR_0": 6, "WR_ADDR_1": 7, "WR_DATA_0": 8, "WR_DATA_1": 9, "WR_EN_0": 10}
    apart = macro_pins("m", PARAMETERS, PINS | {"WR_EN[1]": 11})
    assert (apart["WR_EN_0"], apart["WR_EN_1"]) == (10, 11)


def test_liberty_has_the_access_and_the_set_up_time() -> None:
    pins = macro_pins("m", PARAMETERS, PINS)
    clocked = macro("ram", pins, synchronous=True, access_ns=0.5, library=LIBRARY)
    through = macro("fifo", pins, synchronous=False, access_ns=0.25, library=LIBRARY)
    cells = {cell.name: {pin.name: pin for pin in cell.of_kind("pin")} for cell in
             read_tree(memory_liberty([clocked, through], LIBRARY)).of_kind("cell")}
    (read,) = cells["ram"]["RD_DATA_0"].of_kind("timing")
    assert read.attributes["timing_type"] == "rising_edge"
    assert next(read.of_kind("cell_rise")).attributes["values"].startswith("500,")
    (setup,) = cells["ram"]["RD_ADDR_1"].of_kind("timing")
    assert float(next(setup.of_kind("rise_constraint")).attributes["values"]) == pytest.approx(
        SETUP_PART * 500)
    (read,) = cells["fifo"]["RD_DATA_0"].of_kind("timing")
    assert read.attributes["timing_type"] == "combinational"
    assert read.attributes["related_pin"] == "RD_ADDR_0 RD_ADDR_1 RD_EN_0"
    assert not list(cells["fifo"]["RD_ADDR_0"].of_kind("timing"))
    assert list(cells["fifo"]["WR_DATA_0"].of_kind("timing"))


@pytest.mark.parametrize(("parameters", "pins", "message"), [
    ({"RD_CLK_POLARITY": "0"}, {}, "must have a clock of rising edges"),
    ({}, {"WR_CLK[0]": 20}, "must have one clock"),
    ({}, {"RD_SRST[0]": 20}, "must have no reset; it has RD_SRST"),
    ({}, {"RD_NEW[0]": 20}, "has a pin 'RD_NEW' that is not understood"),
])
def test_memories_that_are_refused(
        parameters: dict[str, str], pins: dict[str, Bit], message: str) -> None:
    with pytest.raises(VqromError, match=message):
        macro_pins("m", PARAMETERS | parameters, PINS | pins)


def test_reading_without_a_clock_has_no_edge() -> None:
    assert "CLK" in macro_pins("m", PARAMETERS | {"RD_CLK_ENABLE": "0", "RD_CLK_POLARITY": "0"},
                               PINS | {"RD_CLK[0]": "x"})
