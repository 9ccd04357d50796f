"""One program, cycle by cycle: each unit's step, in the order in which signals run."""

import numpy as np

from vqrom_hw.isa import COUNTERS, Unit
from vqrom_sw.compiler import COLUMNS

from . import bus, columns, compute, control, counting, memory, steady, units, weights
from .jit import compiled

LAST_LAYER = len(COUNTERS)
"""Place behind the counters as they were when the layer changed: which one it is now."""
LOAD_UNIT, ARRAY_UNIT, POST_UNIT, VECTOR_UNIT, STORE_UNIT = (int(unit) for unit in Unit)


@compiled
def _step_processor(s, t, dims):
    """Command processor: whether it takes a beat."""
    if s[control.C_STATE] == control.ASSEMBLE:
        if not (control.takes_beat(s) and units.ready(s, control.COMMAND_STREAM)):
            return False
        s[control.C_LEFT] -= 1
        s[control.C_BEAT] += 1
        if s[control.C_BEAT] == dims.command_beats:
            s[control.C_BEAT] = 0
            s[control.C_STATE] = control.DISPATCH
        return True
    if s[control.C_STATE] == control.DISPATCH and control.accepts(s, t, dims.queue_depth):
        command = s[control.C_COMMAND]
        opcode = t[command + columns.OPCODE]
        if opcode == control.FETCH:
            bus.push_request(s, control.stream_of(t, command), t[command + columns.OFFSET],
                             t[command + columns.BEATS], t[command + columns.STREAM])
        control.enqueue(s, t, command, dims.queue_depth)
        s[control.C_LAYER] = t[command + columns.LAYER]
        s[control.C_COMMAND] += len(COLUMNS)
        s[control.C_STATE] = control.ASSEMBLE
        if opcode == control.END_OF_PROGRAM:
            s[control.C_STATE] = control.DRAIN
    return False


@compiled
def _step_bus(s, dims, queued, pops, counters):
    """Read DMA and DRAM."""
    if s[bus.R_DATA]:
        place = bus.R_ORDER + 2 * s[bus.R_ORDER_HEAD]
        number = s[place]
        if number == control.COMMAND_STREAM:
            counters[counting.COMMAND_BEATS] += 1
        elif number == control.ACTIVATION_STREAM:
            counters[counting.READ_BEATS] += 1
        else:
            counters[counting.FETCHED[s[place + 1]]] += 1
    if s[control.C_STATE] == control.DRAIN:
        for number in range(bus.STREAMS):
            s[bus.STREAM + number * bus.STREAM_SIZE + bus.S_BEATS] = 0
            s[bus.STREAM + number * bus.STREAM_SIZE + bus.S_QUEUED] = 0
            queued[number] = 0
    accepted, granted, length, tag = bus.step_streams(
        s, queued, pops, dims.beat_bits, dims.longest_burst)
    bus.step_read(s, accepted, granted, length, tag, dims.latency)


@compiled
def _drained(s):
    return (s[bus.R_ORDERED] == 0 and not s[bus.R_VALID_ADDRESS]
            and bus.write_idle(s) and not s[bus.W_VALID])


@compiled
def _finish(s, dims, queue, unit):
    """Take a finished command from its queue; ``unit`` is what others wait for (-1: none)."""
    control.pop(s, queue, dims.queue_depth)
    if unit >= 0:
        s[control.COMPLETED + unit] += 1


@compiled
def _step(s, t, dims, latencies, queued, pops, counters, seen, layers):
    """One cycle of everything; whether it is the program's last."""
    can_array = control.may_begin(s, t, control.ARRAY)
    can_vector = control.may_begin(s, t, control.VECTOR)
    can_load = control.may_begin(s, t, control.LOAD)
    can_store = control.may_begin(s, t, control.STORE)
    for number in range(bus.STREAMS):
        queued[number] = s[bus.STREAM + number * bus.STREAM_SIZE + bus.S_QUEUED]

    array_command = control.head_of(s, control.ARRAY)
    issue, waits_weights, waits_sums, reads = compute.array_state(
        s, t, array_command, weights.weights_full(s))
    read_bank = memory.bank_of(compute.array_address(s), dims.bank_bits) if reads else -1
    post_works = s[compute.P_FULL] != 0 or s[compute.P_ISSUED] != 0
    post_writes = compute.post_writes(s) != 0
    write_bank = memory.bank_of(compute.post_address(s), dims.bank_bits) if post_writes else -1
    layer = counting.layer_of(s, t, issue or waits_weights or waits_sums, post_works, can_vector,
                              can_load, can_store)
    if layer != seen[LAST_LAYER]:
        layers[seen[LAST_LAYER]] += counters - seen[:len(COUNTERS)]
        seen[:len(COUNTERS)] = counters
        seen[LAST_LAYER] = layer
    counting.count_cause(issue, waits_weights, waits_sums, post_works, can_vector, can_load,
                         can_store, counters)
    counters[counting.BUFFER_READS] += 1 if reads else 0
    counters[counting.BUFFER_WRITES] += 1 if post_writes else 0

    take = compute.takes_tile(s, issue)
    taken, weights_done = units.step_weights(s, t, dims, take, counters)
    pops[control.WEIGHT_STREAM] = 1 if taken else 0
    taken, release, post_done = units.step_post(s, t, dims, counters)
    pops[control.PARAMETER_STREAM] = 1 if taken else 0
    array_done = compute.step_sequencer(s, t, array_command, can_array, issue, release)
    vector_done, vector_read, vector_write, store_done, load_done = False, -1, -1, False, False
    pops[control.VECTOR_STREAM] = pops[control.ACTIVATION_STREAM] = 0
    if can_vector:
        taken, vector_done, vector_read, vector_write = units.step_vector(
            s, t, dims, latencies, read_bank, write_bank, counters)
        pops[control.VECTOR_STREAM] = 1 if taken else 0
    if can_store:
        store_done = units.step_store(s, t, dims, read_bank, vector_read, counters)
    if can_load:
        taken, load_done = units.step_load(s, t, dims, write_bank, vector_write, counters)
        pops[control.ACTIVATION_STREAM] = 1 if taken else 0
    drained = s[control.C_STATE] == control.DRAIN and _drained(s)
    pops[control.COMMAND_STREAM] = 1 if _step_processor(s, t, dims) else 0
    _step_bus(s, dims, queued, pops, counters)

    if load_done:
        _finish(s, dims, control.LOAD, LOAD_UNIT)
    if post_done:
        _finish(s, dims, control.POST, POST_UNIT)
    if vector_done:
        _finish(s, dims, control.VECTOR, VECTOR_UNIT)
    if store_done:
        _finish(s, dims, control.STORE, STORE_UNIT)
    if array_done:
        _finish(s, dims, control.ARRAY, ARRAY_UNIT)
    if weights_done:
        _finish(s, dims, control.WEIGHTS, -1)
    return drained


@compiled
def run(s, t, dims, latencies, layer_count, limit):
    """Run a program to its end.

    Parameters
    ----------
    s:
        Registers at the first busy cycle (:func:`.state.initial_state`); changed.
    t:
        Commands, int64 ``[n * len(COLUMNS)]``: a table of
        :mod:`vqrom_sw.compiler.program.command_table`, row after row.
    dims, latencies:
        Of :mod:`vqrom_sim.engines.cycle.state`.
    layer_count:
        Layers that commands may name.
    limit:
        Cycles after which it gives up.

    Returns
    -------
    tuple
        Counters int64 ``[len(COUNTERS)]``, the same by layer ``[layer_count, len(COUNTERS)]``, and
        whether END was reached within the limit.
    """
    counters = np.zeros(len(COUNTERS), np.int64)
    seen, layers = np.zeros(len(COUNTERS) + 1, np.int64), np.zeros(
        (layer_count, len(COUNTERS)), np.int64)
    queued, pops = np.zeros(bus.STREAMS, np.int64), np.zeros(bus.STREAMS, np.int64)
    while counters[counting.CYCLES] < limit:
        cycles = steady.steady_cycles(s, t, dims)
        if cycles:
            read, updated, added = steady.pass_steady(s, t, dims, cycles)
            counters[counting.CYCLES] += cycles
            counters[counting.COMPUTE] += cycles
            counters[counting.BUFFER_READS] += read
            counters[counting.SUM_WRITES] += updated * dims.groups
            counters[counting.SUM_READS] += added * dims.groups
        if _step(s, t, dims, latencies, queued, pops, counters, seen, layers):
            layers[seen[LAST_LAYER]] += counters - seen[:len(COUNTERS)]
            return counters, layers, True
        if s[control.C_COMMAND] >= len(t) and s[control.C_STATE] != control.DRAIN:
            break
    return counters, layers, False
