"""The inner loops of the gate simulation, compiled."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, inline="always")
def _value(gate, inputs, used, tables, values):
    """Value of a gate's function."""
    row = 0
    for place in range(used[gate]):
        row |= np.int64(values[inputs[gate, place]]) << place
    return np.uint8(tables[gate] >> np.uint64(row) & np.uint64(1))


@numba.njit(cache=True)
def run_gates(nets, given, given_nets, states, state_nets, inputs, used, tables, outputs, delays,
              next_inputs, next_used, next_tables, start, readers, expected, output_nets, net_fj,
              unchecked):
    """Simulate every cycle; see :func:`.simulation.simulate`.

    Parameters
    ----------
    nets, given, given_nets, states, state_nets, net_fj, unchecked:
        As there; ``given_nets`` and ``state_nets`` are the nets of the columns of ``given`` and of
        ``states``.
    inputs, used, tables, outputs, delays:
        Of each gate: nets that it reads, how many of them, its table, its net, its delay.
    next_inputs, next_used, next_tables:
        The same of each flip-flop's next state.
    start, readers:
        Gates that read each net.
    expected, output_nets:
        Values that outputs must have, and their nets.

    Returns
    -------
    tuple
        Transitions and settled changes of each net, energy of both in each cycle, and cycle and
        column of the first wrong output, or -1.
    """
    cycles, gates = given.shape[0] - 1, len(outputs)
    values = np.zeros(nets, np.uint8)
    values[1] = 1
    transitions, settled = np.zeros(nets, np.int64), np.zeros(nets, np.int64)
    energy, settled_energy = np.zeros(cycles), np.zeros(cycles)
    wrong = np.full(2, -1, np.int64)
    following = np.zeros(len(state_nets), np.uint8)
    # A wheel of time: gates that may change in each of the next steps. ``due`` is the step in which
    # a gate changes, or -1; entries of the wheel that say otherwise are stale.
    slots = 2
    for gate in range(gates):
        slots = max(slots, delays[gate] + 1)
    wheel, filled = np.zeros((slots, max(gates, 1)), np.int32), np.zeros(slots, np.int64)
    due, seen = np.full(gates, -1, np.int64), np.full(gates, -1, np.int64)
    # Nets that change in this step, and those of this cycle with the value that they had before.
    changed, touched = np.zeros(nets, np.int32), np.zeros(nets, np.int32)
    before, touched_in = np.zeros(nets, np.uint8), np.full(nets, -1, np.int64)
    step = 0

    for bit in range(len(given_nets)):
        values[given_nets[bit]] = given[0, bit]
    for flop in range(len(state_nets)):
        values[state_nets[flop]] = states[flop]
    for gate in range(gates):
        values[outputs[gate]] = _value(gate, inputs, used, tables, values)

    for cycle in range(cycles + 1):
        if cycle >= unchecked:
            for bit in range(len(output_nets)):
                if values[output_nets[bit]] != expected[cycle, bit]:
                    wrong[0], wrong[1] = cycle, bit
                    return transitions, settled, energy, settled_energy, wrong
        if cycle == cycles:
            break
        for flop in range(len(state_nets)):
            following[flop] = _value(flop, next_inputs, next_used, next_tables, values)
        count, touches, waiting = 0, 0, 0
        for flop in range(len(state_nets)):
            if values[state_nets[flop]] != following[flop]:
                changed[count] = state_nets[flop]
                count += 1
        for bit in range(len(given_nets)):
            net = given_nets[bit]
            if net > 1 and values[net] != given[cycle + 1, bit]:
                changed[count] = net
                count += 1
        while count > 0 or waiting > 0:
            for place in range(count):
                net = changed[place]
                if touched_in[net] != cycle:
                    touched_in[net] = cycle
                    before[net] = values[net]
                    touched[touches] = net
                    touches += 1
                values[net] = np.uint8(1) - values[net]
                transitions[net] += 1
                energy[cycle] += net_fj[net]
            for place in range(count):
                net = changed[place]
                for reader in range(start[net], start[net + 1]):
                    gate = readers[reader]
                    if seen[gate] == step:
                        continue
                    seen[gate] = step
                    if _value(gate, inputs, used, tables, values) == values[outputs[gate]]:
                        due[gate] = -1
                    elif due[gate] < 0:
                        due[gate] = step + delays[gate]
                        slot = due[gate] % slots
                        wheel[slot, filled[slot]] = gate
                        filled[slot] += 1
                        waiting += 1
            step += 1
            slot, count = step % slots, 0
            for place in range(filled[slot]):
                gate = wheel[slot, place]
                if due[gate] == step:
                    due[gate] = -1
                    changed[count] = outputs[gate]
                    count += 1
            waiting -= filled[slot]
            filled[slot] = 0
        for place in range(touches):
            net = touched[place]
            if values[net] != before[net]:
                settled[net] += 1
                settled_energy[cycle] += net_fj[net]
        step += 1
    return transitions, settled, energy, settled_energy, wrong
