"""The vector unit: :mod:`vqrom_hw.vector.unit`, :mod:`vqrom_hw.vector.reduce`."""

from vqrom_hw.isa import VectorOp
from vqrom_hw.lib import parameter_layout

from .columns import COLUMN_STRIDE, KERNEL_COLUMNS, OPERATION, TAPS, TARGET
from .control import END as _FIRST
from .jit import compiled
from .nest import (
    A_ADDRESS,
    N_ACTIVE,
    N_ADDRESS,
    NEST_SIZE,
    WALK_SIZE,
    inside,
    lasts,
    start_nest,
    start_walk,
    step_nest,
    step_walk,
)
from .unpacker import U_REMAINING, UNPACKER_SIZE, item_offered, step_unpacker

MAX, DEPTHWISE, SLIDING = (int(op) for op in (
    VectorOp.MAX, VectorOp.DEPTHWISE, VectorOp.SLIDING))
PARAMETER_WORDS = parameter_layout.size // 8
IDLE, LOADING, RUNNING = range(3)
STORE_IDLE, STORE_PARAMETERS, STORE_LENGTH, STORE_WEIGHTS = range(4)

# State machine, depthwise store, gap, columns to skip, a result waits, windows under way, place of
# the youngest in the ring of the last advances; unpacker of the store, nest, walk, ring.
V_STATE, V_STORE, V_GAP, V_SKIP, V_WAITING, V_ALIVE, V_NOW, V_UNPACKER = range(
    _FIRST, _FIRST + 8)
V_NEST = V_UNPACKER + UNPACKER_SIZE
V_WALK = V_NEST + NEST_SIZE
V_RING = V_WALK + WALK_SIZE


@compiled
def vector_writes(s):
    """The unit asks for the buffer's write port."""
    return s[V_WAITING] != 0


@compiled
def vector_target(s):
    """Word that it writes."""
    return s[V_WALK + A_ADDRESS]


@compiled
def vector_address(s):
    """Word that it reads."""
    return s[V_NEST + N_ADDRESS]


@compiled
def complete(s, t, command, latencies, depth):
    """A result leaves the lanes."""
    latency = latencies[t[command + OPERATION]]
    return s[V_RING + (s[V_NOW] - (latency - 1)) % depth] != 0


@compiled
def _completes(s, t, command):
    """The word in turn is the last one that a result needs."""
    if t[command + OPERATION] == SLIDING:
        return s[V_SKIP] == 0 and lasts(s, V_NEST, t, command, 0, 1)
    return lasts(s, V_NEST, t, command, 0, 2)


@compiled
def vector_state(s, t, command, written, latencies, depth):
    """``(advances, may issue a word, asks for the read port)``; ``written``: its write is granted.
    """
    nest = V_NEST
    go = True
    if s[V_ALIVE]:
        go = not (s[V_WAITING] and not written and complete(s, t, command, latencies, depth))
    if not s[nest + N_ACTIVE] or not go:
        return go, False, False
    if s[V_GAP] and _completes(s, t, command):
        return go, False, False
    return go, True, inside(s, nest, t, command)


@compiled
def _step_store(s, t, command, start, beat_offered, bus_width, word):
    """Depthwise weights and parameters: ``(beat taken, all are there)``."""
    unpacker, state = V_UNPACKER, s[V_STORE]
    offered = item_offered(s, unpacker, word, word, 1)
    last = offered and s[unpacker + U_REMAINING] == 1
    length_offered = start or state == STORE_LENGTH
    length = t[command + TAPS] if state == STORE_LENGTH else PARAMETER_WORDS
    taken = step_unpacker(s, unpacker, length_offered, length, beat_offered, offered, bus_width,
                          word, word, 1)
    done = state == STORE_WEIGHTS and last
    if state == STORE_IDLE:
        s[V_STORE] = STORE_PARAMETERS if start else STORE_IDLE
    elif state == STORE_PARAMETERS:
        s[V_STORE] = STORE_LENGTH if last else STORE_PARAMETERS
    elif state == STORE_LENGTH:
        s[V_STORE] = STORE_WEIGHTS
    elif done:
        s[V_STORE] = STORE_IDLE
    return taken, done


@compiled
def step_vector(s, t, command, valid, go, step, written, beat_offered, latencies, depth, steps,
                bus_width, word):
    """One cycle; returns ``(beat taken, command finished)``.

    ``step``: a word is issued; ``written``: the write is granted; ``steps``: advances that a
    result takes in the lanes; ``depth``: places of the ring.
    """
    nest, walk, state = V_NEST, V_WALK, s[V_STATE]
    operation = t[command + OPERATION]
    weighted = operation in (DEPTHWISE, SLIDING)
    loads = state == IDLE and valid and weighted
    taken, stored = _step_store(s, t, command, loads, beat_offered, bus_width, word)
    start = (state == IDLE and valid and not weighted) or (state == LOADING and stored)
    done = (state == RUNNING and not s[nest + N_ACTIVE] and not s[V_ALIVE]
            and not s[V_WAITING])
    ends = step and _completes(s, t, command)
    if start or (step and lasts(s, nest, t, command, 0, 2)):
        s[V_SKIP] = t[command + KERNEL_COLUMNS] - 1
    elif step and lasts(s, nest, t, command, 0, 1):
        s[V_SKIP] = s[V_SKIP] - 1 if s[V_SKIP] else t[command + COLUMN_STRIDE] - 1
    emerges = s[V_ALIVE] != 0 and go and complete(s, t, command, latencies, depth)
    if emerges:
        s[V_RING + (s[V_NOW] - (latencies[operation] - 1)) % depth] = 0
        s[V_ALIVE] -= 1
    if go:
        s[V_NOW] = (s[V_NOW] + 1) % depth
        s[V_RING + s[V_NOW]] = 1 if ends else 0
        s[V_ALIVE] += 1 if ends else 0
        if ends and operation != MAX:
            s[V_GAP] = steps - 1
        elif s[V_GAP]:
            s[V_GAP] -= 1
    if start:
        start_walk(s, walk, t[command + TARGET])
    elif s[V_WAITING] and written:
        step_walk(s, walk, t, command)
    if emerges:
        s[V_WAITING] = 1
    elif written:
        s[V_WAITING] = 0
    if start:
        start_nest(s, nest, t, command)
    elif step:
        step_nest(s, nest, t, command)
    if state == IDLE and valid:
        s[V_STATE] = LOADING if loads else RUNNING
    elif start:
        s[V_STATE] = RUNNING
    elif done:
        s[V_STATE] = IDLE
    return taken, done
