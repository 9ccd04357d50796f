"""Dispatch, cycle by cycle: who may begin which command when.

Mirrors :mod:`vqrom_hw.control.command_processor`, its queues in
:mod:`vqrom_hw.control.command_queue`, and what waits for other units' finished commands.
"""

from __future__ import annotations

import numpy as np

from vqrom_hw.isa import QUEUES, TARGETS, Opcode, Unit, wait_layout

from . import places as at
from .bus import Request, channel_place, has_room, push_request
from .channels import FETCH_CHANNELS
from .columns import BEATS, CHANNEL, LAYER, OFFSET, OPCODE, ROW, STREAM, WAIT
from .jit import Commands, Registers, compiled

END_OF_PROGRAM, FETCH, CODEBOOK = (int(op) for op in (Opcode.END, Opcode.FETCH, Opcode.CODEBOOK))
UNITS = len(Unit)

ASSEMBLE, DISPATCH, DRAIN = range(3)
"""States of the command processor: it gathers a command's beats, hands the command on, or waits
for the last bursts after the program's end."""

_QUEUES = len(QUEUES)
_TARGETS = np.array([[queue in TARGETS.get(Opcode(opcode), ()) for queue in QUEUES]
                     for opcode in range(max(Opcode) + 1)])
"""Whether a command goes to a queue, by opcode and by the queue's number."""
_FETCH_CHANNELS = np.array(FETCH_CHANNELS)
_BEHIND = 1 << (wait_layout.size // UNITS - 1)
"""Numbers of finished commands are compared modulo 2**16, as the queues do: the difference's
highest bit says which one is ahead."""


@compiled
def head_of(s: Registers, queue: int) -> int:
    """The command at the head of the queue at a place; any, if the queue is empty."""
    return s[queue + at.K_RING + s[queue + at.K_HEAD]]


@compiled
def has_command(s: Registers, queue: int) -> bool:
    """Whether the queue at a place has a head."""
    return s[queue + at.K_LEVEL] > 0


@compiled
def may_begin(s: Registers, t: Commands, queue: int) -> bool:
    """Whether there is a head, and every unit has finished as many commands as it waits for."""
    if s[queue + at.K_LEVEL] == 0:
        return False
    command = head_of(s, queue)
    for unit in range(UNITS):
        if (s[at.C_COMPLETED + unit] - t[command + WAIT + unit]) & _BEHIND:
            return False
    return True


@compiled
def push(s: Registers, queue: int, command: int, depth: int) -> None:
    """Put a command into a queue of so many places; the caller has seen room."""
    place = s[queue + at.K_HEAD] + s[queue + at.K_LEVEL]
    s[queue + at.K_RING + (place - depth if place >= depth else place)] = command
    s[queue + at.K_LEVEL] += 1


@compiled
def pop(s: Registers, queue: int, depth: int) -> None:
    """Take the head out of a queue of so many places."""
    s[queue + at.K_HEAD] = 0 if s[queue + at.K_HEAD] == depth - 1 else s[queue + at.K_HEAD] + 1
    s[queue + at.K_LEVEL] -= 1


@compiled
def fetch_channel(t: Commands, command: int) -> int:
    """Where the read channel that a FETCH fills begins."""
    return channel_place(_FETCH_CHANNELS[t[command + CHANNEL]])


@compiled
def takes_beat(s: Registers) -> bool:
    """Whether the processor takes a beat of the program if it is offered one."""
    return s[at.C_STATE] == ASSEMBLE and s[at.C_LEFT] != 0


@compiled
def accepts(s: Registers, t: Commands, depth: int) -> bool:
    """Whether the command in hand can be dispatched, before a queue changes in this cycle."""
    command = s[at.C_COMMAND]
    opcode = t[command + OPCODE]
    if opcode == FETCH:
        return has_room(s, fetch_channel(t, command))
    for number in range(_QUEUES):
        level = s[at.FIRST_QUEUE + number * at.QUEUE_SIZE + at.K_LEVEL]
        if opcode == END_OF_PROGRAM:
            if level != 0:
                return False
        elif _TARGETS[opcode, number] and level == depth:
            return False
    return True


@compiled
def _enqueue(s: Registers, t: Commands, command: int, depth: int) -> None:
    """Hand a command to its queues."""
    for number in range(_QUEUES):
        if _TARGETS[t[command + OPCODE], number]:
            push(s, at.FIRST_QUEUE + number * at.QUEUE_SIZE, command, depth)


@compiled
def step_processor(s: Registers, t: Commands, beat_offered: bool, command_beats: int,
                   depth: int) -> bool:
    """One cycle of the command processor.

    Parameters
    ----------
    beat_offered:
        Whether a beat of the program is on offer.
    command_beats:
        Beats of a command.
    depth:
        Places of a command queue.

    Returns
    -------
    bool
        Whether it takes the beat.
    """
    if s[at.C_STATE] == ASSEMBLE:
        if not (takes_beat(s) and beat_offered):
            return False
        s[at.C_LEFT] -= 1
        s[at.C_BEAT] += 1
        if s[at.C_BEAT] == command_beats:
            s[at.C_BEAT] = 0
            s[at.C_STATE] = DISPATCH
        return True
    if s[at.C_STATE] == DISPATCH and accepts(s, t, depth):
        command = s[at.C_COMMAND]
        opcode = t[command + OPCODE]
        if opcode == FETCH:
            push_request(s, fetch_channel(t, command), Request(
                t[command + OFFSET], t[command + BEATS], t[command + STREAM]))
        _enqueue(s, t, command, depth)
        s[at.C_LAYER] = t[command + LAYER]
        s[at.C_COMMAND] += ROW
        s[at.C_STATE] = DRAIN if opcode == END_OF_PROGRAM else ASSEMBLE
    return False
