"""Energies out of a Liberty text: units, means, rails, what is refused."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.sim.energy.library import FLIP_FLOP, HEAD, LIBERTY, gate, library
from vqrom_hw.errors import VqromError
from vqrom_sim.area import read_liberties
from vqrom_sim.energy.cells import read_power, smallest_inverter, truth_table


def test_units() -> None:
    """pF and V give fF and fJ; a rise of 0.5 pJ and a fall of 0 are 250 fJ a transition."""
    cells = library().cells
    inverter = cells["INV"]
    assert library().supply_v == 2.0
    assert inverter.inputs[0].name == "A"
    assert inverter.inputs[0].load_ff == pytest.approx(500.0)
    assert inverter.outputs[0].energy_fj(100.0) == pytest.approx(250.0)
    assert inverter.outputs[0].time_ns(100.0) == pytest.approx(1.0)
    assert inverter.leakage_nw == pytest.approx(3.0)
    assert cells["DFF"].register["state"] == "IQ" and cells["DFF"].register["next_state"] == "D"


def test_states_pins_and_rails() -> None:
    """States of one related pin count once, pins are averaged, rails add up, a lone rise has a fall
    of nothing."""
    powers = "".join(
        f'internal_power() {{ related_pin : "{pin}"; related_pg_pin : {rail}; when : "{state}"; '
        f'power(scalar) {{ values("{value}"); }} }}'
        for pin, rail, state, value in (
            ("A", "VDD", "B", 1.0), ("A", "VDD", "!B", 3.0), ("B", "VDD", "A", 6.0),
            ("A", "VSS", "B", 0.5)))
    text = LIBERTY[:-2] + gate("ODD", "A | B", "AB").replace(
        "internal_power() { related_pin", f"{powers} internal_power() {{ related_pin", 1) + "}\n"
    odd = read_power([text], ["ODD"], "INV").cells["ODD"].outputs[0]
    # The group that gate() writes has no rail, and costs nothing.
    assert odd.energy_fj(0.0) == pytest.approx(1e3 * ((1 + 3) / 2 + 6) / 2 + 1e3 * 0.5)


def test_interpolation() -> None:
    """Between loads along the line, beyond the last the value there."""
    sloped = LIBERTY.replace('values("0.5, 0.5", "0.5, 0.5")', 'values("0, 2", "0, 2")')
    output = read_power([sloped], ["INV"], "INV").cells["INV"].outputs[0]
    assert output.energy_fj(250.0) == pytest.approx(250.0)
    assert output.energy_fj(5000.0) == pytest.approx(1000.0)


def test_leakage_without_a_total() -> None:
    """The mean of states of each rail, rails added; a value without a state is the mean itself."""
    states = "".join(
        f'leakage_power() {{ value : {value}; related_pg_pin : {rail}; {when} }}'
        for value, rail, when in ((1, "VDD", 'when : "A";'), (3, "VDD", 'when : "!A";'),
                                  (9, "VSS", ""), (5, "VSS", 'when : "A";')))
    text = LIBERTY.replace("cell_leakage_power : 3.0;", states, 1)
    assert read_power([text], ["INV"], "INV").cells["INV"].leakage_nw == pytest.approx(2 + 9)


def test_truth_table() -> None:
    assert truth_table("!(A B)") == (("A", "B"), 0b0111)
    assert truth_table("S' D0 + S D1") == (("D0", "D1", "S"), 0b11001010)
    with pytest.raises(VqromError, match="at most 6 inputs, unlike 'A&B&C&D&E&F&G'"):
        truth_table("A&B&C&D&E&F&G")


@pytest.mark.parametrize(("old", "new", "message"), [
    ('voltage_unit : "1V"', 'voltage_unit : "1kV"', "must have voltage_unit in V, not '1kV'"),
    ("nom_voltage : 2.0", "nominal : 2.0", "must have a number as nom_voltage"),
    ("cell(INV)", "cell(INVERTER)", "must have cell 'INV'"),
    (FLIP_FLOP, 'latch(IQ, IQN) { enable : "C"; }', "'DFF' must be logic or one flip-flop, not a "
                                                    "latch"),
    ('values("1.0, 1.0", ', "values(", r"cell_rise\(t\) must have 2 x 2 values, not 2"),
    ("leakage_power : 3.0", "leakage : 3.0", "must have a leakage power"),
    ("library(round)", "cells(round)", "must begin with library"),
])
def test_refused(old: str, new: str, message: str) -> None:
    text = LIBERTY.replace(old, new)
    assert text != LIBERTY
    with pytest.raises(VqromError, match=message):
        read_power([text], ["INV", "NAND2", "XOR2", "DFF"], "INV")


def test_files_of_one_library() -> None:
    """Cells may lie in several files, as long as these agree."""
    first, second = HEAD + gate("INV", "!A", "A") + "}", HEAD + gate("BUF", "A", "A") + "}"
    assert set(read_power([first, second], ["BUF"], "INV").cells) == {"BUF", "INV"}
    with pytest.raises(VqromError, match="must share units and supply voltage"):
        read_power([first, re.sub("nom_voltage : 2.0", "nom_voltage : 1.0", second)], ["BUF"],
                   "INV")


def test_real_libraries(data_folder) -> None:
    """An inverter's chain of sky130 and ASAP7 settles within the tables; a flip-flop costs more."""
    for files, flip_flop, supply in (
            (["sky130hd_tt"], "sky130_fd_sc_hd__dfxtp_1", 1.8),
            (["asap7_simple", "asap7_seq", "asap7_invbuf"], "DFFHQNx1_ASAP7_75t_R", 0.7)):
        texts = read_liberties([data_folder / "liberty" / f"{name}.lib.gz" for name in files])
        inverter = smallest_inverter(texts).name
        found = read_power(texts.texts, [flip_flop], inverter)
        assert found.supply_v == supply and 0.01 < found.slew_ns < 0.2
        register, gate_cell = found.cells[flip_flop], found.cells[inverter]
        assert register.leakage_nw > gate_cell.leakage_nw > 0
        clock = next(pin for pin in register.inputs if pin.name == register.register["clocked_on"])
        assert clock.toggle_fj > gate_cell.outputs[0].energy_fj(1.0) > 0
        assert np.all(np.diff(gate_cell.outputs[0].delay_ns) > 0)
