"""Dispatch: :mod:`vqrom_hw.control.command_processor`, :mod:`vqrom_hw.control.command_queue` and
:mod:`vqrom_hw.memory.transfer_request`."""

from vqrom_hw.bus import REQUEST_QUEUE
from vqrom_hw.isa import Channel, Opcode, Unit

from .bus import S_QUEUED, STREAM, STREAM_SIZE
from .columns import CHANNEL, OPCODE, WAIT
from .compute import END as _FIRST
from .jit import compiled

DEEPEST = 16
"""Longest command queue of a configuration."""

# A queue: commands in it, place of the first, then a ring of where their rows begin.
K_LEVEL, K_HEAD, K_RING = range(3)
_QUEUE_SIZE = K_RING + DEEPEST
_QUEUES_END = _FIRST + 6 * _QUEUE_SIZE
WEIGHTS, ARRAY, POST, LOAD, STORE, VECTOR = range(_FIRST, _QUEUES_END, _QUEUE_SIZE)

END_OF_PROGRAM, FETCH, CODEBOOK, COMPUTE = (int(op) for op in (
    Opcode.END, Opcode.FETCH, Opcode.CODEBOOK, Opcode.COMPUTE))
LOADING, STORING, VECTORING = (int(op) for op in (Opcode.LOAD, Opcode.STORE, Opcode.VECTOR))
UNITS = len(Unit)
COMMAND_STREAM, PARAMETER_STREAM, VECTOR_STREAM, WEIGHT_STREAM, ACTIVATION_STREAM = range(5)
_VECTOR_CHANNEL, _PARAMETER_CHANNEL = int(Channel.VECTOR), int(Channel.PARAMETER)

ASSEMBLE, DISPATCH, DRAIN = range(3)

# The processor: state, beats of the command in hand, beats of the program to come, the command,
# the layer of the one before; then how many commands each unit has finished.
C_STATE, C_BEAT, C_LEFT, C_COMMAND, C_LAYER, COMPLETED = range(_QUEUES_END, _QUEUES_END + 6)
END = COMPLETED + UNITS


@compiled
def head_of(s, queue):
    """The command at the head; any, if the queue is empty."""
    return s[queue + K_RING + s[queue + K_HEAD]]


@compiled
def may_begin(s, t, queue):
    """There is a head, and every unit has finished as many commands as it waits for (mod 2**16)."""
    if s[queue + K_LEVEL] == 0:
        return False
    command = head_of(s, queue)
    for unit in range(UNITS):
        if (s[COMPLETED + unit] - t[command + WAIT + unit]) & 0x8000:
            return False
    return True


@compiled
def push(s, queue, command, depth):
    """Put a command in; the caller has seen room."""
    place = s[queue + K_HEAD] + s[queue + K_LEVEL]
    s[queue + K_RING + (place - depth if place >= depth else place)] = command
    s[queue + K_LEVEL] += 1


@compiled
def pop(s, queue, depth):
    """Take the head out."""
    s[queue + K_HEAD] = 0 if s[queue + K_HEAD] == depth - 1 else s[queue + K_HEAD] + 1
    s[queue + K_LEVEL] -= 1


@compiled
def stream_of(t, command):
    """Where the read stream that a FETCH goes to lies."""
    channel = t[command + CHANNEL]
    if channel == _VECTOR_CHANNEL:
        return STREAM + VECTOR_STREAM * STREAM_SIZE
    if channel == _PARAMETER_CHANNEL:
        return STREAM + PARAMETER_STREAM * STREAM_SIZE
    return STREAM + WEIGHT_STREAM * STREAM_SIZE


@compiled
def takes_beat(s):
    """The processor takes a beat of the program if it is offered one."""
    return s[C_STATE] == ASSEMBLE and s[C_LEFT] != 0


@compiled
def _has_room(s, queue, depth):
    return s[queue + K_LEVEL] < depth


@compiled
def accepts(s, t, depth):
    """The command in hand can be dispatched, before anything is put in or taken out."""
    command = s[C_COMMAND]
    opcode = t[command + OPCODE]
    if opcode == COMPUTE:
        return (_has_room(s, WEIGHTS, depth) and _has_room(s, ARRAY, depth)
                and _has_room(s, POST, depth))
    if opcode == FETCH:
        return s[stream_of(t, command) + S_QUEUED] < REQUEST_QUEUE
    if opcode == CODEBOOK:
        return _has_room(s, WEIGHTS, depth)
    if opcode == LOADING:
        return _has_room(s, LOAD, depth)
    if opcode == STORING:
        return _has_room(s, STORE, depth)
    if opcode == VECTORING:
        return _has_room(s, VECTOR, depth)
    if opcode == END_OF_PROGRAM:
        return (s[WEIGHTS + K_LEVEL] + s[ARRAY + K_LEVEL] + s[POST + K_LEVEL] + s[LOAD + K_LEVEL]
                + s[STORE + K_LEVEL] + s[VECTOR + K_LEVEL]) == 0
    return True


@compiled
def enqueue(s, t, command, depth):
    """Hand a command to its queues."""
    opcode = t[command + OPCODE]
    if opcode == COMPUTE:
        push(s, WEIGHTS, command, depth)
        push(s, ARRAY, command, depth)
        push(s, POST, command, depth)
    elif opcode == CODEBOOK:
        push(s, WEIGHTS, command, depth)
    elif opcode == LOADING:
        push(s, LOAD, command, depth)
    elif opcode == STORING:
        push(s, STORE, command, depth)
    elif opcode == VECTORING:
        push(s, VECTOR, command, depth)
