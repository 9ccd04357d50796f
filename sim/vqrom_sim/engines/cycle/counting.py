"""Counters by place, and what a cycle counts for: ``_count`` of :mod:`vqrom_hw.accelerator`."""

import numpy as np

from vqrom_hw.isa import COUNTERS, Stream

from . import columns, control
from .jit import compiled

CYCLES, ROM_READS = COUNTERS.index("cycles"), COUNTERS.index("rom_reads")
COMPUTE, WEIGHTS, ACCUMULATORS, DRAIN, VECTOR, LOAD, STORE, COMMAND = (
    COUNTERS.index(f"{cause}_cycles") for cause in (
        "compute", "weights", "accumulators", "drain", "vector", "load", "store", "command"))
POST_BUSY, VECTOR_BUSY, LOAD_BUSY, STORE_BUSY = (
    COUNTERS.index(f"{unit}_busy") for unit in ("post", "vector", "load", "store"))
COMMAND_BEATS, READ_BEATS, WRITE_BEATS = (COUNTERS.index(f"{stream}_beats") for stream in (
    "command", "activation_read", "activation_write"))
FETCHED = np.array([COUNTERS.index(f"{stream.name.lower()}_beats") for stream in Stream])
BUFFER_READS, BUFFER_WRITES, SUM_READS, SUM_WRITES = (COUNTERS.index(name) for name in (
    "activation_buffer_reads", "activation_buffer_writes", "accumulator_reads",
    "accumulator_writes"))


@compiled
def count_cause(issue, waits_weights, waits_sums, post, busy_vector, loads, stores, counters):
    """What this cycle is spent on, and which units work."""
    cause = COMMAND
    if issue:
        cause = COMPUTE
    elif waits_weights:
        cause = WEIGHTS
    elif waits_sums:
        cause = ACCUMULATORS
    elif post:
        cause = DRAIN
    elif busy_vector:
        cause = VECTOR
    elif loads:
        cause = LOAD
    elif stores:
        cause = STORE
    counters[CYCLES] += 1
    counters[cause] += 1
    if post:
        counters[POST_BUSY] += 1
    if busy_vector:
        counters[VECTOR_BUSY] += 1
    if loads:
        counters[LOAD_BUSY] += 1
    if stores:
        counters[STORE_BUSY] += 1


@compiled
def layer_of(s, t, array, post, busy_vector, loads, stores):
    """Whose cycle this is."""
    queue = -1
    if array:
        queue = control.ARRAY
    elif post:
        queue = control.POST
    elif busy_vector:
        queue = control.VECTOR
    elif loads:
        queue = control.LOAD
    elif stores:
        queue = control.STORE
    else:
        return s[control.C_LAYER]
    return t[control.head_of(s, queue) + columns.LAYER]
