"""A library of four cells with round numbers, as a Liberty text, and netlists of them."""

from __future__ import annotations

from typing import Any

from vqrom_sim.energy.cells import PowerLibrary, read_power

HEAD = """library(round) {
  /* 1 pF and 2 V: half of C V^2 is 2 pJ for each pF. */
  time_unit : "1ns"; voltage_unit : "1V"; leakage_power_unit : "1nW"; nom_voltage : 2.0;
  capacitive_load_unit(1, "pf");
  lu_table_template(t) { variable_1 : input_net_transition;
    variable_2 : total_output_net_capacitance; index_1("0.1, 0.2"); index_2("0, 1"); }
"""


def table(kind: str, value: float) -> str:
    """A table that is the same everywhere."""
    return (f'{kind}(t) {{ index_1("0.1, 0.2"); index_2("0, 1"); '
            f'values("{value}, {value}", "{value}, {value}"); }}')


def gate(name: str, function: str, inputs: str, *, delay: float = 1.0, area: float = 1.0,
         register: str = "", energy: float = 0.0) -> str:
    """A cell whose inputs have 0.5 pF, one transition of whose output costs ``energy`` inside."""
    arcs = " ".join(table(kind, value) for kind, value in (
        ("cell_rise", delay), ("cell_fall", delay), ("rise_transition", 0.1),
        ("fall_transition", 0.1)))
    pins = " ".join(f"pin({pin}) {{ direction : input; capacitance : 0.5; }}" for pin in inputs)
    return f"""  cell({name}) {{
    area : {area}; cell_leakage_power : 3.0; {register} {pins}
    pin(Y) {{ direction : output; function : "{function}";
      timing() {{ related_pin : "{inputs[0]}"; {arcs} }}
      internal_power() {{ related_pin : "{inputs[0]}";
        {table("rise_power", 2 * energy)} {table("fall_power", 0.0)} }} }}
  }}
"""


FLIP_FLOP = 'ff(IQ, IQN) { clocked_on : "C"; next_state : "D"; }'
LIBERTY = HEAD + "".join((
    gate("INV", "!A", "A", energy=0.25), gate("NAND2", "!(A B)", "AB", area=2),
    gate("XOR2", "A ^ B", "AB", delay=2.0, area=3),
    gate("DFF", "IQ", "CD", register=FLIP_FLOP, area=5))) + "}\n"


def library() -> PowerLibrary:
    """The cells of :data:`LIBERTY`."""
    return read_power([LIBERTY], ["INV", "NAND2", "XOR2", "DFF"], "INV")


def netlist(cells: dict[str, tuple[str, dict[str, int]]], inputs: dict[str, list[int]],
            outputs: dict[str, list[int]], names: dict[str, list[int]] | None = None,
            ) -> dict[str, Any]:
    """A module as Yosys' ``write_json`` has it; net 2 is the clock.

    Parameters
    ----------
    cells:
        Type and net of each pin, by instance.
    inputs, outputs:
        Nets of each port.
    names:
        Nets of signals that are no ports.
    """
    ports = {name: {"direction": "input", "bits": bits}
             for name, bits in ({"clk": [2]} | inputs).items()}
    ports |= {name: {"direction": "output", "bits": bits} for name, bits in outputs.items()}
    nets = {name: {"hide_name": 0, "bits": bits}
            for name, bits in (inputs | outputs | (names or {})).items()}
    return {
        "ports": ports, "netnames": nets,
        "cells": {name: {"type": kind, "connections": {pin: [net] for pin, net in pins.items()}}
                  for name, (kind, pins) in cells.items()},
    }
