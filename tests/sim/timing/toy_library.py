"""A cell library whose delays are straight lines, so that expected times are sums."""

from __future__ import annotations

INPUT_FF = 1.0
"""Load of an input of drive strength 1."""
SETUP_PS, CLOCK_TO_Q_PS = 20.0, 50.0
GATES = {
    "INV": ("!A", 10.0), "BUF": ("A", 20.0), "NAND2": ("!(A&B)", 12.0), "NOR2": ("!(A|B)", 14.0),
    "XOR2": ("A^B", 25.0),
}
"""Function and delay without load of each kind of gate."""
STRENGTHS = (1, 2, 4, 8)
PS_PER_FF = 8.0
"""Delay of drive strength 1 for each fF of load."""


def toy_liberty(name: str = "toy", voltage: float = 1.0, extra: str = "") -> str:
    """Liberty text in ps and fF."""
    thresholds = "".join(
        f"  {kind} : {value};\n" for edge in ("rise", "fall") for kind, value in (
            (f"input_threshold_pct_{edge}", 50), (f"output_threshold_pct_{edge}", 50),
            (f"slew_lower_threshold_pct_{edge}", 20), (f"slew_upper_threshold_pct_{edge}", 80)))
    cells = "".join(_gate(kind, strength) for kind in GATES for strength in STRENGTHS)
    return (f'library({name}) {{\n  delay_model : table_lookup;\n  time_unit : "1ps";\n'
            '  capacitive_load_unit(1, ff);\n  voltage_unit : "1V";\n  current_unit : "1mA";\n'
            '  pulling_resistance_unit : "1kohm";\n  leakage_power_unit : "1nW";\n'
            f"  nom_process : 1;\n  nom_voltage : {voltage};\n  nom_temperature : 25;\n{thresholds}"
            "  lu_table_template(load) {\n    variable_1 : input_net_transition;\n"
            "    variable_2 : total_output_net_capacitance;\n"
            '    index_1("1, 10, 100");\n    index_2("0, 100, 1000");\n  }\n'
            f"{cells}{_flip_flop(1)}{_flip_flop(4)}{extra}}}\n")


def _gate(kind: str, strength: int) -> str:
    function, delay = GATES[kind]
    inputs = [name for name in "AB" if name in function]
    pins = "".join(f"    pin({name}) {{ direction : input; "
                   f"capacitance : {INPUT_FF * strength}; }}\n" for name in inputs)
    arcs = "".join(_arc(name, "combinational", delay, PS_PER_FF / strength) for name in inputs)
    return (f"  cell({kind}_X{strength}) {{\n    area : {len(function) * strength};\n{pins}"
            f'    pin(Y) {{\n      direction : output;\n      function : "{function}";\n'
            f"{arcs}    }}\n  }}\n")


def _flip_flop(strength: int) -> str:
    return (f"  cell(DFF_X{strength}) {{\n    area : {20 + strength};\n"
            '    ff(IQ, IQN) { clocked_on : "CK"; next_state : "D"; }\n'
            "    pin(CK) { direction : input; clock : true; capacitance : 1; }\n"
            f"    pin(D) {{\n      direction : input;\n      capacitance : {INPUT_FF};\n"
            '      timing() {\n        related_pin : "CK";\n        timing_type : setup_rising;\n'
            f'        rise_constraint(scalar) {{ values("{SETUP_PS}"); }}\n'
            f'        fall_constraint(scalar) {{ values("{SETUP_PS}"); }}\n      }}\n    }}\n'
            '    pin(Q) {\n      direction : output;\n      function : "IQ";\n'
            f"{_arc('CK', 'rising_edge', CLOCK_TO_Q_PS, PS_PER_FF / strength)}    }}\n  }}\n")


def _arc(related: str, kind: str, delay: float, slope: float) -> str:
    # Three slews and three loads are the least that abc reads.
    lines = {name: f"{low}, {low + 100 * slope}, {low + 1000 * slope}" for name, low in (
        ("cell_rise", delay), ("cell_fall", delay), ("rise_transition", 5.0),
        ("fall_transition", 5.0))}
    tables = "".join(
        f'        {name}(load) {{ values("{line}", "{line}", "{line}"); }}\n'
        for name, line in lines.items())
    return (f'      timing() {{\n        related_pin : "{related}";\n'
            f"        timing_type : {kind};\n        timing_sense : non_unate;\n{tables}"
            "      }\n")
