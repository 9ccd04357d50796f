"""Dispatch: :mod:`vqrom_hw.command_processor`, :mod:`vqrom_hw.command_queue` and
:mod:`vqrom_hw.transfer_request`."""

from numba import njit

from vqrom_hw.commands import Channel, Opcode, Unit

from .bus import REQUEST_QUEUE, S_QUEUED
from .columns import CHANNEL, OPCODE, WAIT

WEIGHTS, ARRAY, POST, LOAD, STORE, VECTOR = range(6)
"""Queues in the order of :data:`vqrom_hw.command_processor.QUEUES`."""
QUEUES = 6

END, FETCH, CODEBOOK, COMPUTE = (int(op) for op in (
    Opcode.END, Opcode.FETCH, Opcode.CODEBOOK, Opcode.COMPUTE))
LOADING, STORING, VECTORING = (int(op) for op in (Opcode.LOAD, Opcode.STORE, Opcode.VECTOR))
UNITS = len(Unit)
COMMAND_STREAM, PARAMETER_STREAM, VECTOR_STREAM, WEIGHT_STREAM, ACTIVATION_STREAM = range(5)
STREAMS = 5
_VECTOR_CHANNEL, _PARAMETER_CHANNEL = int(Channel.VECTOR), int(Channel.PARAMETER)

ASSEMBLE, DISPATCH, DRAIN = range(3)

# The processor: state, beats of the command in hand, beats of the program to come, position.
C_STATE, C_BEAT, C_LEFT, C_POSITION = range(4)
PROCESSOR_SIZE = 4

# A queue: commands in it, place of the first, then a ring of positions in the program.
K_LEVEL, K_HEAD, K_RING = range(3)


@njit(cache=True)
def head_of(queue):
    """Position of the command at the head; only while the queue is not empty."""
    return queue[K_RING + queue[K_HEAD]]


@njit(cache=True)
def may_begin(command, completed):
    """Every unit has finished as many commands as this one waits for (modulo 2**16)."""
    for unit in range(UNITS):
        distance = (completed[unit] - command[WAIT + unit]) & 0xFFFF
        if distance >= 0x8000:
            return False
    return True


@njit(cache=True)
def push(queue, position, depth):
    """Put a command in; the caller has seen room."""
    queue[K_RING + (queue[K_HEAD] + queue[K_LEVEL]) % depth] = position
    queue[K_LEVEL] += 1


@njit(cache=True)
def pop(queue, depth):
    """Take the head out."""
    queue[K_HEAD] = (queue[K_HEAD] + 1) % depth
    queue[K_LEVEL] -= 1


@njit(cache=True)
def stream_of(command):
    """Read stream that a FETCH goes to."""
    channel = command[CHANNEL]
    if channel == _VECTOR_CHANNEL:
        return VECTOR_STREAM
    return PARAMETER_STREAM if channel == _PARAMETER_CHANNEL else WEIGHT_STREAM


@njit(cache=True)
def takes_beat(processor):
    """The processor takes a beat of the program if it is offered one."""
    return processor[C_STATE] == ASSEMBLE and processor[C_LEFT] != 0


@njit(cache=True)
def accepts(command, queues, streams, depth):
    """A command can be dispatched, before anything is put in or taken out in this cycle."""
    opcode, levels = command[OPCODE], queues[:, K_LEVEL]
    if opcode == END:
        return not levels.any()
    if opcode == FETCH:
        return streams[stream_of(command), S_QUEUED] < REQUEST_QUEUE
    if opcode == COMPUTE:
        return levels[WEIGHTS] < depth and levels[ARRAY] < depth and levels[POST] < depth
    if opcode == CODEBOOK:
        return levels[WEIGHTS] < depth
    if opcode == LOADING:
        return levels[LOAD] < depth
    if opcode == STORING:
        return levels[STORE] < depth
    return opcode != VECTORING or levels[VECTOR] < depth


@njit(cache=True)
def enqueue(command, position, queues, depth):
    """Hand a command to its queues."""
    opcode = command[OPCODE]
    if opcode == COMPUTE:
        push(queues[WEIGHTS], position, depth)
        push(queues[ARRAY], position, depth)
        push(queues[POST], position, depth)
    elif opcode == CODEBOOK:
        push(queues[WEIGHTS], position, depth)
    elif opcode == LOADING:
        push(queues[LOAD], position, depth)
    elif opcode == STORING:
        push(queues[STORE], position, depth)
    elif opcode == VECTORING:
        push(queues[VECTOR], position, depth)
