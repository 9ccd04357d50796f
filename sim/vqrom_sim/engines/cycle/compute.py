"""Array and post-processing, cycle by cycle.

Mirrors the control of :mod:`vqrom_hw.compute.sequencer`, :mod:`vqrom_hw.compute.accumulators` and
:mod:`vqrom_hw.compute.post`. What is on its way through a pipeline is a bit mask that is shifted by
one place in every cycle; a bit's place says how long ago it went in.
"""

from __future__ import annotations

from typing import NamedTuple

from vqrom_hw.compute import (
    HALVES,
    PIXEL_LEVELS,
    REDUCTION_LEVELS,
    PostProcessor,
    ProcessingArray,
)
from vqrom_hw.isa import LEVELS

from . import places as at
from .columns import PASSES, PIXELS, SECTION, TARGET
from .jit import Commands, Registers, compiled
from .nest import firsts, inside, lasts, start_nest, start_walk, step_nest, step_walk
from .state import Dimensions
from .weights import weights_full

UPDATE = 1 + ProcessingArray.LATENCY
"""Cycles from a word's issue to its accumulator update: one in the activation buffer, then the
array's."""
WRITE = PostProcessor.LATENCY
"""Cycles from a pixel's issue to its write."""
UPDATES_MASK = (2 << UPDATE) - 1
PIXEL, SUM, TILES = PIXEL_LEVELS.start, REDUCTION_LEVELS.start, REDUCTION_LEVELS.stop
"""First loop of a tile's pixels, first loop of the reduction, and the first loop beyond it."""


class ArrayState(NamedTuple):
    """What the array does in a cycle.

    Members
    -------
    issues:
        It takes a word.
    waits_weights, waits_sums:
        It would, and lacks the next tile's weights, or a free half of the accumulators.
    reads:
        The word is one of the activation buffer, not padding.
    """

    issues: bool
    waits_weights: bool
    waits_sums: bool
    reads: bool


class PostInputs(NamedTuple):
    """What post-processing sees of others in a cycle.

    Members
    -------
    valid:
        A command is on offer.
    offered:
        Parameters are.
    finishes:
        Bit mask of the halves whose sums this cycle's update finishes.
    """

    valid: bool
    offered: bool
    finishes: int


@compiled
def array_state(s: Registers, t: Commands, command: int) -> ArrayState:
    """What the array does in this cycle."""
    nest = at.Q_NEST
    if not s[nest + at.N_ACTIVE]:
        return ArrayState(False, False, False, False)
    if firsts(s, nest, PIXEL, SUM):
        claimed = (s[at.Q_CLAIMED] >> s[at.Q_HALF]) & 1
        if claimed and firsts(s, nest, SUM, TILES):
            return ArrayState(False, False, True, False)
        if not weights_full(s):
            return ArrayState(False, True, False, False)
    return ArrayState(True, False, False, inside(s, nest, t, command))


@compiled
def takes_tile(s: Registers, issues: bool) -> bool:
    """Whether the array takes over the tile in the shadow registers."""
    return issues and firsts(s, at.Q_NEST, PIXEL, SUM)


@compiled
def array_address(s: Registers) -> int:
    """Word that the array reads."""
    return s[at.Q_NEST + at.N_ADDRESS]


@compiled
def updates_now(s: Registers, events: int) -> bool:
    """Whether one of the events in a register of updates on their way is due in this cycle."""
    return (s[events] >> (UPDATE - 1)) & 1 != 0


@compiled
def _shift(s: Registers, events: int, event: bool) -> None:
    """Let a cycle pass for updates on their way, and send one off if there is one."""
    s[events] = (s[events] << 1 | (1 if event else 0)) & UPDATES_MASK


@compiled
def step_sequencer(s: Registers, t: Commands, command: int, valid: bool, issues: bool,
                   release: int) -> bool:
    """One cycle of the sequencer.

    Parameters
    ----------
    valid:
        Whether the command is on offer.
    issues:
        Whether the array takes a word.
    release:
        Bit mask of the halves that post-processing has read.

    Returns
    -------
    bool
        Whether the command's last word is issued.
    """
    nest = at.Q_NEST
    half, claim, done = s[at.Q_HALF], 0, False
    adds, finish = False, False
    if issues:
        sum_first = firsts(s, nest, SUM, TILES)
        adds = not sum_first
        if sum_first and firsts(s, nest, PIXEL, SUM):
            claim = 1 << half
        if lasts(s, nest, t, command, PIXEL, TILES):
            finish = True
            s[at.Q_HALF] = (half + 1) & at.HALF_MASK
            done = lasts(s, nest, t, command, TILES, LEVELS)
        step_nest(s, nest, t, command)
    elif valid and not s[nest + at.N_ACTIVE]:
        start_nest(s, nest, t, command)
    s[at.Q_CLAIMED] = (s[at.Q_CLAIMED] | claim) & ~release
    _shift(s, at.Q_UPDATES, issues)
    _shift(s, at.Q_SUMS, adds)
    for number in range(HALVES):
        _shift(s, at.Q_FINISHES + number, finish and number == half)
    return done


@compiled
def finishing_halves(s: Registers) -> int:
    """Bit mask of the halves whose sums this cycle's update finishes."""
    halves = 0
    for number in range(HALVES):
        if updates_now(s, at.Q_FINISHES + number):
            halves |= 1 << number
    return halves


@compiled
def post_wants_parameters(s: Registers) -> bool:
    """Whether post-processing takes an item of parameters if it is offered one."""
    return (s[at.P_RUNNING] != 0 and s[at.P_PIXEL] == 0
            and (s[at.P_FULL] >> s[at.P_HALF]) & 1 != 0)


@compiled
def post_works(s: Registers) -> bool:
    """Whether sums are finished and not yet written."""
    return s[at.P_FULL] != 0 or s[at.P_ISSUED] != 0


@compiled
def post_writes(s: Registers) -> bool:
    """Whether a pixel is written in this cycle."""
    return (s[at.P_ISSUED] >> (WRITE - 1)) & 1 != 0


@compiled
def post_address(s: Registers) -> int:
    """Word that it is written to."""
    return s[at.P_ADDRESSES + s[at.P_NOW]]


@compiled
def _next_tile(s: Registers, t: Commands, command: int, sections: int) -> bool:
    """Go on to the next column tile; whether the one until now was the command's last."""
    last = s[at.P_PASS] == t[command + PASSES] - 1
    s[at.P_HALF] = (s[at.P_HALF] + 1) & at.HALF_MASK
    s[at.P_PASS] += 1
    s[at.P_SECTION] += 1
    if s[at.P_SECTION] == sections:
        s[at.P_SECTION] = 0
        s[at.P_BASE] += 1
    if last:
        s[at.P_RUNNING] = 0
    return last


@compiled
def step_post(s: Registers, t: Commands, command: int, dims: Dimensions,
              inputs: PostInputs) -> tuple[bool, int, bool]:
    """One cycle of post-processing.

    Returns
    -------
    tuple
        Whether a pixel is issued, the bit mask of the halves that are free from now on, and
        whether the command is finished.
    """
    issue = s[at.P_RUNNING] != 0 and (
        s[at.P_PIXEL] != 0 or (post_wants_parameters(s) and inputs.offered))
    done = (s[at.P_FINISHED] >> (WRITE - 1)) & 1 != 0
    release, last = 0, False
    address = s[at.P_WALK + at.A_ADDRESS]
    if inputs.valid and not s[at.P_BUSY]:
        s[at.P_BUSY], s[at.P_RUNNING] = 1, 1
        s[at.P_PASS], s[at.P_PIXEL], s[at.P_GROUP] = 0, 0, 0
        s[at.P_SECTION], s[at.P_BASE] = t[command + SECTION], t[command + TARGET]
        start_walk(s, at.P_WALK, t[command + TARGET])
    elif issue:
        if s[at.P_PIXEL] != t[command + PIXELS] - 1:
            s[at.P_PIXEL] += 1
            step_walk(s, at.P_WALK, t, command)
        else:
            s[at.P_PIXEL] = 0
            if s[at.P_GROUP] != dims.post_steps - 1:
                s[at.P_GROUP] += 1
            else:
                s[at.P_GROUP] = 0
                release = 1 << s[at.P_HALF]
                last = _next_tile(s, t, command, dims.sections)
            start_walk(s, at.P_WALK, s[at.P_BASE])
    s[at.P_FULL] = (s[at.P_FULL] | inputs.finishes) & ~release
    mask = (1 << WRITE) - 1
    s[at.P_ADDRESSES + s[at.P_NOW]] = address
    s[at.P_NOW] = 0 if s[at.P_NOW] == WRITE - 1 else s[at.P_NOW] + 1
    s[at.P_ISSUED] = (s[at.P_ISSUED] << 1 | (1 if issue else 0)) & mask
    s[at.P_FINISHED] = (s[at.P_FINISHED] << 1 | (1 if last else 0)) & mask
    if done:
        s[at.P_BUSY] = 0
    return issue, release, done
