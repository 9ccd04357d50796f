"""A mapped netlist of one module as arrays: what the gate simulation runs on.

The netlist is Yosys' JSON of a module whose submodules and memories are black boxes. Their outputs
are inputs of the simulation, as the module's own are, and come from a recording of the Verilog.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vqrom_hw.errors import VqromError

from ..cells import MAX_INPUTS, PowerCell, truth_table

MEMORY = "$mem_v2"
"""Type of a memory that synthesis kept whole; its read data are inputs of the simulation."""
_IGNORED = ("$scopeinfo",)
ZERO, ONE = 0, 1
"""Numbers of the two nets that never change."""


@dataclass(frozen=True)
class Bundle:
    """A port, or a named signal, of the module or of a black box in it.

    Members
    -------
    instance:
        Name of the black box; empty for the module itself.
    name:
        Of the port.
    nets:
        int32 ``[width]``, least significant bit first.
    """

    instance: str
    name: str
    nets: np.ndarray


@dataclass(frozen=True)
class Gates:
    """Logic functions in an order in which each follows what it reads.

    Members
    -------
    inputs:
        int32 ``[G, MAX_INPUTS]``: nets, the first one the lowest bit of a row's number; unused ones
        are :data:`ZERO`.
    tables:
        uint64 ``[G]``: the function's value for each row of inputs, one bit each.
    outputs:
        int32 ``[G]``: nets.
    """

    inputs: np.ndarray
    tables: np.ndarray
    outputs: np.ndarray


@dataclass(frozen=True)
class Netlist:
    """One module.

    Members
    -------
    name, nets:
        The module, and how many nets it has. The first two are the constants 0 and 1.
    cells:
        Library cells by instance name: type, and net of each pin.
    gates:
        Every cell output as a function of nets; outputs of a flip-flop are functions of its state.
    states:
        int32 ``[F]``: net of each flip-flop's state, which no cell pin is connected to.
    next_states:
        The functions that flip-flops take over at a clock edge, outputs in the order of ``states``.
    inputs:
        Bundles that a simulation is given: input ports but the clock, outputs of black boxes.
    outputs:
        The module's output ports.
    memories:
        Read data of memories that were kept whole; given, too.
    signals:
        Named signals of the Verilog that are still there, in part or whole; -1 where a bit is not.
    clock:
        Name of the clock port, which is in none of the others; empty without flip-flops.
    """

    name: str
    nets: int
    cells: Mapping[str, tuple[str, Mapping[str, int]]]
    gates: Gates
    states: np.ndarray
    next_states: Gates
    inputs: tuple[Bundle, ...]
    outputs: tuple[Bundle, ...]
    memories: tuple[Bundle, ...]
    signals: tuple[Bundle, ...]
    clock: str


def read_netlist(name: str, module: Mapping, cells: Mapping[str, PowerCell],
                 children: set[str], clock: str = "clk") -> Netlist:
    """Arrays of a module in Yosys' JSON.

    Parameters
    ----------
    name, module:
        The module.
    cells:
        The library's cells.
    children:
        Modules that are black boxes.
    clock:
        The clock port, on whose rising edge all flip-flops must act.

    Raises
    ------
    VqromError
        If a cell is not understood (:func:`_register`), or logic forms a loop.
    """
    return _Reader(name, module, cells, children, clock).read()


class _Reader:
    """Numbers the nets of a module and turns its cells into functions."""

    def __init__(self, name: str, module: Mapping, cells: Mapping[str, PowerCell],
                 children: set[str], clock: str) -> None:
        self._name, self._module, self._cells = name, module, cells
        self._children = children
        self._numbers: dict[object, int] = {"0": ZERO, "x": ZERO, "1": ONE}
        self._count = 2
        port = module["ports"].get(clock)
        self._clock_name = clock if port else ""
        self._clock = port["bits"][0] if port else None
        self._functions: list[tuple[list[int], int, int]] = []
        self._next: list[tuple[list[int], int, int]] = []

    def read(self) -> Netlist:
        """The module's arrays."""
        cells, boxes, memories = {}, [], []
        for name, cell in self._module["cells"].items():
            kind = cell["type"]
            if kind in self._children:
                boxes += [Bundle(name, port, self._nets(bits))
                          for port, bits in cell["connections"].items()
                          if cell["port_directions"][port] == "output"]
            elif kind == MEMORY:
                memories.append(Bundle(name, "RD_DATA",
                                       self._nets(cell["connections"]["RD_DATA"])))
            elif kind not in _IGNORED:
                cells[name] = kind, self._cell(kind, cell["connections"])
        ports = self._module["ports"]
        inputs = [Bundle("", port, self._nets(value["bits"])) for port, value in ports.items()
                  if value["direction"] == "input" and port != self._clock_name]
        outputs = [Bundle("", port, self._nets(value["bits"])) for port, value in ports.items()
                   if value["direction"] == "output"]
        numbers = self._numbers
        signals = [
            Bundle("", name, np.array([numbers.get(bit, -1) for bit in value["bits"]], np.int32))
            for name, value in self._module["netnames"].items() if not value["hide_name"]]
        given = np.concatenate([np.array([ZERO, ONE], np.int32), *(
            bundle.nets for bundle in (*inputs, *boxes, *memories))])
        states = np.array([net for _, _, net in self._next], np.int32)
        return Netlist(
            self._name, self._count, cells, self._levelled(set(given) | set(states)), states,
            _arrays(self._next), (*inputs, *boxes), tuple(outputs), tuple(memories),
            tuple(signals), self._clock_name if self._next else "")

    def _net(self, bit: object) -> int:
        if bit == "z":
            raise VqromError(f"netlist of {self._name!r} must have no net that nothing drives "
                             "(z), as it has")
        number = self._numbers.get(bit)
        if number is None:
            number = self._numbers[bit] = self._new()
        return number

    def _new(self) -> int:
        self._count += 1
        return self._count - 1

    def _nets(self, bits: list) -> np.ndarray:
        return np.array([self._net(bit) for bit in bits], np.int32)

    def _cell(self, kind: str, connections: Mapping[str, list]) -> dict[str, int]:
        """Net of each connected pin of a cell, whose functions are noted."""
        cell = self._cells.get(kind)
        if cell is None:
            raise VqromError(f"netlist of {self._name!r} must consist of the library's cells, "
                             f"not {kind!r}")
        clocks = [pin for pin, bits in connections.items() if bits[0] == self._clock]
        pins = {pin: self._net(bits[0]) for pin, bits in connections.items()
                if bits and pin not in clocks}
        if cell.register:
            pins |= self._register(cell, pins, clocks)
        elif clocks:
            raise VqromError(f"netlist of {self._name!r} must have no gate in its clock, "
                             f"not a {kind!r}")
        for output in cell.outputs:
            if output.name in pins:
                self._functions.append((*self._function(cell, output.function, pins),
                                        pins[output.name]))
        return {pin: net for pin, net in pins.items() if pin in connections}

    def _register(self, cell: PowerCell, pins: Mapping[str, int],
                  clocks: list[str]) -> dict[str, int]:
        """A flip-flop's state as nets, by the names of its functions; its next state is noted.

        Raises
        ------
        VqromError
            If it does not act on the rising edge of the module's clock alone.
        """
        register = cell.register
        if [register.get("clocked_on", "").strip("() ")] != clocks:
            raise VqromError(f"netlist of {self._name!r} must have flip-flops on the rising edge "
                             f"of {self._clock_name!r}, not {cell.name!r} on "
                             f"{register.get('clocked_on')!r}")
        for event in ("clear", "preset"):
            if event in register and not self._never(cell, register[event], pins):
                raise VqromError(f"netlist of {self._name!r} must have no flip-flop with an "
                                 f"asynchronous {event}, not {cell.name!r}")
        state = {register["state"]: self._new()}
        self._next.append((*self._function(cell, register["next_state"], {**pins, **state}),
                           state[register["state"]]))
        return state

    def _never(self, cell: PowerCell, function: str, pins: Mapping[str, int]) -> bool:
        """Whether pins are tied to constants that make a function false."""
        nets, table = self._function(cell, function, pins)
        row = sum(net << place for place, net in enumerate(nets))
        return set(nets) <= {ZERO, ONE} and not table >> row & 1

    def _function(self, cell: PowerCell, function: str,
                  pins: Mapping[str, int]) -> tuple[list[int], int]:
        """Nets and table of a function; the state's inverse is that of the state."""
        inverse = cell.register.get("inverse")
        if inverse and function.strip("() ") == inverse:
            function = f"!{cell.register['state']}"
        names, table = truth_table(function)
        missing = [name for name in names if name not in pins]
        if missing:
            raise VqromError(f"netlist of {self._name!r} must connect pin {missing[0]!r} of "
                             f"{cell.name!r}")
        return [pins[name] for name in names], table

    def _levelled(self, known: set[int]) -> Gates:
        """The functions noted, each after those that it reads."""
        waiting: dict[int, list[int]] = {}
        missing = []
        for number, (nets, _, _) in enumerate(self._functions):
            unknown = {net for net in nets if net not in known}
            missing.append(len(unknown))
            for net in unknown:
                waiting.setdefault(net, []).append(number)
        ready = [number for number, count in enumerate(missing) if not count]
        for number in ready:
            for reader in waiting.get(self._functions[number][2], ()):
                missing[reader] -= 1
                if not missing[reader]:
                    ready.append(reader)
        if len(ready) != len(self._functions):
            raise VqromError(f"netlist of {self._name!r} must drive every net and have no loop of "
                             f"logic; {len(self._functions) - len(ready)} cells wait for others")
        return _arrays([self._functions[number] for number in ready])


def _arrays(functions: list[tuple[list[int], int, int]]) -> Gates:
    inputs = np.full((len(functions), MAX_INPUTS), ZERO, np.int32)
    for row, (nets, _, _) in zip(inputs, functions, strict=True):
        row[:len(nets)] = nets
    return Gates(inputs, np.array([table for _, table, _ in functions], np.uint64),
                 np.array([net for _, _, net in functions], np.int32))
