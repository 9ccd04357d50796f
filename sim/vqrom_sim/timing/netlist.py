"""A mapped module as instances and nets, as timing needs it: every pin is one bit.

Library cells, memories and submodules are all :class:`Cell`, a load at each input and a driver at
each output, so that a net is treated alike wherever it leads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from vqrom_hw.errors import VqromError

from .cells import Cell

Bit = int | str
"""A net of a module, or one of the constants ``"0"``, ``"1"`` and ``"x"``."""

_FLIP_FLOP = re.compile(r"\$_\w+_$")


@dataclass
class Instance:
    """An instance: the kind of part that it is, and the net at each of its pins."""

    kind: str
    pins: dict[str, Bit]


@dataclass
class Netlist:
    """One module without what is inside its submodules.

    Members
    -------
    name:
        Verilog name of the module.
    inputs, outputs:
        Nets of each port, lowest bit first.
    instances:
        By name; a flip-flop is named after the register of the source whose bit it holds.
    names:
        A net's name in the source, where it has one.
    """

    name: str
    inputs: dict[str, list[Bit]]
    outputs: dict[str, list[Bit]]
    instances: dict[str, Instance]
    names: dict[Bit, str] = field(default_factory=dict)
    next_bit: int = 0

    def new_bit(self) -> int:
        """A net that is not yet used."""
        self.next_bit += 1
        return self.next_bit

    def port_bits(self, ports: Mapping[str, list[Bit]]) -> Iterator[tuple[str, Bit]]:
        """Each bit of ports as ``(pin name, net)``."""
        for port, bits in ports.items():
            for index, bit in enumerate(bits):
                yield pin_of(port, index), bit


@dataclass
class Net:
    """A net: what drives it, and what it leads to.

    Members
    -------
    driver:
        ``(instance, pin)``; None where a port of the module, or nothing, drives it.
    sinks:
        ``(instance, pin)`` of each input.
    ports:
        Output ports (pin names) that show it.
    """

    driver: tuple[str, str] | None = None
    sinks: list[tuple[str, str]] = field(default_factory=list)
    ports: list[str] = field(default_factory=list)


def pin_of(port: str, index: int) -> str:
    """Name of one bit of a port."""
    return f"{port}[{index}]"


def port_of(pin: str) -> tuple[str, int]:
    """Port and index of a pin, the opposite of :func:`pin_of`."""
    port, _, index = pin.rpartition("[")
    return port, int(index[:-1])


def read_module(name: str, module: Mapping[str, Any], children: set[str]) -> Netlist:
    """A module of Yosys' JSON netlist; memories are taken as instances of kind ``$mem_v2``.

    Parameters
    ----------
    name:
        Its name.
    module:
        Its entry under ``modules``.
    children:
        Names of the modules that it may hold.

    Raises
    ------
    VqromError
        If a port is bidirectional.
    """
    ports: dict[str, dict[str, list[Bit]]] = {"input": {}, "output": {}}
    for port, entry in module["ports"].items():
        if entry["direction"] not in ports:
            raise VqromError(f"module {name!r} must have inputs and outputs only; port {port!r} is "
                             f"{entry['direction']!r}")
        ports[entry["direction"]][port] = list(entry["bits"])
    netlist = Netlist(name, ports["input"], ports["output"], {})
    highest = 0
    for cell_name, cell in module["cells"].items():
        if cell["type"] == "$scopeinfo":
            continue
        whole = cell["type"] in children or cell["type"].startswith("$")
        pins: dict[str, Bit] = {}
        for pin, bits in cell["connections"].items():
            highest = max([highest, *(bit for bit in bits if isinstance(bit, int))])
            if whole:
                pins |= {pin_of(pin, index): bit for index, bit in enumerate(bits)}
            elif len(bits) == 1:
                pins[pin] = bits[0]
            else:
                raise VqromError(f"module {name!r}: pin {pin!r} of {cell['type']!r} must have one "
                                 f"bit, not {len(bits)}")
        netlist.instances[_FLIP_FLOP.sub("", cell_name)] = Instance(cell["type"], pins)
    netlist.names = _names(module["netnames"])
    netlist.next_bit = max([highest, *(bit for bit in netlist.names if isinstance(bit, int))])
    return netlist


def nets_of(netlist: Netlist, parts: Mapping[str, Cell]) -> dict[Bit, Net]:
    """Every net of a module by its bit; constants are none.

    Raises
    ------
    VqromError
        If an instance's kind or pin is not known, or two outputs drive one net.
    """
    nets: dict[Bit, Net] = {bit: Net() for _, bit in netlist.port_bits(netlist.inputs)}
    driven = set(nets)
    for name, instance in netlist.instances.items():
        part = parts.get(instance.kind)
        if part is None:
            raise VqromError(f"module {netlist.name!r}: instance {name!r} must be of a cell, a "
                             f"memory or a module that is known, not of {instance.kind!r}")
        for pin, bit in instance.pins.items():
            if isinstance(bit, str):
                continue
            net = nets.setdefault(bit, Net())
            if pin in part.inputs:
                net.sinks.append((name, pin))
            elif pin in part.outputs:
                if bit in driven:
                    raise VqromError(f"module {netlist.name!r}: a net must have one driver, but "
                                     f"{name!r} pin {pin!r} is another")
                driven.add(bit)
                net.driver = (name, pin)
            else:
                raise VqromError(f"module {netlist.name!r}: {instance.kind!r} has no pin {pin!r} "
                                 "with timing")
    for pin, bit in netlist.port_bits(netlist.outputs):
        if not isinstance(bit, str):
            nets.setdefault(bit, Net()).ports.append(pin)
    return nets


def clock_nets(nets: Mapping[Bit, Net], netlist: Netlist, parts: Mapping[str, Cell]) -> set[Bit]:
    """Nets that lead to a clock pin: they are ideal, so nothing is inserted into them.

    Raises
    ------
    VqromError
        If one leads to something else, too: gated clocks are not handled.
    """
    clocks = set()
    for bit, net in nets.items():
        kinds = {pin in parts[netlist.instances[name].kind].clocks for name, pin in net.sinks}
        if True in kinds:
            if False in kinds or net.driver is not None:
                raise VqromError(f"module {netlist.name!r}: a clock must come from an input and "
                                 f"lead to clock pins only, which net {bit!r} does not")
            clocks.add(bit)
    return clocks


def _names(netnames: Mapping[str, Any]) -> dict[Bit, str]:
    """The best of each net's names: the source's, the shortest, no temporary of the exporter."""
    best: dict[Bit, tuple] = {}
    for name, entry in netnames.items():
        if entry.get("hide_name") or name.startswith("_"):
            continue
        for index, bit in enumerate(entry["bits"]):
            label = pin_of(name, index) if len(entry["bits"]) > 1 else name
            rank = (len(name), label)
            if bit not in best or rank < best[bit]:
                best[bit] = rank
    return {bit: rank[1] for bit, rank in best.items()}
