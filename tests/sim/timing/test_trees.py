"""Fan-out trees and drive strengths, on netlists small enough to follow."""

from __future__ import annotations

import pytest

from tests.sim.timing.toy_library import toy_liberty
from vqrom_hw.errors import VqromError
from vqrom_sim.timing.cells import Driver, read_cells
from vqrom_sim.timing.composition import compose
from vqrom_sim.timing.netlist import Bit, Instance, Netlist, nets_of
from vqrom_sim.timing.sizing import size_cells
from vqrom_sim.timing.trees import Surroundings, best_split, insert_trees
from vqrom_sim.timing.wires import Wires

LIBRARY = read_cells([toy_liberty()])
AROUND = Surroundings(Driver(20, 2), {"y[0]": 4.0}, 1.0)


def broadcast(sinks: int) -> Netlist:
    """A register that drives many others, and an output."""
    instances = {"source": Instance("DFF_X1", {"CK": 1, "D": 2, "Q": 3})}
    for index in range(sinks):
        instances[f"sink[{index}]"] = Instance("DFF_X1", {"CK": 1, "D": 3, "Q": 10 + index})
    return Netlist("broadcast", {"clk": [1], "d": [2]}, {"y": [3]}, instances, {3: "enable"},
                   10 + sinks)


def leaves(netlist: Netlist, bit: Bit, depth: int = 0) -> list[tuple[str, int]]:
    """Everything that a net leads to through buffers, with the number of buffers before it."""
    net, found = nets_of(netlist, LIBRARY.cells)[bit], [(pin, depth) for pin in
                                                        nets_of(netlist, LIBRARY.cells)[bit].ports]
    for name, _ in net.sinks:
        instance = netlist.instances[name]
        found += (leaves(netlist, instance.pins["Y"], depth + 1)
                  if instance.kind.startswith("BUF") else [(name, depth)])
    return found


def load(netlist: Netlist, bit: Bit) -> float:
    net = nets_of(netlist, LIBRARY.cells)[bit]
    return sum(LIBRARY.cells[netlist.instances[name].kind].inputs[pin] + AROUND.wire_ff
               for name, pin in net.sinks) + sum(AROUND.output_ff[pin] + AROUND.wire_ff
                                                 for pin in net.ports)


@pytest.mark.parametrize("load_ff", [100.0, 400.0, 3000.0])
def test_port_to_a_large_load_gets_a_buffer(load_ff: float) -> None:
    """Also where several would be better: there is but one sink in the module."""
    netlist = broadcast(0)
    around = Surroundings(AROUND.input_driver, {"y[0]": load_ff}, AROUND.wire_ff)
    assert insert_trees(netlist, LIBRARY.cells, LIBRARY, around) >= 1
    (port, depth), = leaves(netlist, 3)
    assert port == "y[0]" and depth >= 1


@pytest.mark.parametrize("sinks", [60, 700])
def test_tree_reaches_everything_and_is_balanced(sinks: int) -> None:
    netlist = broadcast(sinks)
    before = load(netlist, 3)
    buffers = insert_trees(netlist, LIBRARY.cells, LIBRARY, AROUND)
    found = leaves(netlist, 3)
    assert sorted(name for name, _ in found) == sorted(
        [f"sink[{index}]" for index in range(sinks)] + ["y[0]"])
    assert len({depth for _, depth in found}) == 1 and found[0][1] >= 1
    assert buffers == sum(instance.kind.startswith("BUF")
                          for instance in netlist.instances.values())
    loads = [load(netlist, instance.pins["Y"]) for instance in netlist.instances.values()
             if instance.kind.startswith("BUF")]
    assert max([*loads, load(netlist, 3)]) < before / 2
    assert any(name.startswith("fanout$enable$") for name in netlist.instances)


def test_clock_and_light_nets_stay() -> None:
    netlist = broadcast(2)
    assert insert_trees(netlist, LIBRARY.cells, LIBRARY, AROUND) == 0
    many = broadcast(60)
    insert_trees(many, LIBRARY.cells, LIBRARY, AROUND)
    assert len(nets_of(many, LIBRARY.cells)[1].sinks) == 61


def test_split_is_the_best_of_all() -> None:
    driver, total = Driver(50, 8), 300.0
    cell, count = best_split(driver, total, 100, LIBRARY.buffers, 1.0) or (None, 0)
    assert cell is not None

    def delay(cell, count: int) -> float:
        return (driver.delay_ps(count * (cell.mean_input_ff + 1.0))
                + cell.outputs["Y"].delay_ps(total / count))
    assert delay(cell, count) == min(delay(other, number) for other in LIBRARY.buffers
                                     for number in range(1, 101))


def test_heavier_loads_get_stronger_cells() -> None:
    strengths = []
    for load_ff in (1.0, 30.0, 200.0):
        netlist = Netlist("one", {"a": [1]}, {"y": [2]},
                          {"gate": Instance("INV_X1", {"A": 1, "Y": 2})}, {}, 2)
        size_cells(netlist, LIBRARY.cells, LIBRARY,
                   Surroundings(Driver(20, 1), {"y[0]": load_ff}, 0.0))
        strengths.append(int(netlist.instances["gate"].kind.removeprefix("INV_X")))
    assert strengths == sorted(strengths) and strengths[0] < strengths[-1]


def test_slack_makes_cells_small() -> None:
    """Of two equal loads, the one behind the long chain gets at least the same strength."""
    instances = {"quick": Instance("NAND2_X1", {"A": 1, "B": 1, "Y": 90})}
    bit: Bit = 1
    for index in range(12):
        instances[f"chain{index}"] = Instance("XOR2_X1", {"A": bit, "B": 1, "Y": 10 + index})
        bit = 10 + index
    instances["slow"] = Instance("NAND2_X1", {"A": bit, "B": 1, "Y": 91})
    netlist = Netlist("two", {"a": [1]}, {"y": [90, 91]}, instances, {}, 91)
    size_cells(netlist, LIBRARY.cells, LIBRARY,
               Surroundings(Driver(20, 1), {"y[0]": 30.0, "y[1]": 30.0}, 1.0))
    quick, slow = (int(netlist.instances[name].kind.removeprefix("NAND2_X"))
                   for name in ("quick", "slow"))
    assert quick < slow


def test_modules_see_each_others_loads() -> None:
    """A submodule's output is sized for what its parent hangs on it."""
    def design(sinks: int) -> dict[str, Netlist]:
        child = Netlist("child", {"clk": [1], "d": [2]}, {"q": [3]},
                        {"state": Instance("DFF_X1", {"CK": 1, "D": 2, "Q": 4}),
                         "gate": Instance("INV_X1", {"A": 4, "Y": 3})}, {}, 4)
        instances = {"child_0": Instance("child", {"clk[0]": 1, "d[0]": 2, "q[0]": 3})}
        for index in range(sinks):
            instances[f"r[{index}]"] = Instance("DFF_X1", {"CK": 1, "D": 3, "Q": 10 + index})
        top = Netlist("top", {"clk": [1], "d": [2]}, {"y": [10]}, instances, {}, 10 + sinks)
        return {"top": top, "child": child}
    kinds = []
    for sinks in (1, 8):
        made = compose(design(sinks), "top", LIBRARY.cells, LIBRARY, Wires(1.0, 1.0))
        assert [netlist.name for netlist in made.netlists] == ["child", "top"]
        kinds.append(made.netlists[0].instances["gate"].kind)
    assert kinds[0] != kinds[1]


def test_gated_clock_and_two_drivers_are_refused() -> None:
    netlist = broadcast(1)
    netlist.instances["gate"] = Instance("BUF_X1", {"A": 1, "Y": 50})
    with pytest.raises(VqromError, match="a clock must come from an input"):
        insert_trees(netlist, LIBRARY.cells, LIBRARY, AROUND)
    netlist.instances["gate"] = Instance("BUF_X1", {"A": 2, "Y": 3})
    with pytest.raises(VqromError, match="must have one driver, but 'gate' pin 'Y'"):
        nets_of(netlist, LIBRARY.cells)
    netlist.instances["gate"] = Instance("MUX9", {"A": 2})
    with pytest.raises(VqromError, match=r"instance 'gate' must be of a cell.*not of 'MUX9'"):
        nets_of(netlist, LIBRARY.cells)
