"""Array and post-processing, cycle by cycle: the control of :mod:`vqrom_hw.compute.sequencer`,
:mod:`vqrom_hw.compute.accumulators` and :mod:`vqrom_hw.compute.post`.
"""

from vqrom_hw.compute import HALVES, PostProcessor, ProcessingArray
from vqrom_hw.isa import LEVELS

from .columns import PASSES, PIXELS, SECTION, TARGET
from .jit import compiled
from .memory import END as _FIRST
from .nest import (
    A_ADDRESS,
    N_ACTIVE,
    N_ADDRESS,
    NEST_SIZE,
    WALK_SIZE,
    firsts,
    inside,
    lasts,
    start_nest,
    start_walk,
    step_nest,
    step_walk,
)
from .unpacker import UNPACKER_SIZE

UPDATE = 1 + ProcessingArray.LATENCY
"""Cycles from a word's issue to its accumulator update."""
WRITE = PostProcessor.LATENCY
"""Cycles from a pixel's issue to its write."""
SUM, TILES = 2, 5
"""First level of the reduction, and the level beyond it."""

# The sequencer: half, halves claimed, then events under way (bit n: n cycles ago): updates,
# updates that add, half finished.
Q_HALF, Q_CLAIMED, Q_UPDATES, Q_SUMS, Q_FINISHES = range(_FIRST, _FIRST + 5)
Q_NEST = Q_FINISHES + HALVES


@compiled
def array_state(s, t, command, full):
    """``(issue, waits for weights, waits for accumulators, reads the buffer)``."""
    nest = Q_NEST
    if not s[nest + N_ACTIVE]:
        return False, False, False, False
    if firsts(s, nest, 0, SUM):
        claimed = (s[Q_CLAIMED] >> s[Q_HALF]) & 1
        if claimed and firsts(s, nest, SUM, TILES):
            return False, False, True, False
        if not full:
            return False, True, False, False
    return True, False, False, inside(s, nest, t, command)


@compiled
def takes_tile(s, issue):
    """The array takes over the tile in the shadow registers."""
    return issue and firsts(s, Q_NEST, 0, SUM)


@compiled
def array_address(s):
    """Word that the array reads."""
    return s[Q_NEST + N_ADDRESS]


@compiled
def step_sequencer(s, t, command, valid, issue, release):
    """One cycle; returns whether the command's last word is issued.

    ``release``: bit mask of halves that post-processing has read.
    """
    nest = Q_NEST
    half, claim, done = s[Q_HALF], 0, False
    adds, finish = False, False
    if issue:
        sum_first = firsts(s, nest, SUM, TILES)
        adds = not sum_first
        if sum_first and firsts(s, nest, 0, SUM):
            claim = 1 << half
        if lasts(s, nest, t, command, 0, TILES):
            finish = True
            s[Q_HALF] = 1 - half
            done = lasts(s, nest, t, command, TILES, LEVELS)
        step_nest(s, nest, t, command)
    elif valid and not s[nest + N_ACTIVE]:
        start_nest(s, nest, t, command)
    s[Q_CLAIMED] = (s[Q_CLAIMED] | claim) & ~release
    s[Q_UPDATES] = (s[Q_UPDATES] << 1 | (1 if issue else 0)) & ((2 << UPDATE) - 1)
    s[Q_SUMS] = (s[Q_SUMS] << 1 | (1 if adds else 0)) & ((2 << UPDATE) - 1)
    for number in range(HALVES):
        event = 1 if finish and number == half else 0
        s[Q_FINISHES + number] = (
            s[Q_FINISHES + number] << 1 | event) & ((2 << UPDATE) - 1)
    return done


# The post-processor: its registers, then pixels under way (bit n: issued n cycles ago), the last
# pixel under way, halves that are full, the walk, addresses of pixels under way; its unpacker.
P_BUSY, P_RUNNING, P_PASS, P_PIXEL, P_GROUP, P_SECTION, P_BASE, P_HALF, P_ISSUED, P_FINISHED, \
    P_FULL, P_NOW, P_WALK = range(Q_NEST + NEST_SIZE, Q_NEST + NEST_SIZE + 13)
P_ADDRESSES = P_WALK + WALK_SIZE
P_UNPACKER = P_ADDRESSES + WRITE
END = P_UNPACKER + UNPACKER_SIZE


@compiled
def post_wants_parameters(s):
    """Post-processing takes an item of parameters if it is offered one."""
    return (s[P_RUNNING] and s[P_PIXEL] == 0
            and (s[P_FULL] >> s[P_HALF]) & 1)


@compiled
def post_writes(s):
    """A pixel is written in this cycle."""
    return (s[P_ISSUED] >> (WRITE - 1)) & 1


@compiled
def post_address(s):
    """Word that it is written to."""
    return s[P_ADDRESSES + s[P_NOW]]


@compiled
def step_post(s, t, command, valid, offered, finishes, groups, sections):
    """One cycle; returns ``(pixel issued, mask of released halves, command finished)``.

    ``offered``: parameters are; ``finishes``: mask of halves that this cycle's update finishes.
    """
    issue = s[P_RUNNING] and (s[P_PIXEL] != 0 or (post_wants_parameters(s) and offered))
    done = (s[P_FINISHED] >> (WRITE - 1)) & 1
    begin = valid and not s[P_BUSY]
    walk, release, last = P_WALK, 0, False
    address = s[walk + A_ADDRESS]
    if begin:
        s[P_BUSY], s[P_RUNNING] = 1, 1
        s[P_PASS], s[P_PIXEL], s[P_GROUP] = 0, 0, 0
        s[P_SECTION], s[P_BASE] = t[command + SECTION], t[command + TARGET]
        start_walk(s, walk, t[command + TARGET])
    elif issue:
        if s[P_PIXEL] != t[command + PIXELS] - 1:
            s[P_PIXEL] += 1
            step_walk(s, walk, t, command)
        else:
            s[P_PIXEL] = 0
            if s[P_GROUP] != groups - 1:
                s[P_GROUP] += 1
            else:
                s[P_GROUP] = 0
                release = 1 << s[P_HALF]
                last = s[P_PASS] == t[command + PASSES] - 1
                s[P_HALF] = 1 - s[P_HALF]
                s[P_PASS] += 1
                s[P_SECTION] += 1
                if s[P_SECTION] == sections:
                    s[P_SECTION] = 0
                    s[P_BASE] += 1
                if last:
                    s[P_RUNNING] = 0
            start_walk(s, walk, s[P_BASE])
    s[P_FULL] = (s[P_FULL] | finishes) & ~release
    mask = (1 << WRITE) - 1
    s[P_ADDRESSES + s[P_NOW]] = address
    s[P_NOW] = 0 if s[P_NOW] == WRITE - 1 else s[P_NOW] + 1
    s[P_ISSUED] = (s[P_ISSUED] << 1 | (1 if issue else 0)) & mask
    s[P_FINISHED] = (s[P_FINISHED] << 1 | (1 if last else 0)) & mask
    if done:
        s[P_BUSY] = 0
    return issue, release, done
