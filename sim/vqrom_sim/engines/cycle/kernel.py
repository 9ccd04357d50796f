"""One program, cycle by cycle: every unit's step, in the order in which signals run.

Within a cycle everybody sees the registers as they were when it began, and what units earlier in
the order want: the array's and post-processing's words before the vector unit's, and that one's
before those of LOAD and STORE. Mirrors how :mod:`vqrom_hw.accelerator` connects them.
"""

from __future__ import annotations

import numpy as np

from vqrom_hw.isa import COUNTERS, Unit

from . import bus, compute, control, counting, intervals, memory, steady, units
from .bus import Wires
from .counting import Activity, Tally
from .intervals import Log
from .registers import places as at
from .registers.channels import (
    ACTIVATION_CHANNEL,
    COMMAND_CHANNEL,
    PARAMETER_CHANNEL,
    READ_CHANNELS,
    VECTOR_CHANNEL,
    WEIGHT_CHANNEL,
)
from .registers.jit import Commands, Registers, compiled
from .registers.state import Dimensions

LOAD_UNIT, ARRAY_UNIT, POST_UNIT, VECTOR_UNIT, STORE_UNIT = (int(unit) for unit in (
    Unit.LOAD, Unit.ARRAY, Unit.POST, Unit.VECTOR, Unit.STORE))


@compiled
def _step_bus(s: Registers, dims: Dimensions, wires: Wires, counters: np.ndarray) -> None:
    """Read DMA and DRAM, and whose beat arrives."""
    if s[at.R_DATA]:
        place = at.R_ORDER + 2 * s[at.R_ORDER_HEAD]
        number = s[place]
        if number == COMMAND_CHANNEL:
            counters[counting.COMMAND_BEATS] += 1
        elif number == ACTIVATION_CHANNEL:
            counters[counting.READ_BEATS] += 1
        else:
            counters[counting.FETCHED[s[place + 1]]] += 1
    if s[at.C_STATE] == control.DRAIN:
        for number in range(READ_CHANNELS):
            channel = bus.channel_place(number)
            s[channel + at.H_BEATS] = s[channel + at.H_QUEUED] = 0
            wires.queued[number] = 0
    address = bus.step_channels(s, dims, wires)
    bus.step_read(s, dims, address)


@compiled
def _drained(s: Registers) -> bool:
    """Whether nothing is under way on the bus."""
    return (s[at.R_ORDERED] == 0 and not s[at.R_VALID_ADDRESS]
            and bus.write_idle(s) and not s[at.W_VALID])


@compiled
def _finish(s: Registers, dims: Dimensions, queue: int, unit: int) -> None:
    """Take a finished command from its queue, and count it for those that wait for the unit."""
    control.pop(s, queue, dims.queue_depth)
    s[at.C_COMPLETED + unit] += 1


@compiled
def _step(s: Registers, t: Commands, dims: Dimensions, wires: Wires, tally: Tally,
          log: Log) -> bool:
    """One cycle of everything; whether it is the program's last."""
    counters = tally.counters
    can_array = control.may_begin(s, t, at.ARRAY_QUEUE)
    can_vector = control.may_begin(s, t, at.VECTOR_QUEUE)
    can_load = control.may_begin(s, t, at.LOAD_QUEUE)
    can_store = control.may_begin(s, t, at.STORE_QUEUE)
    for number in range(READ_CHANNELS):
        wires.queued[number] = s[bus.channel_place(number) + at.H_QUEUED]

    array_command = control.head_of(s, at.ARRAY_QUEUE)
    array = compute.array_state(s, t, array_command)
    activity = Activity(array.issues, array.waits_weights, array.waits_sums,
                        compute.post_works(s), can_vector, can_load, can_store)
    layer = counting.layer_of(s, t, activity)
    if layer != tally.layer[0]:
        counting.close_layer(tally)
        tally.layer[0] = layer
    counting.count_cause(activity, counters)
    read_bank, write_bank = units.NO_BANK, units.NO_BANK
    if array.reads:
        read_bank = memory.bank_of(compute.array_address(s), dims.bank_bits)
        counters[counting.BUFFER_READS] += 1
    if compute.post_writes(s):
        write_bank = memory.bank_of(compute.post_address(s), dims.bank_bits)
        counters[counting.BUFFER_WRITES] += 1

    take = compute.takes_tile(s, array.issues)
    wires.taken[WEIGHT_CHANNEL], fills, weights_done = units.step_weights(
        s, t, dims, take, counters)
    if len(log.rows):
        intervals.note(log, s, t, intervals.works(activity, fills),
                       counters[counting.CYCLES] - 1, 1)
    wires.taken[PARAMETER_CHANNEL], release, post_done = units.step_post(s, t, dims, counters)
    array_done = compute.step_sequencer(s, t, array_command, can_array, array.issues, release)
    vector_done, vector_read, vector_write = False, units.NO_BANK, units.NO_BANK
    store_done, load_done = False, False
    wires.taken[VECTOR_CHANNEL] = wires.taken[ACTIVATION_CHANNEL] = 0
    if can_vector:
        wires.taken[VECTOR_CHANNEL], vector_done, vector_read, vector_write = units.step_vector(
            s, t, dims, read_bank, write_bank, counters)
    if can_store:
        store_done = units.step_store(s, t, dims, read_bank, vector_read, counters)
    if can_load:
        wires.taken[ACTIVATION_CHANNEL], load_done = units.step_load(
            s, t, dims, write_bank, vector_write, counters)
    drained = s[at.C_STATE] == control.DRAIN and _drained(s)
    wires.taken[COMMAND_CHANNEL] = control.step_processor(
        s, t, bus.beat_offered(s, COMMAND_CHANNEL), dims.command_beats, dims.queue_depth)
    _step_bus(s, dims, wires, counters)

    if load_done:
        _finish(s, dims, at.LOAD_QUEUE, LOAD_UNIT)
    if post_done:
        _finish(s, dims, at.POST_QUEUE, POST_UNIT)
    if vector_done:
        _finish(s, dims, at.VECTOR_QUEUE, VECTOR_UNIT)
    if store_done:
        _finish(s, dims, at.STORE_QUEUE, STORE_UNIT)
    if array_done:
        _finish(s, dims, at.ARRAY_QUEUE, ARRAY_UNIT)
    if weights_done:
        # Nobody waits for the weights themselves: the array's command stands for them.
        control.pop(s, at.WEIGHTS_QUEUE, dims.queue_depth)
    return drained


@compiled
def run(s: Registers, t: Commands, dims: Dimensions, layer_count: int, limit: int,
        log: Log) -> tuple[np.ndarray, np.ndarray, bool]:
    """Run a program to its end.

    Parameters
    ----------
    s:
        Registers at the first busy cycle (:func:`.registers.initial_state`); changed.
    t:
        Commands, int64 ``[n * ROW]``: a table of
        :mod:`vqrom_sw.compiler.program.command_table`, row after row.
    dims:
        The accelerator (:func:`.registers.dimensions_of`).
    layer_count:
        Layers that commands may name.
    limit:
        Cycles after which it gives up.
    log:
        Where intervals of the units are written down.

    Returns
    -------
    tuple
        Counters int64 ``[len(COUNTERS)]``, the same by layer ``[layer_count, len(COUNTERS)]``, and
        whether END was reached within the limit.
    """
    counters = np.zeros(len(COUNTERS), np.int64)
    tally = Tally(counters, np.zeros((layer_count, len(COUNTERS)), np.int64),
                  np.zeros(len(COUNTERS), np.int64), np.zeros(1, np.int64))
    wires = Wires(np.zeros(READ_CHANNELS, np.int64), np.zeros(READ_CHANNELS, np.int64))
    while counters[counting.CYCLES] < limit:
        cycles = steady.steady_cycles(s, t, dims)
        if cycles:
            if len(log.rows):
                intervals.note(log, s, t, 1 << intervals.ARRAY, counters[counting.CYCLES], cycles)
            read, updated, added = steady.pass_steady(s, t, cycles)
            counters[counting.CYCLES] += cycles
            counters[counting.COMPUTE] += cycles
            counters[counting.BUFFER_READS] += read
            counters[counting.SUM_WRITES] += updated * dims.post_steps
            counters[counting.SUM_READS] += added * dims.post_steps
        if _step(s, t, dims, wires, tally, log):
            counting.close_layer(tally)
            if len(log.rows):
                intervals.finish(log, counters[counting.CYCLES])
            return counters, tally.by_layer, True
        if s[at.C_COMMAND] >= len(t) and s[at.C_STATE] != control.DRAIN:
            break
    return counters, tally.by_layer, False
