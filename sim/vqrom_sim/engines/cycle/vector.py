"""The vector unit, cycle by cycle: mirrors the control of :mod:`vqrom_hw.vector.unit` and
:mod:`vqrom_hw.vector.reduce`.

Its lanes advance together, and stand still while a result waits for the write port. Windows that
have ended are kept by the advance in which they did: their results come out a fixed number of
advances later.
"""

from __future__ import annotations

from typing import NamedTuple

from vqrom_hw.isa import VectorOp

from .nest import inside, lasts, start_nest, start_walk, step_nest, step_walk
from .registers import places as at
from .registers.columns import (
    BROADCAST,
    COLUMN_STRIDE,
    KERNEL_COLUMNS,
    OPERAND_BASE,
    OPERATION,
    TARGET,
)
from .registers.jit import Commands, Registers, compiled
from .registers.state import Dimensions
from .vector_stores import step_stores

MAX, DEPTHWISE, SLIDING, TABLE = (int(op) for op in (
    VectorOp.MAX, VectorOp.DEPTHWISE, VectorOp.SLIDING, VectorOp.TABLE))

IDLE, LOADING, READING, RUNNING = range(4)
"""States of the unit: nothing to do, waits for packets, reads the operand of a broadcast, works."""

ROW, WINDOW = 1, 2
"""Loops of a window's row, and of a whole window."""


class VectorInputs(NamedTuple):
    """What decides how far the vector unit gets in a cycle.

    Members
    -------
    advances:
        The lanes move on.
    issues:
        A word goes into them.
    keeps:
        The operand of a broadcast is read.
    written:
        The result that waits is written.
    beat_offered:
        A beat of a packet is on offer.
    """

    advances: bool
    issues: bool
    keeps: bool
    written: bool
    beat_offered: bool


@compiled
def vector_writes(s: Registers) -> bool:
    """Whether the unit asks for the buffer's write port."""
    return s[at.V_WAITING] != 0


@compiled
def vector_target(s: Registers) -> int:
    """Word that it writes."""
    return s[at.V_WALK + at.A_ADDRESS]


@compiled
def reads_operand(s: Registers) -> bool:
    """Whether it reads the operand of a broadcast, no word of a window."""
    return s[at.V_STATE] == READING


@compiled
def vector_address(s: Registers, t: Commands, command: int) -> int:
    """Word that it reads."""
    if reads_operand(s):
        return t[command + OPERAND_BASE]
    return s[at.V_NEST + at.N_ADDRESS]


@compiled
def _emerging(s: Registers, t: Commands, command: int, dims: Dimensions) -> int:
    """Place in the ring of the window whose result leaves the lanes now, if one ended then."""
    latency = dims.latencies[t[command + OPERATION]]
    return at.V_RING + (s[at.V_NOW] - (latency - 1)) % dims.vector_depth


@compiled
def _completes(s: Registers, t: Commands, command: int) -> bool:
    """Whether the word in turn is the last one that a result needs."""
    if t[command + OPERATION] == SLIDING:
        return s[at.V_SKIP] == 0 and lasts(s, at.V_NEST, t, command, 0, ROW)
    return lasts(s, at.V_NEST, t, command, 0, WINDOW)


@compiled
def vector_state(s: Registers, t: Commands, command: int, dims: Dimensions,
                 written: bool) -> tuple[bool, bool, bool]:
    """What the unit would do in a cycle.

    Parameters
    ----------
    written:
        Whether its write is granted.

    Returns
    -------
    tuple
        Whether the lanes advance, whether they may take a word, and whether that one has to be
        read from the buffer.
    """
    advances = True
    if s[at.V_ALIVE]:
        advances = not (s[at.V_WAITING] and not written
                        and s[_emerging(s, t, command, dims)] != 0)
    if not s[at.V_NEST + at.N_ACTIVE] or not advances:
        return advances, False, False
    if s[at.V_GAP] and _completes(s, t, command):
        return advances, False, False
    return advances, True, inside(s, at.V_NEST, t, command)


@compiled
def _step_lanes(s: Registers, t: Commands, command: int, dims: Dimensions,
                inputs: VectorInputs) -> bool:
    """Windows on their way; whether a result leaves the lanes."""
    ends = inputs.issues and _completes(s, t, command)
    place = _emerging(s, t, command, dims)
    emerges = s[at.V_ALIVE] != 0 and inputs.advances and s[place] != 0
    if emerges:
        s[place] = 0
        s[at.V_ALIVE] -= 1
    if inputs.advances:
        s[at.V_NOW] = (s[at.V_NOW] + 1) % dims.vector_depth
        s[at.V_RING + s[at.V_NOW]] = 1 if ends else 0
        s[at.V_ALIVE] += 1 if ends else 0
        if ends and t[command + OPERATION] != MAX:
            s[at.V_GAP] = dims.vector_steps - 1
        elif s[at.V_GAP]:
            s[at.V_GAP] -= 1
    return emerges


@compiled
def _step_skip(s: Registers, t: Commands, command: int, start: bool, issues: bool) -> None:
    """Count the columns of a sliding window down to the one at which the next window ends."""
    if start or (issues and lasts(s, at.V_NEST, t, command, 0, WINDOW)):
        s[at.V_SKIP] = t[command + KERNEL_COLUMNS] - 1
    elif issues and lasts(s, at.V_NEST, t, command, 0, ROW):
        s[at.V_SKIP] = s[at.V_SKIP] - 1 if s[at.V_SKIP] else t[command + COLUMN_STRIDE] - 1


@compiled
def step_vector(s: Registers, t: Commands, command: int, dims: Dimensions,
                inputs: VectorInputs) -> tuple[bool, bool]:
    """One cycle of the unit, at a command that may begin or is at work.

    Returns
    -------
    tuple
        Whether a beat is taken, and whether the command is finished.
    """
    nest, walk, state = at.V_NEST, at.V_WALK, s[at.V_STATE]
    operation = t[command + OPERATION]
    idle, weighted = state == IDLE, operation in (DEPTHWISE, SLIDING)
    loads = weighted or operation == TABLE
    taken, stored = step_stores(s, t, command, dims, idle and weighted,
                                idle and operation == TABLE, inputs.beat_offered)
    start = (idle and not loads and not t[command + BROADCAST]) or (
        state == LOADING and stored) or inputs.keeps
    done = (state == RUNNING and not s[nest + at.N_ACTIVE] and not s[at.V_ALIVE]
            and not s[at.V_WAITING])
    waiting = s[at.V_WAITING] != 0
    emerges = _step_lanes(s, t, command, dims, inputs)
    _step_skip(s, t, command, start, inputs.issues)
    if start:
        start_walk(s, walk, t[command + TARGET])
    elif waiting and inputs.written:
        step_walk(s, walk, t, command)
    if emerges:
        s[at.V_WAITING] = 1
    elif inputs.written:
        s[at.V_WAITING] = 0
    if start:
        start_nest(s, nest, t, command)
    elif inputs.issues:
        step_nest(s, nest, t, command)
    if start:
        s[at.V_STATE] = RUNNING
    elif idle:
        s[at.V_STATE] = LOADING if loads else READING
    elif done:
        s[at.V_STATE] = IDLE
    return taken, done
