"""What a module saw and did while the Verilog ran a program, as its netlist needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from vqrom_hw.errors import VqromError

from .netlist import ZERO, Bundle, Netlist


class Window(Protocol):
    """Values of signals in consecutive clock cycles of a recorded run.

    ``bits(path, name)`` are those of a signal of the instance at a path from the top, uint8
    ``[cycles, width]``, settled, bit 0 first; ``child.port`` is an output of an instance in it. It
    raises a ``VqromError`` where there is none.
    """

    def bits(self, path: tuple[str, ...], name: str) -> np.ndarray: ...


@dataclass(frozen=True)
class Stimuli:
    """A module's values in consecutive cycles.

    Members
    -------
    given, expected:
        uint8 ``[cycles, bits]``: what :func:`.simulation.simulate` is given, and what its outputs
        must be.
    states:
        uint8 ``[flip-flops]``: their states in the first cycle.
    """

    given: np.ndarray
    expected: np.ndarray
    states: np.ndarray


@dataclass(frozen=True)
class Place:
    """Where the Verilog has a net's value: a bit of a signal, inverted or not."""

    signal: str
    bit: int
    inverted: bool


class Sources:
    """Where the values of a module's inputs, outputs and flip-flops are found in the Verilog.

    Parameters
    ----------
    netlist:
        The module.

    Raises
    ------
    VqromError
        If the Verilog has no name for a flip-flop or for what a memory reads.
    """

    def __init__(self, netlist: Netlist) -> None:
        self._netlist = netlist
        self._named: dict[int, tuple[str, int]] = {}
        # Yosys' own names begin with an underscore, and recordings leave them out.
        named = [bundle for bundle in netlist.signals if not bundle.name.startswith("_")]
        for bundle in (*netlist.outputs, *named):
            for bit, net in enumerate(bundle.nets.tolist()):
                self._named.setdefault(net, (bundle.name, bit))
        followers = self._followers()
        self._states = [self._state(net, followers) for net in netlist.states.tolist()]
        self._memories = [[self._memory(bundle, net) for net in bundle.nets.tolist()]
                          for bundle in netlist.memories]

    @property
    def inside(self) -> tuple[str, ...]:
        """Signals inside the module that :meth:`stimuli` needs beside its boundary."""
        places = [*self._states, *(place for memory in self._memories for place in memory)]
        ports = {bundle.name for bundle in (*self._netlist.inputs, *self._netlist.outputs)
                 if not bundle.instance}
        return tuple(dict.fromkeys(place.signal for place in places if place.signal not in ports))

    def stimuli(self, path: tuple[str, ...], window: Window) -> Stimuli:
        """Values of one instance of the module, at a path from the top.

        Raises
        ------
        VqromError
            If the recording lacks one, or it has another width than the netlist.
        """
        signals: dict[str, np.ndarray] = {}

        def bit(place: Place) -> np.ndarray:
            if place.signal not in signals:
                signals[place.signal] = window.bits(path, place.signal)
            return signals[place.signal][:, place.bit] ^ np.uint8(place.inverted)

        given = [self._bundle(path, bundle, window) for bundle in self._netlist.inputs]
        given += [np.stack([bit(place) for place in places], axis=1) for places in self._memories]
        expected = [self._bundle(path, bundle, window) for bundle in self._netlist.outputs]
        states = np.array([bit(place)[0] for place in self._states], np.uint8)
        return Stimuli(_side_by_side(given), _side_by_side(expected), states)

    def _bundle(self, path: tuple[str, ...], bundle: Bundle, window: Window) -> np.ndarray:
        name = f"{bundle.instance}.{bundle.name}" if bundle.instance else bundle.name
        values = window.bits(path, name)
        if values.shape[1] != len(bundle.nets):
            raise VqromError(f"recording of {'.'.join((*path, name))!r} must have "
                             f"{len(bundle.nets)} bits, not {values.shape[1]}")
        return values

    def _followers(self) -> Mapping[int, list[tuple[int, bool]]]:
        """Gates of one input by the net that they read: net that they drive, and whether it is
        that net's inverse."""
        gates, found = self._netlist.gates, {}
        for inputs, table, output in zip(gates.inputs.tolist(), gates.tables.tolist(),
                                         gates.outputs.tolist(), strict=True):
            if not any(inputs[1:]) and inputs[0] != ZERO and table & 3 in (1, 2):
                found.setdefault(inputs[0], []).append((output, table & 3 == 1))
        return found

    def _state(self, net: int, followers: Mapping[int, list[tuple[int, bool]]]) -> Place:
        """A flip-flop's state under a name: that of its output, or of what only inverts or passes
        it on."""
        reached = [(net, False)]
        for place, inverted in reached:
            if place in self._named:
                return Place(*self._named[place], inverted)
            reached += [(after, inverted ^ inverts) for after, inverts in followers.get(place, ())]
        raise VqromError(f"netlist of {self._netlist.name!r} must keep a name of the Verilog for "
                         "every flip-flop; one has none")

    def _memory(self, bundle: Bundle, net: int) -> Place:
        if net not in self._named:
            raise VqromError(f"netlist of {self._netlist.name!r} must keep a name of the Verilog "
                             f"for what memory {bundle.instance!r} reads")
        return Place(*self._named[net], False)


def _side_by_side(parts: list[np.ndarray]) -> np.ndarray:
    return np.ascontiguousarray(np.concatenate(parts, axis=1)) if parts else np.zeros((0, 0),
                                                                                     np.uint8)
