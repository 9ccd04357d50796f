"""Stretches in which only the array works, in one loop instead of cycle by cycle.

Inside a tile the array takes a word in every cycle. If no other unit can do anything before the
tile ends, what those cycles count is known: the same that :mod:`vqrom_sim.engines.cycle.kernel`
would count one by one.
"""

from . import bus, columns, compute, control, memory, vector, weights
from .jit import compiled
from .nest import N_ACTIVE, N_COUNT, inside, step_nest
from .unpacker import U_LEVEL, U_REMAINING, item_offered


@compiled
def _bus_rests(s, dims):
    """Nothing is under way on the bus, and no stream can ask for anything or move a beat up."""
    if (s[bus.R_DATA] or s[bus.R_ORDERED] or s[bus.R_VALID_ADDRESS] or s[bus.W_ORDERED]
            or s[bus.W_VALID] or s[bus.W_BEATS] or s[bus.W_LEFT]):
        return False
    for number in range(bus.STREAMS):
        stream = bus.STREAM + number * bus.STREAM_SIZE
        if s[stream + bus.S_INNER] and not s[stream + bus.S_READY]:
            return False
        if s[stream + bus.S_BEATS]:
            if s[stream + bus.S_FREE] >= bus.burst_beats(
                    s[stream + bus.S_ADDRESS], s[stream + bus.S_BEATS], dims.beat_bits,
                    dims.longest_burst):
                return False
        elif s[stream + bus.S_QUEUED]:
            return False
    return True


@compiled
def _unpacker_rests(s, unpacker, length_offered, beat_offered, out, last_out, period):
    """An unpacker whose items nobody takes takes no beat and no length either."""
    remaining, level = s[unpacker + U_REMAINING], s[unpacker + U_LEVEL]
    if remaining == 0:
        return not length_offered
    if not beat_offered:
        return True
    return level >= (last_out if remaining == 1 else out)


@compiled
def _weights_rest(s, t, dims):
    """The shadow registers are full, or no weights are there to fill them."""
    if s[weights.L_LAST_STEP]:
        return False
    command = control.head_of(s, control.WEIGHTS)
    valid = s[control.WEIGHTS + control.K_LEVEL] > 0
    if t[command + columns.OPCODE] == control.CODEBOOK:
        return not valid
    width = dims.codeword_width if t[command + columns.RAW] else dims.index_width
    out, last_out, period = width * dims.ports, width * dims.last_ports, dims.steps
    unpacker = weights.L_UNPACKER
    if item_offered(s, unpacker, out, last_out, period) and weights.loader_takes(
            s, False, dims.steps):
        return False
    stream = bus.STREAM + control.WEIGHT_STREAM * bus.STREAM_SIZE
    return _unpacker_rests(s, unpacker, valid, s[stream + bus.S_READY] != 0, out, last_out, period)


@compiled
def _post_rests(s, dims):
    """No pixel is under way, no half will be full soon, and no parameters come."""
    if (s[compute.P_ISSUED] or s[compute.P_FULL] or s[compute.P_FINISHED]
            or s[compute.Q_FINISHES] or s[compute.Q_FINISHES + 1]):
        return False
    valid = s[control.POST + control.K_LEVEL] > 0
    if valid and not s[compute.P_BUSY]:
        return False
    stream = bus.STREAM + control.PARAMETER_STREAM * bus.STREAM_SIZE
    return _unpacker_rests(s, compute.P_UNPACKER, False, s[stream + bus.S_READY] != 0,
                           dims.parameter_width, dims.parameter_width, 1)


@compiled
def _units_rest(s, t, dims):
    """No LOAD, STORE or VECTOR is at work or may begin, and nothing can be dispatched."""
    if s[vector.V_STATE] or s[memory.D_RUNNING] or s[memory.T_RUNNING]:
        return False
    if (control.may_begin(s, t, control.VECTOR) or control.may_begin(s, t, control.LOAD)
            or control.may_begin(s, t, control.STORE)):
        return False
    if s[control.C_STATE] == control.DISPATCH:
        return not control.accepts(s, t, dims.queue_depth)
    stream = bus.STREAM + control.COMMAND_STREAM * bus.STREAM_SIZE
    return s[stream + bus.S_READY] == 0


@compiled
def steady_cycles(s, t, dims):
    """Cycles for which the array alone works from now on; 0 where that is not sure."""
    nest = compute.Q_NEST
    if not s[nest + N_ACTIVE] or (s[nest + N_COUNT] == 0 and s[nest + N_COUNT + 1] == 0):
        return 0
    command = control.head_of(s, control.ARRAY)
    row, rows = t[command + columns.LEVEL], t[command + columns.LEVEL + 4]
    words = ((rows - 1 - s[nest + N_COUNT + 1]) * row + row - 1 - s[nest + N_COUNT])
    if words < SHORTEST or not (_bus_rests(s, dims) and _post_rests(s, dims)
                                and _weights_rest(s, t, dims) and _units_rest(s, t, dims)):
        return 0
    return words


SHORTEST = 4
"""Stretches below this many cycles are not worth the look."""


@compiled
def pass_steady(s, t, dims, cycles):
    """Let so many steady cycles pass: ``(words read, updates, updates that add)``."""
    nest, command = compute.Q_NEST, control.head_of(s, control.ARRAY)
    adds = 0 if compute.firsts(s, nest, compute.SUM, compute.TILES) else 1
    mask, place = (2 << compute.UPDATE) - 1, compute.UPDATE - 1
    updates, sums = s[compute.Q_UPDATES], s[compute.Q_SUMS]
    read, updated, added = 0, 0, 0
    for _ in range(cycles):
        read += 1 if inside(s, nest, t, command) else 0
        updated += (updates >> place) & 1
        added += (sums >> place) & 1
        updates = (updates << 1 | 1) & mask
        sums = (sums << 1 | adds) & mask
        step_nest(s, nest, t, command)
    s[compute.Q_UPDATES], s[compute.Q_SUMS] = updates, sums
    s[bus.R_NOW] += cycles
    return read, updated, added
