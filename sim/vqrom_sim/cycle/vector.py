"""The vector unit: :mod:`vqrom_hw.vector`, :mod:`vqrom_hw.vector_reduce`."""

from numba import njit

from vqrom_hw.commands import VectorOp
from vqrom_hw.requantize import parameter_layout

from .columns import OPERATION, TAPS, TARGET
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
from .weights import UNPACKER_SIZE, U_REMAINING, item_offered, step_unpacker

MAX, DEPTHWISE = int(VectorOp.MAX), int(VectorOp.DEPTHWISE)
PARAMETER_WORDS = parameter_layout.size // 8
IDLE, LOADING, RUNNING = range(3)
STORE_IDLE, STORE_PARAMETERS, STORE_LENGTH, STORE_WEIGHTS = range(4)

# State machine, depthwise store and its unpacker, gap, a result waits, windows under way, place
# of the youngest in the ring of the last advances; nest, walk, ring.
V_STATE, V_STORE, V_GAP, V_WAITING, V_ALIVE, V_NOW = range(6)
V_UNPACKER = 6
V_NEST = V_UNPACKER + UNPACKER_SIZE
V_WALK = V_NEST + NEST_SIZE
V_RING = V_WALK + WALK_SIZE


@njit(cache=True)
def vector_writes(vector):
    """The unit asks for the buffer's write port."""
    return vector[V_WAITING] != 0


@njit(cache=True)
def vector_target(vector):
    """Word that it writes."""
    return vector[V_WALK + A_ADDRESS]


@njit(cache=True)
def vector_address(vector):
    """Word that it reads."""
    return vector[V_NEST + N_ADDRESS]


@njit(cache=True)
def complete(vector, command, latencies, depth):
    """A result leaves the lanes."""
    latency = latencies[command[OPERATION]]
    return vector[V_RING + (vector[V_NOW] - (latency - 1)) % depth] != 0


@njit(cache=True)
def vector_state(vector, command, written, latencies, depth):
    """``(advances, may issue a word, asks for the read port)``; ``written``: its write is granted.
    """
    nest = vector[V_NEST:]
    go = True
    if vector[V_ALIVE]:
        go = not (vector[V_WAITING] and not written and complete(vector, command, latencies, depth))
    if not nest[N_ACTIVE] or not go:
        return go, False, False
    if vector[V_GAP] and lasts(nest, command, 0, 2):
        return go, False, False
    return go, True, inside(nest, command)


@njit(cache=True)
def _step_store(vector, command, start, beat_offered, bus_width, word):
    """Depthwise weights and parameters: ``(beat taken, all are there)``."""
    unpacker, state = vector[V_UNPACKER:], vector[V_STORE]
    offered = item_offered(unpacker, word, word, 1)
    last = offered and unpacker[U_REMAINING] == 1
    length_offered = start or state == STORE_LENGTH
    length = command[TAPS] if state == STORE_LENGTH else PARAMETER_WORDS
    taken = step_unpacker(unpacker, length_offered, length, beat_offered, offered, bus_width, word,
                          word, 1)
    done = state == STORE_WEIGHTS and last
    if state == STORE_IDLE:
        vector[V_STORE] = STORE_PARAMETERS if start else STORE_IDLE
    elif state == STORE_PARAMETERS:
        vector[V_STORE] = STORE_LENGTH if last else STORE_PARAMETERS
    elif state == STORE_LENGTH:
        vector[V_STORE] = STORE_WEIGHTS
    elif done:
        vector[V_STORE] = STORE_IDLE
    return taken, done


@njit(cache=True)
def step_vector(vector, command, valid, go, step, written, beat_offered, latencies, depth, steps,
                bus_width, word):
    """One cycle; returns ``(beat taken, command finished)``.

    ``step``: a word is issued; ``written``: the write is granted; ``steps``: advances that a
    result takes in the lanes; ``depth``: places of the ring.
    """
    nest, walk, state = vector[V_NEST:], vector[V_WALK:], vector[V_STATE]
    operation = command[OPERATION]
    loads = state == IDLE and valid and operation == DEPTHWISE
    taken, stored = _step_store(vector, command, loads, beat_offered, bus_width, word)
    start = (state == IDLE and valid and operation != DEPTHWISE) or (state == LOADING and stored)
    done = (state == RUNNING and not nest[N_ACTIVE] and not vector[V_ALIVE]
            and not vector[V_WAITING])
    ends = step and lasts(nest, command, 0, 2)
    emerges = vector[V_ALIVE] != 0 and go and complete(vector, command, latencies, depth)
    if emerges:
        vector[V_RING + (vector[V_NOW] - (latencies[operation] - 1)) % depth] = 0
        vector[V_ALIVE] -= 1
    if go:
        vector[V_NOW] = (vector[V_NOW] + 1) % depth
        vector[V_RING + vector[V_NOW]] = 1 if ends else 0
        vector[V_ALIVE] += 1 if ends else 0
        if ends and operation != MAX:
            vector[V_GAP] = steps - 1
        elif vector[V_GAP]:
            vector[V_GAP] -= 1
    if start:
        start_walk(walk, command[TARGET])
    elif vector[V_WAITING] and written:
        step_walk(walk, command)
    if emerges:
        vector[V_WAITING] = 1
    elif written:
        vector[V_WAITING] = 0
    if start:
        start_nest(nest, command)
    elif step:
        step_nest(nest, command)
    if state == IDLE and valid:
        vector[V_STATE] = LOADING if loads else RUNNING
    elif start:
        vector[V_STATE] = RUNNING
    elif done:
        vector[V_STATE] = IDLE
    return taken, done
