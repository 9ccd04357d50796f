"""Stretches in which only the array works, in one loop instead of cycle by cycle.

Inside a tile the array takes a word in every cycle. If no other unit can do anything before the
tile ends, what those cycles count is known: the same that :mod:`.kernel` would count one by one.
Most cycles of a large layer are of this kind.
"""

from __future__ import annotations

from vqrom_hw.compute import HALVES

from . import bus, columns, compute, control, units, weights
from . import places as at
from .channels import COMMAND_CHANNEL, PARAMETER_CHANNEL, READ_CHANNELS, WEIGHT_CHANNEL
from .jit import Commands, Registers, compiled
from .nest import inside, step_nest
from .state import Dimensions
from .unpacker import UnpackerShape, equal_items, item_offered

SHORTEST = 4
"""Stretches below this many cycles are not worth the look."""


@compiled
def _bus_rests(s: Registers, dims: Dimensions) -> bool:
    """Nothing is under way on the bus, and no read channel can ask for anything or move a beat
    into its output register."""
    if (s[at.R_DATA] or s[at.R_ORDERED] or s[at.R_VALID_ADDRESS] or s[at.W_VALID]
            or not bus.write_idle(s)):
        return False
    for number in range(READ_CHANNELS):
        channel = bus.channel_place(number)
        if s[channel + at.H_INNER] and not s[channel + at.H_READY]:
            return False
        if s[channel + at.H_BEATS]:
            if s[channel + at.H_FREE] >= bus.burst_beats(
                    dims, s[channel + at.H_ADDRESS], s[channel + at.H_BEATS]):
                return False
        elif s[channel + at.H_QUEUED]:
            return False
    return True


@compiled
def _unpacker_rests(s: Registers, unpacker: int, shape: UnpackerShape, length_offered: bool,
                    beat_offered: bool) -> bool:
    """An unpacker whose items nobody takes takes no beat and no length either."""
    remaining, level = s[unpacker + at.U_REMAINING], s[unpacker + at.U_LEVEL]
    if remaining == 0:
        return not length_offered
    if not beat_offered:
        return True
    return level >= (shape.last_item if remaining == 1 else shape.item)


@compiled
def _weights_rest(s: Registers, t: Commands, dims: Dimensions) -> bool:
    """The shadow registers are full, or no weights are there to fill them."""
    if s[at.L_LAST_STEP]:
        return False
    command = control.head_of(s, at.WEIGHTS_QUEUE)
    valid = control.has_command(s, at.WEIGHTS_QUEUE)
    if t[command + columns.OPCODE] == control.CODEBOOK:
        return not valid
    shape = units.feed_shape(dims, t[command + columns.RAW] != 0)
    if item_offered(s, at.L_UNPACKER, shape) and weights.loader_takes(s, False, dims.steps):
        return False
    return _unpacker_rests(s, at.L_UNPACKER, shape, valid, bus.beat_offered(s, WEIGHT_CHANNEL))


@compiled
def _post_rests(s: Registers, dims: Dimensions) -> bool:
    """No pixel is on its way, no half will be full soon, and no parameters come."""
    if compute.post_works(s) or s[at.P_FINISHED]:
        return False
    for number in range(HALVES):
        if s[at.Q_FINISHES + number]:
            return False
    if control.has_command(s, at.POST_QUEUE) and not s[at.P_BUSY]:
        return False
    shape = equal_items(dims.bus_width, dims.parameter_width)
    return _unpacker_rests(s, at.P_UNPACKER, shape, False,
                           bus.beat_offered(s, PARAMETER_CHANNEL))


@compiled
def _units_rest(s: Registers, t: Commands, dims: Dimensions) -> bool:
    """No LOAD, STORE or VECTOR is at work or may begin, and nothing can be dispatched."""
    if s[at.V_STATE] or s[at.D_RUNNING] or s[at.T_RUNNING]:
        return False
    if (control.may_begin(s, t, at.VECTOR_QUEUE) or control.may_begin(s, t, at.LOAD_QUEUE)
            or control.may_begin(s, t, at.STORE_QUEUE)):
        return False
    if s[at.C_STATE] == control.DISPATCH:
        return not control.accepts(s, t, dims.queue_depth)
    return not bus.beat_offered(s, COMMAND_CHANNEL)


@compiled
def steady_cycles(s: Registers, t: Commands, dims: Dimensions) -> int:
    """Cycles for which the array alone works from now on; 0 where that is not sure."""
    nest = at.Q_NEST
    if not s[nest + at.N_ACTIVE] or (s[nest + at.N_COUNT] == 0 and s[nest + at.N_COUNT + 1] == 0):
        return 0
    command = control.head_of(s, at.ARRAY_QUEUE)
    row, rows = t[command + columns.LEVEL], t[command + columns.LEVEL + columns.LOOP]
    words = (rows - 1 - s[nest + at.N_COUNT + 1]) * row + row - 1 - s[nest + at.N_COUNT]
    if words < SHORTEST or not (_bus_rests(s, dims) and _post_rests(s, dims)
                                and _weights_rest(s, t, dims) and _units_rest(s, t, dims)):
        return 0
    return words


@compiled
def pass_steady(s: Registers, t: Commands, cycles: int) -> tuple[int, int, int]:
    """Let so many steady cycles pass.

    Returns
    -------
    tuple
        Words read from the activation buffer, updates of the accumulators, and those of them that
        add to a sum.
    """
    nest, command = at.Q_NEST, control.head_of(s, at.ARRAY_QUEUE)
    adds = 0 if compute.firsts(s, nest, compute.SUM, compute.TILES) else 1
    mask, place = compute.UPDATES_MASK, compute.UPDATE - 1
    updates, sums = s[at.Q_UPDATES], s[at.Q_SUMS]
    read, updated, added = 0, 0, 0
    for _ in range(cycles):
        read += 1 if inside(s, nest, t, command) else 0
        updated += (updates >> place) & 1
        added += (sums >> place) & 1
        updates = (updates << 1 | 1) & mask
        sums = (sums << 1 | adds) & mask
        step_nest(s, nest, t, command)
    s[at.Q_UPDATES], s[at.Q_SUMS] = updates, sums
    s[at.R_NOW] += cycles
    return read, updated, added
