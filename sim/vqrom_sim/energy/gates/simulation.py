"""Gate simulation: how often each net of a module changes, cycle by cycle, glitches included.

At a clock edge the flip-flops and the inputs change. Each gate follows a change of what it reads
after its delay, unless its inputs change back before that: pulses shorter than a gate's delay do
not pass it (inertial delay). A net that comes back to its value within a cycle has glitched. So one
run gives two counts of each net: all transitions, and those of settled values, which are the
transitions of a circuit whose gates take no time and a lower bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vqrom_hw.errors import VqromError

from .kernel import run_gates
from .netlist import ONE, ZERO, Bundle, Gates, Netlist


@dataclass(frozen=True)
class Activity:
    """What changed in a module while it was simulated.

    Members
    -------
    cycles:
        Clock edges; one less than the values that were given.
    transitions:
        int64 ``[nets]``: all changes of each net, glitches included.
    settled:
        int64 ``[nets]``: clock cycles at whose end a net has another value than at their beginning.
    energy_fj:
        float64 ``[cycles]``: of all transitions of a cycle.
    settled_fj:
        float64 ``[cycles]``: of settled values alone.
    """

    cycles: int
    transitions: np.ndarray
    settled: np.ndarray
    energy_fj: np.ndarray
    settled_fj: np.ndarray


def simulate(netlist: Netlist, given: np.ndarray, states: np.ndarray, expected: np.ndarray,
             net_fj: np.ndarray, delays: np.ndarray, unchecked: int = 0) -> Activity:
    """Run a module on recorded values and compare its outputs with the recorded ones.

    Parameters
    ----------
    netlist:
        The module.
    given:
        uint8 ``[cycles + 1, bits]``: settled values of all inputs in each cycle, in the order of
        :func:`given_nets`.
    states:
        uint8 ``[flip-flops]``: their states in the first cycle.
    expected:
        uint8 ``[cycles + 1, bits]``: the outputs as the Verilog had them, in the order of
        :attr:`.netlist.Netlist.outputs`.
    net_fj:
        float64 ``[nets]``: energy of a transition of each net.
    delays:
        int64 ``[nets]``: steps of time, at least 1, that the gate which drives a net takes.
    unchecked:
        Cycles at the beginning whose outputs may differ.

    Raises
    ------
    VqromError
        If an output differs from the recorded one.
    """
    outputs = _nets_of(netlist.outputs)
    gates, following = netlist.gates, netlist.next_states
    start, readers = _fan_out(netlist)
    transitions, settled, energy, settled_energy, wrong = run_gates(
        netlist.nets, given, given_nets(netlist), states, netlist.states,
        gates.inputs, _used(gates), gates.tables, gates.outputs, delays[gates.outputs],
        following.inputs, _used(following), following.tables,
        start, readers, expected, outputs, net_fj, unchecked)
    if wrong[0] >= 0:
        place = int(wrong[1])
        for bundle in netlist.outputs:
            if place < len(bundle.nets):
                raise VqromError(
                    f"gate simulation of {netlist.name!r} must equal its Verilog; bit {place} of "
                    f"{bundle.name!r} is {1 - int(expected[wrong[0], wrong[1]])} in cycle "
                    f"{int(wrong[0])} of the recording")
            place -= len(bundle.nets)
    return Activity(len(given) - 1, transitions, settled, energy, settled_energy)


def given_nets(netlist: Netlist) -> np.ndarray:
    """int32 ``[bits]``: nets whose values a simulation is given, inputs before memories."""
    return _nets_of((*netlist.inputs, *netlist.memories))


def _nets_of(bundles: Sequence[Bundle]) -> np.ndarray:
    return np.concatenate([np.zeros(0, np.int32), *(bundle.nets for bundle in bundles)])


def _used(gates: Gates) -> np.ndarray:
    """int64 ``[G]``: places of each gate's inputs that are read."""
    places = np.arange(1, gates.inputs.shape[1] + 1)
    return np.max((gates.inputs != ZERO) * places, axis=1, initial=0).astype(np.int64)


def _fan_out(netlist: Netlist) -> tuple[np.ndarray, np.ndarray]:
    """Gates that read each net: those of net ``n`` are ``readers[start[n]:start[n + 1]]``."""
    gates = netlist.gates
    nets = gates.inputs.ravel()
    rows = np.repeat(np.arange(len(gates.inputs)), gates.inputs.shape[1])
    used = nets > ONE
    nets, rows = nets[used], rows[used].astype(np.int32)
    order = np.argsort(nets, kind="stable")
    return np.searchsorted(nets[order], np.arange(netlist.nets + 1)), rows[order]
