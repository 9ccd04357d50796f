"""A small design from its Verilog to energies: synthesised, simulated on values of plain Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.random_networks import mixed_network, random_codebook
from tests.sim.energy.library import LIBERTY
from vqrom_hw.config import load_config
from vqrom_hw.errors import VqromError
from vqrom_hw.isa import COUNTERS
from vqrom_sim.area import synthesize
from vqrom_sim.area.liberty import parse_liberty
from vqrom_sim.energy import Run, windows_of
from vqrom_sim.energy.cells import read_power, smallest_inverter
from vqrom_sim.energy.characterise import characterise_netlists, components
from vqrom_sim.energy.component import MOST_INSTANCES, sample
from vqrom_sim.energy.gates import WireModel
from vqrom_sw.compiler import compile_network

ADDERS = 6
MODULES = {
    "column_adder": """module column_adder (a, b, total, clk);
  input [3:0] a;
  input [3:0] b;
  output [4:0] total;
  input clk;
  reg [4:0] total;
  always @(posedge clk) total <= a + b;
endmodule
""",
    "vqrom": "\n".join([
        "module vqrom (a, b, any, clk);", f"  input [{4 * ADDERS - 1}:0] a;",
        "  input [3:0] b;", "  output any;", "  input clk;", f"  wire [{5 * ADDERS - 1}:0] z;",
        *(f"  column_adder column_adder_{n} (\n    .a(a[{4 * n + 3}:{4 * n}]), .b(b), "
          f".total(z[{5 * n + 4}:{5 * n}]), .clk(clk)\n  );" for n in range(ADDERS)),
        "  assign any = |z;", "endmodule", ""]),
}
LIBRARY = parse_liberty(LIBERTY)
WINDOWS = ((0, 120), (300, 420))


class Adders:
    """What the design does: in cycles with an event, operands change."""

    def __init__(self, seed: int, cycles: int) -> None:
        draw = np.random.default_rng(seed)
        self.events = np.zeros(cycles, np.int64)
        self.events[50:60] = 1
        changing = np.cumsum(self.events)
        numbers = draw.integers(0, 16, (cycles, ADDERS + 1))
        self._operands = numbers[changing]
        sums = self._operands[:, :ADDERS] + self._operands[:, ADDERS:]
        self._totals = np.concatenate([sums[:1], sums[:-1]])

    def bits(self, path: tuple[str, ...], name: str) -> np.ndarray:
        def unpacked(values: np.ndarray, width: int) -> np.ndarray:
            return (values[..., None] >> np.arange(width) & 1).astype(np.uint8)

        a, b = self._operands[:, :ADDERS], self._operands[:, ADDERS]
        if path:
            number = int(path[0].rpartition("_")[2])
            return {"a": unpacked(a[:, number], 4), "b": unpacked(b, 4),
                    "total": unpacked(self._totals[:, number], 5)}[name]
        if "." in name:
            number = int(name.partition(".")[0].rpartition("_")[2])
            return unpacked(self._totals[:, number], 5)
        return {"a": unpacked(a, 4).reshape(len(a), -1), "b": unpacked(b, 4),
                "any": np.any(self._totals, axis=1, keepdims=True).astype(np.uint8)}[name]


def recorder(run: Run, scopes: Mapping[tuple[str, ...], str],
             inside: Mapping[str, Sequence[str]], progress: object) -> Any:
    """Windows of :class:`Adders`; a word enters the array where operands change."""
    assert set(scopes.values()) == set(MODULES)
    assert len(scopes) == 1 + MOST_INSTANCES and inside["column_adder"] == ()
    windows = [Adders(first, last - first) for first, last in run.windows]
    events = [{name: window.events[1:] if name == "compute_cycles" else
               np.zeros(len(window.events) - 1, np.int64) for name in COUNTERS}
              for window in windows]
    return windows, events


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of this module's own: synthesis is done, not remembered."""
    path = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VQROM_CACHE", str(path))
        yield path


@cache
def example_run() -> Run:
    """Any program: the windows alone count, since the recorder does not run it."""
    config = load_config("tiny")
    codebook = random_codebook(config)
    network = mixed_network(codebook).build()
    program = compile_network(network, codebook.codewords, config)
    return Run("adders", program, codebook.codewords, np.zeros((1, 1), np.uint8), WINDOWS)


def test_small_design(folder: Path) -> None:
    """Energies of events and cycles are what was simulated: of sampled instances, scaled to all;
    and the netlists did what the Verilog's text says."""
    netlists = synthesize(MODULES, LIBRARY.texts, folder)
    cells = {kind for netlist in netlists.values() for kind in netlist.cells}
    power = read_power(LIBRARY.texts, cells, smallest_inverter(LIBRARY).name)
    found = characterise_netlists(load_config("tiny"), netlists, power, LIBRARY.sha256,
                                  example_run(), WireModel(), recorder=recorder)
    rows = {row.component: row for row in found.components}
    assert set(rows) == {"vqrom", "column_adder"}
    adder = rows["column_adder"]
    assert (adder.instances, adder.simulated, adder.flip_flops) == (ADDERS, 4, 5 * ADDERS)
    # Of every clock pin two edges of 500 fF and its wire at half of 2 V squared.
    wire_ff = 4 * 0.17 * (adder.area_um2 / (ADDERS * sum(
        netlists["column_adder"].cells.values()))) ** 0.5
    assert adder.clock_pj == pytest.approx(5 * ADDERS * 2 * 2 * (500 + wire_ff) / 1e3)
    assert adder.cycles == 2 * 119 and rows["vqrom"].cycle_pj > 0
    assert 0 < adder.settled_share <= 1 and 0 < adder.wire_share < 1
    assert found.window_error < 0.5 and found.stimuli["network"] == "adders"
    assert found.library["sha256"] == LIBRARY.sha256 and found.scaled_from is None


def test_another_design_is_refused(folder: Path) -> None:
    """Where the Verilog does something else, the difference is named."""
    wrong = MODULES | {"column_adder": MODULES["column_adder"].replace("a + b", "a - b")}
    netlists = synthesize(wrong, LIBRARY.texts, folder)
    cells = {kind for netlist in netlists.values() for kind in netlist.cells}
    power = read_power(LIBRARY.texts, cells, "INV")
    with pytest.raises(VqromError, match="'column_adder' must equal its Verilog; bit"):
        characterise_netlists(load_config("tiny"), netlists, power, "", example_run(), WireModel(),
                              recorder=recorder)


def test_components_are_those_of_area(folder: Path) -> None:
    netlists = synthesize(MODULES, LIBRARY.texts, folder)
    parts = components(netlists)
    assert list(parts) == [("vqrom", "control"), ("column_adder", "control")]
    assert parts["column_adder", "control"] == {
        "column_adder": [(f"column_adder_{number}",) for number in range(ADDERS)]}


def test_sample() -> None:
    paths = [(str(number),) for number in range(64)]
    assert sample(paths[:3]) == paths[:3]
    assert sample(paths) == [("8",), ("24",), ("40",), ("56",)]


def test_windows() -> None:
    assert windows_of(100, 4, 25) == ((0, 100),)
    assert windows_of(1000, 2, 100) == ((200, 300), (700, 800))
    assert all(0 <= first < last <= 101 for first, last in windows_of(101, 10, 10))
