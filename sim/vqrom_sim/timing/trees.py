"""Fan-out trees: a net that leads to much gets buffers, in as many levels as make it fastest."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .cells import Cell, Driver, TimedLibrary
from .netlist import Bit, Instance, Net, Netlist, clock_nets, nets_of

WORTHWHILE = 0.1
"""Buffers go in where they save more than this part of the delay that a net's load makes."""
LIGHT = 6.0
"""Loads of less than this many inverters need no buffers, whatever drives them."""


@dataclass(frozen=True)
class Surroundings:
    """What a module is in.

    Members
    -------
    input_driver:
        What drives its inputs.
    output_ff:
        Load at each output pin.
    wire_ff:
        Capacitance of the wire to each sink.
    """

    input_driver: Driver
    output_ff: Mapping[str, float]
    wire_ff: float


@dataclass
class _Sink:
    """What a level of a tree leads to: an input pin or an output port, and its load."""

    instance: str | None
    pin: str
    load_ff: float


def insert_trees(netlist: Netlist, parts: Mapping[str, Cell], library: TimedLibrary,
                 around: Surroundings) -> int:
    """Insert buffers into every net of a module but the clock; the number of buffers.

    Parameters
    ----------
    netlist:
        The module; it is changed.
    parts:
        Cells, memories and submodules by kind.
    library:
        The cells to choose buffers and drivers from.
    around:
        Loads and drivers outside the module.
    """
    nets = nets_of(netlist, parts)
    clocks = clock_nets(nets, netlist, parts)
    before = len(netlist.instances)
    for bit, net in nets.items():
        if bit not in clocks and len(net.sinks) + len(net.ports) > 0:
            _grow(netlist, bit, net, parts, library, around)
    return len(netlist.instances) - before


def driver_for(net: Net, load_ff: float, netlist: Netlist, parts: Mapping[str, Cell],
               library: TimedLibrary, around: Surroundings) -> Driver:
    """The driver that a net would have if its driver were sized for a load."""
    if net.driver is None:
        return around.input_driver
    name, pin = net.driver
    part = parts[netlist.instances[name].kind]
    return min(library.families.get(part.family, (part,)), key=lambda cell: (
        cell.outputs[pin].delay_ps(load_ff)
        + around.input_driver.ps_per_ff * cell.mean_input_ff)).outputs[pin]


def _grow(netlist: Netlist, bit: Bit, net: Net, parts: Mapping[str, Cell], library: TimedLibrary,
          around: Surroundings) -> None:
    sinks = [_Sink(name, pin, parts[netlist.instances[name].kind].inputs[pin])
             for name, pin in net.sinks]
    sinks += [_Sink(None, pin, around.output_ff.get(pin, 0.0)) for pin in net.ports]
    level = 0
    while True:
        total = sum(sink.load_ff + around.wire_ff for sink in sinks)
        if total < LIGHT * library.inverter_ff:
            break
        driver = driver_for(net, total, netlist, parts, library, around)
        choice = best_split(driver, total, len(sinks), library.buffers, around.wire_ff)
        if choice is None:
            break
        buffer, count = choice
        sinks = [_insert(netlist, bit, f"{level}_{index}", group, buffer)
                 for index, group in enumerate(_groups(sinks, count))]
        level += 1


def best_split(driver: Driver, total_ff: float, sinks: int, buffers: Sequence[Cell],
               wire_ff: float) -> tuple[Cell, int] | None:
    """Which buffer, and how many, between a driver and its load; None if none is worth it.

    Parameters
    ----------
    driver:
        What drives the net.
    total_ff, sinks:
        The load with its wires, and the inputs that it is made of.
    buffers:
        Those to choose from.
    wire_ff:
        Capacitance of the wire to a buffer.
    """
    best = driver.delay_ps(total_ff) - WORTHWHILE * driver.ps_per_ff * total_ff
    choice = None
    for cell in buffers:
        output = next(iter(cell.outputs.values()))
        load = cell.mean_input_ff + wire_ff
        # Where driver.R * count * load + output.R * total / count is smallest.
        ideal = math.sqrt(output.ps_per_ff * total_ff / max(driver.ps_per_ff * load, 1e-12))
        for whole in (math.floor(ideal), math.ceil(ideal)):
            # One sink may be the port to a large load: it is worth a buffer, too.
            count = min(max(1, whole), sinks)
            delay = driver.delay_ps(count * load) + output.delay_ps(total_ff / count)
            if delay < best:
                best, choice = delay, (cell, count)
    return choice


def _groups(sinks: list[_Sink], count: int) -> list[list[_Sink]]:
    """Neighbours together, sizes that differ by one at most."""
    return [sinks[len(sinks) * i // count:len(sinks) * (i + 1) // count] for i in range(count)]


def _insert(netlist: Netlist, root: Bit, label: str, group: list[_Sink], buffer: Cell) -> _Sink:
    """Put a buffer between a net and a group of its sinks."""
    output = netlist.new_bit()
    for sink in group:
        if sink.instance is None:
            port, _, index = sink.pin.rpartition("[")
            netlist.outputs[port][int(index[:-1])] = output
        else:
            netlist.instances[sink.instance].pins[sink.pin] = output
    name = f"fanout${netlist.names.get(root, root)}${label}"
    (source, load), sink_pin = next(iter(buffer.inputs.items())), next(iter(buffer.outputs))
    netlist.instances[name] = Instance(buffer.name, {source: root, sink_pin: output})
    return _Sink(name, source, load)
