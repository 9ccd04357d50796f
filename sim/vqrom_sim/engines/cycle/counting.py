"""Counters by place, and what a cycle counts for: mirrors ``_count`` of
:mod:`vqrom_hw.accelerator`.

Every busy cycle has one cause: the first unit, in the order of the members of :class:`Activity`,
that has something to do.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vqrom_hw.isa import COUNTERS, Stream

from . import places as at
from .columns import LAYER
from .control import head_of
from .jit import Commands, Registers, compiled

CYCLES, ROM_READS = COUNTERS.index("cycles"), COUNTERS.index("rom_reads")
COMPUTE, WEIGHTS, ACCUMULATORS, DRAIN, VECTOR, LOAD, STORE, COMMAND = (
    COUNTERS.index(f"{cause}_cycles") for cause in (
        "compute", "weights", "accumulators", "drain", "vector", "load", "store", "command"))
POST_BUSY, VECTOR_BUSY, LOAD_BUSY, STORE_BUSY = (
    COUNTERS.index(f"{unit}_busy") for unit in ("post", "vector", "load", "store"))
COMMAND_BEATS, READ_BEATS, WRITE_BEATS = (COUNTERS.index(f"{stream}_beats") for stream in (
    "command", "activation_read", "activation_write"))
FETCHED = np.array([COUNTERS.index(f"{stream.name.lower()}_beats") for stream in Stream])
"""Counter of a FETCH's beats, by its traffic stream."""
BUFFER_READS, BUFFER_WRITES, SUM_READS, SUM_WRITES = (COUNTERS.index(name) for name in (
    "activation_buffer_reads", "activation_buffer_writes", "accumulator_reads",
    "accumulator_writes"))


class Activity(NamedTuple):
    """What the units do in a cycle.

    Members
    -------
    issues:
        The array takes a word.
    waits_weights, waits_sums:
        It waits for weights, or for a half of the accumulators.
    post:
        Post-processing has finished sums that are not written.
    vector, load, store:
        The unit has a command that waits for no other one.
    """

    issues: bool
    waits_weights: bool
    waits_sums: bool
    post: bool
    vector: bool
    load: bool
    store: bool


class Tally(NamedTuple):
    """Where a run is counted.

    Members
    -------
    counters:
        int64 ``[len(COUNTERS)]``: so far.
    by_layer:
        int64 ``[layers, len(COUNTERS)]``: without what was counted for the present layer since it
        became that.
    before:
        int64 ``[len(COUNTERS)]``: the counters when it did.
    layer:
        int64 ``[1]``: which one it is.
    """

    counters: np.ndarray
    by_layer: np.ndarray
    before: np.ndarray
    layer: np.ndarray


@compiled
def count_cause(activity: Activity, counters: np.ndarray) -> None:
    """Count the cycle, its cause, and the units that work in it."""
    cause = COMMAND
    if activity.issues:
        cause = COMPUTE
    elif activity.waits_weights:
        cause = WEIGHTS
    elif activity.waits_sums:
        cause = ACCUMULATORS
    elif activity.post:
        cause = DRAIN
    elif activity.vector:
        cause = VECTOR
    elif activity.load:
        cause = LOAD
    elif activity.store:
        cause = STORE
    counters[CYCLES] += 1
    counters[cause] += 1
    if activity.post:
        counters[POST_BUSY] += 1
    if activity.vector:
        counters[VECTOR_BUSY] += 1
    if activity.load:
        counters[LOAD_BUSY] += 1
    if activity.store:
        counters[STORE_BUSY] += 1


@compiled
def layer_of(s: Registers, t: Commands, activity: Activity) -> int:
    """The layer that a cycle counts for: that of the command of the unit which is its cause."""
    if activity.issues or activity.waits_weights or activity.waits_sums:
        queue = at.ARRAY_QUEUE
    elif activity.post:
        queue = at.POST_QUEUE
    elif activity.vector:
        queue = at.VECTOR_QUEUE
    elif activity.load:
        queue = at.LOAD_QUEUE
    elif activity.store:
        queue = at.STORE_QUEUE
    else:
        return s[at.C_LAYER]
    return t[head_of(s, queue) + LAYER]


@compiled
def close_layer(tally: Tally) -> None:
    """Give the present layer what has been counted since the one before it ended."""
    tally.by_layer[tally.layer[0]] += tally.counters - tally.before
    tally.before[:] = tally.counters
