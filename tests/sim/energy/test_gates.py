"""Gate simulation: counted by hand, against plain Python, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sim.energy.library import LIBERTY, gate, library, netlist
from vqrom_hw.errors import VqromError
from vqrom_sim.energy.cells import read_power
from vqrom_sim.energy.gates import (
    Activity,
    Netlist,
    Sources,
    WireModel,
    coefficients,
    read_netlist,
    simulate,
)

LIBRARY = library()
WIRES = WireModel(pitches=0.0)


def bits(*columns: list[int]) -> np.ndarray:
    """uint8 ``[cycles, len(columns)]``."""
    return np.array(columns, np.uint8).T


def read(module: dict[str, Any], children: set[str] | None = None) -> Netlist:
    return read_netlist("m", module, LIBRARY.cells, children or set())


def run(module: dict[str, Any], inputs: np.ndarray, states: list[int],
        expected: np.ndarray) -> Activity:
    found = read(module)
    costs = coefficients(found, LIBRARY, WIRES)
    return simulate(found, inputs, np.array(states, np.uint8), expected, costs.net_fj,
                    costs.delays)


def test_divider_by_two() -> None:
    """A flip-flop that takes its own inverse: two nets change in each cycle, and each transition
    costs half of C V^2 of the pins and what is inside the inverter."""
    module = netlist({"f": ("DFF", {"C": 2, "D": 4, "Y": 3}), "i": ("INV", {"A": 3, "Y": 4})},
                     {}, {"q": [3]})
    activity = run(module, np.zeros((6, 0), np.uint8), [0], bits([0, 1, 0, 1, 0, 1]))
    assert sorted(activity.transitions[activity.transitions > 0]) == [5, 5, 5]  # The state, too.
    assert np.array_equal(activity.transitions, activity.settled)
    # Two pins of 500 fF at 2 V, and 250 fJ inside the inverter.
    np.testing.assert_allclose(activity.energy_fj, 2 * 500 * 2 + 250)
    np.testing.assert_allclose(activity.settled_fj, activity.energy_fj)
    costs = coefficients(read(module), LIBRARY, WIRES)
    assert costs.clock_fj == pytest.approx(2 * 2 * 500)  # Both edges of one clock pin.
    assert costs.leakage_nw == pytest.approx(6) and costs.area_um2 == pytest.approx(6)


def test_wires() -> None:
    """Each sink has a wire, an output port is one, and so has a clock pin."""
    module = netlist({"f": ("DFF", {"C": 2, "D": 3, "Y": 4})}, {"a": [3]}, {"q": [4]})
    costs = coefficients(read(module), LIBRARY, WireModel(pitches=2.0, ff_per_um=0.5))
    sink = 2 * 5 ** 0.5 * 0.5 * 2  # Two pitches of a cell of 5 um2, V^2 / 2 is 2.
    assert sorted(costs.wire_fj[costs.wire_fj > 0]) == pytest.approx([sink, sink])
    assert costs.clock_fj == pytest.approx(2 * (2 * 500 + sink))


@pytest.mark.parametrize(("kind", "glitches"), [("NAND2", 3), ("XOR2", 0)])
def test_glitch(kind: str, glitches: int) -> None:
    """Of ``a`` and its inverse a NAND makes a pulse as long as the inverter's delay when ``a``
    rises. An XOR, twice as slow, does not let it pass, nor that of a fall."""
    module = netlist({"i": ("INV", {"A": 3, "Y": 4}), "g": (kind, {"A": 3, "B": 4, "Y": 5})},
                     {"a": [3]}, {"y": [5]})
    activity = run(module, bits([0, 1, 0, 1, 0, 1]), [], bits([1] * 6))
    found = read(module)
    output = found.outputs[0].nets[0]
    assert activity.settled[output] == 0
    assert activity.transitions[output] == 2 * glitches
    assert activity.energy_fj.sum() >= activity.settled_fj.sum()


def test_difference_is_named() -> None:
    module = netlist({"i": ("INV", {"A": 3, "Y": 4})}, {"a": [3]}, {"y": [4]})
    with pytest.raises(VqromError, match="'m' must equal its Verilog; bit 0 of 'y' is 0 in cycle "
                                         "2 of the recording"):
        run(module, bits([0, 0, 1]), [], bits([1, 1, 1]))


@st.composite
def circuits(draw: st.DrawFn) -> tuple[dict[str, Any], int, int]:
    """A netlist of gates and flip-flops, its inputs and its flip-flops; all nets are outputs."""
    inputs, registers = draw(st.integers(1, 3)), draw(st.integers(0, 3))
    nets = [3 + number for number in range(inputs + registers)]
    cells: dict[str, tuple[str, dict[str, int]]] = {}
    for number in range(draw(st.integers(1, 12))):
        kind = draw(st.sampled_from(["INV", "NAND2", "XOR2"]))
        pins = {pin: draw(st.sampled_from(nets)) for pin in ("A" if kind == "INV" else "AB")}
        nets.append(nets[-1] + 1)
        cells[f"g{number}"] = kind, {**pins, "Y": nets[-1]}
    for number in range(registers):
        cells[f"f{number}"] = "DFF", {"C": 2, "D": draw(st.sampled_from(nets)),
                                      "Y": 3 + inputs + number}
    order = draw(st.permutations(list(cells)))
    module = netlist({name: cells[name] for name in order}, {"a": nets[:inputs]},
                     {"y": nets[inputs:]})
    return module, inputs, registers


FUNCTIONS = {"INV": lambda a, b: 1 - a, "NAND2": lambda a, b: 1 - a * b, "XOR2": lambda a, b: a ^ b}


def in_python(module: dict[str, Any], stimuli: np.ndarray, registers: int) -> np.ndarray:
    """Values of the nets of port ``y`` in every cycle, flip-flops 0 at first."""
    inputs, outputs = (module["ports"][name]["bits"] for name in "ay")
    cells = [(cell["type"], {pin: net for pin, (net,) in cell["connections"].items()})
             for _, cell in sorted(module["cells"].items(),
                                   key=lambda item: item[1]["connections"]["Y"])]
    values = dict.fromkeys(outputs[:registers], 0)
    rows = []
    for row in stimuli:
        values |= dict(zip(inputs, row.tolist(), strict=True))
        for kind, pins in cells:
            if kind != "DFF":
                first, second = pins["A"], pins.get("B", pins["A"])
                values[pins["Y"]] = FUNCTIONS[kind](values[first], values[second])
        rows.append([values[net] for net in outputs])
        values |= {pins["Y"]: values[pins["D"]] for kind, pins in cells if kind == "DFF"}
    return np.array(rows, np.uint8)


@settings(max_examples=60, deadline=None)
@given(circuits(), st.integers(0, 2 ** 32 - 1))
def test_random_circuits(circuit: tuple[dict[str, Any], int, int], seed: int) -> None:
    """Every net has Python's value in every cycle (a difference would be refused), settled changes
    are those of these values, glitches come in pairs."""
    module, inputs, registers = circuit
    stimuli = np.random.default_rng(seed).integers(0, 2, (12, inputs), dtype=np.uint8)
    expected = in_python(module, stimuli, registers)
    activity = run(module, stimuli, [0] * registers, expected)
    nets = read(module).outputs[0].nets
    np.testing.assert_array_equal(activity.settled[nets],
                                  np.count_nonzero(np.diff(expected, axis=0), axis=0))
    glitches = activity.transitions - activity.settled
    assert np.all(glitches >= 0) and not np.any(glitches % 2)


class Values:
    """A window whose signals are columns of bits."""

    def __init__(self, **signals: np.ndarray) -> None:
        self._signals = signals

    def bits(self, path: tuple[str, ...], name: str) -> np.ndarray:
        assert path == ("unit",)
        return self._signals[name]


def test_black_boxes_and_names() -> None:
    """Outputs of a submodule and what a memory reads are given; states are found under the name
    of what follows them, inverted where it is."""
    module = netlist({"f": ("DFF", {"C": 2, "D": 5, "Y": 6}), "i": ("INV", {"A": 6, "Y": 7}),
                      "g": ("NAND2", {"A": 4, "B": 7, "Y": 8})},
                     {"a": [3]}, {"y": [8]}, {"kept": [7], "read": [4], "_0_": [6]})
    module["cells"]["child"] = {"type": "leaf", "connections": {"a": [3], "z": [5]},
                                "port_directions": {"a": "input", "z": "output"}}
    module["cells"]["mem"] = {"type": "$mem_v2", "connections": {"RD_DATA": [4]}}
    found = read(module, {"leaf"})
    sources = Sources(found)
    assert sources.inside == ("kept", "read")
    window = Values(**{"a": bits([0, 1]), "child.z": bits([1, 0]), "kept": bits([0, 0]),
                       "read": bits([1, 1]), "y": bits([1, 1])})
    stimuli = sources.stimuli(("unit",), window)
    assert stimuli.states.tolist() == [1]
    assert stimuli.given.tolist() == [[0, 1, 1], [1, 0, 1]]
    costs = coefficients(found, LIBRARY, WIRES)
    activity = simulate(found, stimuli.given, stimuli.states, stimuli.expected, costs.net_fj,
                        costs.delays)
    assert activity.cycles == 1
    with pytest.raises(VqromError, match=r"'unit\.child\.z' must have 1 bits, not 2"):
        sources.stimuli(("unit",), Values(**{"a": bits([0]), "child.z": bits([1], [0])}))


def refused(cells: dict[str, Any], message: str, extra: str = "") -> None:
    known = read_power([LIBERTY[:-2] + extra + "}\n"], [
        "INV", "NAND2", "DFF", *(["ODD"] if extra else [])], "INV").cells
    with pytest.raises(VqromError, match=message):
        Sources(read_netlist("m", netlist(cells, {"a": [3]}, {"y": [4]}), known, set()))


def test_refused() -> None:
    refused({"x": ("LATCH", {"D": 3, "Y": 4})}, "library's cells, not 'LATCH'")
    refused({"g": ("NAND2", {"A": 3, "B": 4, "Y": 4})}, "no loop of logic; 1 cells wait")
    refused({"g": ("NAND2", {"A": 3, "Y": 4})}, "must connect pin 'B' of 'NAND2'")
    refused({"g": ("NAND2", {"A": 3, "B": 2, "Y": 4})}, "no gate in its clock, not a 'NAND2'")
    refused({"f": ("DFF", {"C": 3, "D": 3, "Y": 4})}, "rising edge of 'clk', not 'DFF' on 'C'")
    refused({"f": ("DFF", {"C": 2, "D": 3, "Y": 9}), "g": ("NAND2", {"A": 9, "B": 3, "Y": 4})},
            "must keep a name of the Verilog for every flip-flop")
    clear = gate("ODD", "IQ", "CDR",
                 register='ff(IQ, IQN) { clocked_on : "C"; next_state : "D"; clear : "R"; }')
    refused({"f": ("ODD", {"C": 2, "D": 3, "R": 3, "Y": 4})}, "no flip-flop with an asynchronous "
                                                              "clear, not 'ODD'", clear)
    falling = clear.replace('"C"', '"!C"')
    refused({"f": ("ODD", {"C": 2, "D": 3, "R": 3, "Y": 4})}, "not 'ODD' on '!C'", falling)
