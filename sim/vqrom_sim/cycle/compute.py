"""Array and post-processing: :mod:`vqrom_hw.sequencer`, :mod:`vqrom_hw.accumulators` and
:mod:`vqrom_hw.post`."""

from numba import njit

from vqrom_hw.accumulators import HALVES
from vqrom_hw.array import ProcessingArray
from vqrom_hw.commands import LEVELS
from vqrom_hw.post import PostProcessor

from .columns import PASSES, PIXELS, SECTION, TARGET
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

UPDATE = 1 + ProcessingArray.LATENCY
"""Cycles from a word's issue to its accumulator update."""
WRITE = PostProcessor.LATENCY
"""Cycles from a pixel's issue to its write."""
SUM, TILES = 2, 5
"""First level of the reduction, and the level beyond it."""

# The sequencer: half, halves claimed, then events under way (bit n: n cycles ago): updates,
# updates that add, half finished.
Q_HALF, Q_CLAIMED, Q_UPDATES, Q_SUMS, Q_FINISHES, Q_NEST = 0, 1, 2, 3, 4, 4 + HALVES
SEQUENCER_SIZE = Q_NEST + NEST_SIZE


@njit(cache=True)
def array_state(sequencer, command, full):
    """``(issue, waits for weights, waits for accumulators, reads the buffer)``."""
    nest = sequencer[Q_NEST:]
    if not nest[N_ACTIVE]:
        return False, False, False, False
    if firsts(nest, 0, SUM):
        claimed = (sequencer[Q_CLAIMED] >> sequencer[Q_HALF]) & 1
        if claimed and firsts(nest, SUM, TILES):
            return False, False, True, False
        if not full:
            return False, True, False, False
    return True, False, False, inside(nest, command)


@njit(cache=True)
def takes_tile(sequencer, issue):
    """The array takes over the tile in the shadow registers."""
    return issue and firsts(sequencer[Q_NEST:], 0, SUM)


@njit(cache=True)
def array_address(sequencer):
    """Word that the array reads."""
    return sequencer[Q_NEST + N_ADDRESS]


@njit(cache=True)
def step_sequencer(sequencer, command, valid, issue, release):
    """One cycle; returns whether the command's last word is issued.

    ``release``: bit mask of halves that post-processing has read.
    """
    nest = sequencer[Q_NEST:]
    half, claim, done = sequencer[Q_HALF], 0, False
    adds, finish = False, False
    if issue:
        sum_first = firsts(nest, SUM, TILES)
        adds = not sum_first
        if sum_first and firsts(nest, 0, SUM):
            claim = 1 << half
        if lasts(nest, command, 0, TILES):
            finish = True
            sequencer[Q_HALF] = 1 - half
            done = lasts(nest, command, TILES, LEVELS)
        step_nest(nest, command)
    elif valid and not nest[N_ACTIVE]:
        start_nest(nest, command)
    sequencer[Q_CLAIMED] = (sequencer[Q_CLAIMED] | claim) & ~release
    sequencer[Q_UPDATES] = (sequencer[Q_UPDATES] << 1 | (1 if issue else 0)) & ((2 << UPDATE) - 1)
    sequencer[Q_SUMS] = (sequencer[Q_SUMS] << 1 | (1 if adds else 0)) & ((2 << UPDATE) - 1)
    for number in range(HALVES):
        event = 1 if finish and number == half else 0
        sequencer[Q_FINISHES + number] = (
            sequencer[Q_FINISHES + number] << 1 | event) & ((2 << UPDATE) - 1)
    return done


# The post-processor: its registers, then pixels under way (bit n: issued n cycles ago), the last
# pixel under way, halves that are full, the walk, and addresses of pixels under way.
P_BUSY, P_RUNNING, P_PASS, P_PIXEL, P_GROUP, P_SECTION, P_BASE, P_HALF, P_ISSUED, P_FINISHED, \
    P_FULL, P_NOW = range(12)
P_WALK = 12
P_ADDRESSES = P_WALK + WALK_SIZE
POST_SIZE = P_ADDRESSES + WRITE


@njit(cache=True)
def post_wants_parameters(post):
    """Post-processing takes an item of parameters if it is offered one."""
    return (post[P_RUNNING] and post[P_PIXEL] == 0
            and (post[P_FULL] >> post[P_HALF]) & 1)


@njit(cache=True)
def post_writes(post):
    """A pixel is written in this cycle."""
    return (post[P_ISSUED] >> (WRITE - 1)) & 1


@njit(cache=True)
def post_address(post):
    """Word that it is written to."""
    return post[P_ADDRESSES + post[P_NOW]]


@njit(cache=True)
def step_post(post, command, valid, offered, finishes, groups, sections):
    """One cycle; returns ``(pixel issued, mask of released halves, command finished)``.

    ``offered``: parameters are; ``finishes``: mask of halves that this cycle's update finishes.
    """
    issue = post[P_RUNNING] and (post[P_PIXEL] != 0 or (post_wants_parameters(post) and offered))
    done = (post[P_FINISHED] >> (WRITE - 1)) & 1
    begin = valid and not post[P_BUSY]
    walk, release, last = post[P_WALK:], 0, False
    address = walk[A_ADDRESS]
    if begin:
        post[P_BUSY], post[P_RUNNING] = 1, 1
        post[P_PASS], post[P_PIXEL], post[P_GROUP] = 0, 0, 0
        post[P_SECTION], post[P_BASE] = command[SECTION], command[TARGET]
        start_walk(walk, command[TARGET])
    elif issue:
        if post[P_PIXEL] != command[PIXELS] - 1:
            post[P_PIXEL] += 1
            step_walk(walk, command)
        else:
            post[P_PIXEL] = 0
            if post[P_GROUP] != groups - 1:
                post[P_GROUP] += 1
            else:
                post[P_GROUP] = 0
                release = 1 << post[P_HALF]
                last = post[P_PASS] == command[PASSES] - 1
                post[P_HALF] = 1 - post[P_HALF]
                post[P_PASS] += 1
                post[P_SECTION] += 1
                if post[P_SECTION] == sections:
                    post[P_SECTION] = 0
                    post[P_BASE] += 1
                if last:
                    post[P_RUNNING] = 0
            start_walk(walk, post[P_BASE])
    post[P_FULL] = (post[P_FULL] | finishes) & ~release
    mask = (1 << WRITE) - 1
    post[P_ADDRESSES + post[P_NOW]] = address
    post[P_NOW] = (post[P_NOW] + 1) % WRITE
    post[P_ISSUED] = (post[P_ISSUED] << 1 | (1 if issue else 0)) & mask
    post[P_FINISHED] = (post[P_FINISHED] << 1 | (1 if last else 0)) & mask
    if done:
        post[P_BUSY] = 0
    return issue, release, done
