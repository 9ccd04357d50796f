"""Structural Verilog of netlists, in the form that OpenSTA reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from .netlist import Bit, Netlist, port_of

_CONSTANT = {"0": "1'b0", "1": "1'b1", "x": "1'b0", "z": "1'b0"}


def write_verilog(netlists: Iterable[Netlist], modules: set[str]) -> str:
    """Verilog of modules; those in ``modules`` are instantiated by their ports, others by pins."""
    return "".join(_module(netlist, modules) for netlist in netlists)


def escaped(name: str) -> str:
    """A name as an escaped identifier, since names of the source may be Verilog's own words."""
    return f"\\{name} "


def _module(netlist: Netlist, modules: set[str]) -> str:
    names = _net_names(netlist)
    ports = [(direction, port, len(bits)) for direction, group in
             (("input", netlist.inputs), ("output", netlist.outputs))
             for port, bits in group.items()]
    lines = [f"module {escaped(netlist.name)} ("
             + ", ".join(escaped(port) for _, port, _ in ports) + ");"]
    lines += [f"  {direction} {f'[{width - 1}:0] ' if width > 1 else ''}{escaped(port)};"
              for direction, port, width in ports]
    wires = set(names.values()) - {_port_bit(port, index, len(bits))
                                   for port, bits in netlist.inputs.items()
                                   for index in range(len(bits))}
    lines += [f"  wire {wire};" for wire in sorted(wires)]
    for name, instance in netlist.instances.items():
        pins = (_by_port(instance.pins, names) if instance.kind in modules
                else {pin: _value(bit, names) for pin, bit in instance.pins.items()})
        listed = ", ".join(f".{escaped(pin)}({value})" for pin, value in pins.items())
        lines.append(f"  {escaped(instance.kind)} {escaped(name)} ({listed});")
    for port, bits in netlist.outputs.items():
        lines += [f"  assign {_port_bit(port, index, len(bits))} = {_value(bit, names)};"
                  for index, bit in enumerate(bits)]
    return "\n".join([*lines, "endmodule", ""])


def _net_names(netlist: Netlist) -> dict[Bit, str]:
    """Verilog of each net: an input port's bit, or a wire."""
    names: dict[Bit, str] = {}
    for port, bits in netlist.inputs.items():
        for index, bit in enumerate(bits):
            names[bit] = _port_bit(port, index, len(bits))
    bits = {bit for instance in netlist.instances.values() for bit in instance.pins.values()}
    bits |= {bit for port in netlist.outputs.values() for bit in port}
    for bit in bits:
        if not isinstance(bit, str):
            names.setdefault(bit, f"n{bit}")
    return names


def _port_bit(port: str, index: int, width: int) -> str:
    return f"{escaped(port)}[{index}]" if width > 1 else escaped(port)


def _value(bit: Bit, names: Mapping[Bit, str]) -> str:
    return _CONSTANT[bit] if isinstance(bit, str) else names[bit]


def _by_port(pins: Mapping[str, Bit], names: Mapping[Bit, str]) -> dict[str, str]:
    """Pins of a submodule put together to ports."""
    ports: dict[str, dict[int, Bit]] = defaultdict(dict)
    for pin, bit in pins.items():
        port, index = port_of(pin)
        ports[port][index] = bit
    return {port: "{" + ", ".join(_value(bits[index], names)
                                  for index in sorted(bits, reverse=True)) + "}"
            for port, bits in ports.items()}
