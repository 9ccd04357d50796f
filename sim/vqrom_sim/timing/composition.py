"""The whole design from its modules: each is buffered and sized once, in its surroundings."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vqrom_hw.errors import VqromError
from vqrom_sw.progress import Progress

from .cells import Cell, Driver, TimedLibrary
from .memories import output_driver
from .netlist import Netlist, clock_nets, nets_of
from .sizing import ModuleDelays, size_cells
from .trees import Surroundings, insert_trees
from .wires import Wires

PORT_INVERTERS = 4.0
"""Load at the outputs of the whole design, in inputs of the smallest inverter."""


@dataclass(frozen=True)
class Composition:
    """Netlists whose nets are buffered and whose cells are sized.

    Members
    -------
    netlists:
        Every module, submodules before what holds them.
    buffers:
        Buffers that were inserted into each module.
    """

    netlists: Sequence[Netlist]
    buffers: Mapping[str, int]


def compose(netlists: Mapping[str, Netlist], top: str, parts: Mapping[str, Cell],
            library: TimedLibrary, wires: Wires, progress: Progress | None = None) -> Composition:
    """Buffer and size every module.

    First the loads of all inputs are found, submodules first, with trees in place; then each module
    gets its trees and sizes anew, with the loads that its outputs have where they are heaviest.

    Parameters
    ----------
    netlists:
        The mapped modules by name; they stay as they are.
    top:
        The one at the root.
    parts:
        Library cells and memories by kind.
    library, wires:
        What to choose from, and what wires are taken to add.
    progress:
        Called with what is being done, modules done and modules to do.
    """
    tell = progress or (lambda what, done, total: None)
    order = bottom_up(netlists, top)
    outside = output_driver(library)
    load_ff = PORT_INVERTERS * library.inverter_ff
    typical = {name: dict.fromkeys((pin for pin, _ in netlists[name].port_bits(
        netlists[name].outputs)), load_ff) for name in order}
    rough, _, known = _pass(netlists, order, parts, library,
                            {name: Surroundings(outside, typical[name], wires.ff_per_sink)
                             for name in order}, size=False)
    loads = output_loads({netlist.name: netlist for netlist in rough}, order, known,
                         wires.ff_per_sink, typical[top])
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        tell("buffers and drive strengths", done, len(order))
    final, buffers, _ = _pass(netlists, order, parts, library,
                              {name: Surroundings(outside, loads[name], wires.ff_per_sink)
                               for name in order}, size=True, step=step)
    return Composition(final, buffers)


def bottom_up(netlists: Mapping[str, Netlist], top: str) -> list[str]:
    """Modules below a root, submodules before what holds them."""
    order: dict[str, None] = {}

    def visit(name: str) -> None:
        if name not in order:
            for instance in netlists[name].instances.values():
                if instance.kind in netlists:
                    visit(instance.kind)
            order[name] = None
    if top not in netlists:
        raise VqromError(f"design must have a module {top!r}")
    visit(top)
    return list(order)


def output_loads(netlists: Mapping[str, Netlist], order: Sequence[str],
                 parts: Mapping[str, Cell], wire_ff: float,
                 at_top: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Heaviest load at each output pin of each module, over all places where it is instantiated."""
    loads: dict[str, dict[str, float]] = {name: {} for name in order}
    loads[order[-1]] = dict(at_top)
    for name in reversed(order):
        netlist = netlists[name]
        for net in nets_of(netlist, parts).values():
            if net.driver is None or netlist.instances[net.driver[0]].kind not in loads:
                continue
            load = sum(parts[netlist.instances[sink].kind].inputs[pin] for sink, pin in net.sinks)
            load += sum(loads[name].get(pin, 0.0) for pin in net.ports)
            load += wire_ff * (len(net.sinks) + len(net.ports))
            instance, pin = net.driver
            child = loads[netlist.instances[instance].kind]
            child[pin] = max(child.get(pin, 0.0), load)
    return loads


def _pass(netlists: Mapping[str, Netlist], order: Sequence[str], parts: Mapping[str, Cell],
          library: TimedLibrary, around: Mapping[str, Surroundings], *, size: bool,
          step=lambda: None) -> tuple[list[Netlist], dict[str, int], dict[str, Cell]]:
    known = dict(parts)
    results, buffers = [], {}
    for name in order:
        netlist = copy.deepcopy(netlists[name])
        buffers[name] = insert_trees(netlist, known, library, around[name])
        delays = size_cells(netlist, known, library, around[name]) if size else None
        known[name] = as_cell(netlist, known, around[name], delays)
        results.append(netlist)
        step()
    return results, buffers, known


def as_cell(netlist: Netlist, parts: Mapping[str, Cell], around: Surroundings,
            delays: ModuleDelays | None) -> Cell:
    """A module as what is around it sees it: a load at each input, a driver at each output."""
    nets = nets_of(netlist, parts)
    clocks = clock_nets(nets, netlist, parts)
    inputs, outputs, clock_pins = {}, {}, set()
    for pin, bit in netlist.port_bits(netlist.inputs):
        net = nets[bit]
        inputs[pin] = sum(parts[netlist.instances[name].kind].inputs[sink] + around.wire_ff
                          for name, sink in net.sinks)
        inputs[pin] += sum(around.output_ff.get(port, 0.0) + around.wire_ff for port in net.ports)
        if bit in clocks:
            clock_pins.add(pin)
    for pin, bit in netlist.port_bits(netlist.outputs):
        driver = nets[bit].driver if isinstance(bit, int) else None
        slope = (around.input_driver.ps_per_ff if driver is None else
                 parts[netlist.instances[driver[0]].kind].outputs[driver[1]].ps_per_ff)
        ready = delays.arrivals_ps[pin] if delays else 0.0
        outputs[pin] = Driver(max(0.0, ready - slope * around.output_ff.get(pin, 0.0)), slope)
    return Cell(netlist.name, 0.0, ("module", netlist.name), inputs, outputs,
                frozenset(clock_pins), True, delays.needs_ps if delays else {})
