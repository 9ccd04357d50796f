"""Intervals in which units work on layers, written down while a program runs.

A log holds a bounded number of intervals: where more come, the pauses that intervals may contain
grow until they fit. Those who want no intervals give :mod:`.kernel` a log without room.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vqrom_hw.isa import QUEUES

from .control import head_of
from .counting import Activity
from .registers import places as at
from .registers.columns import LAYER
from .registers.jit import Commands, Registers, compiled, compiled_apart

UNITS = QUEUES
"""Units whose intervals are written down: those that have a command queue."""
WEIGHTS, ARRAY, POST, LOAD, STORE, VECTOR = (UNITS.index(name) for name in (
    "weights", "array", "post", "load", "store", "vector"))
LIMIT = 4096
"""Intervals that a log holds in the end, unless its units change from layer to layer more often."""
NONE = -1
"""No layer, since nothing is open; no row."""

COLUMNS = ("unit", "layer", "start", "end", "worked")
_COLUMNS = len(COLUMNS)
_UNIT, _LAYER, _START, _END, _WORKED = range(_COLUMNS)
_COUNT, _GAP, _ROOM = range(3)


class Log(NamedTuple):
    """Where intervals are written down.

    Members
    -------
    rows:
        int64 ``[n, len(COLUMNS)]``: closed intervals, those of each unit in their order; without a
        row, nothing is written down.
    open:
        int64 ``[len(UNITS), len(COLUMNS)]``: each unit's last interval, which may go on.
    last:
        int64 ``[len(UNITS)]``: each unit's last row so far, while rows are put together.
    state:
        int64 ``[3]``: how many rows are in use, the longest pause within an interval, and how many
        rows there may be before pauses grow.
    """

    rows: np.ndarray
    open: np.ndarray
    last: np.ndarray
    state: np.ndarray


NO_LOG = Log(*(np.zeros(shape, np.int64) for shape in ((0, _COLUMNS), (0, _COLUMNS), 0, 3)))
"""For those who want no intervals."""


def new_log(commands: int) -> Log:
    """An empty log of a program of so many commands, each of which is in at most three queues."""
    room = 2 * LIMIT
    opened = np.zeros((len(UNITS), _COLUMNS), np.int64)
    opened[:, _UNIT], opened[:, _LAYER] = np.arange(len(UNITS)), NONE
    # Intervals can always be put together until each is of another layer than its unit's one
    # before it, which takes a command.
    rows = np.zeros((room + len(UNITS) * (1 + commands), _COLUMNS), np.int64)
    return Log(rows, opened, np.zeros(len(UNITS), np.int64), np.array([0, 0, room], np.int64))


@compiled_apart
def _merge(log: Log, count: int, gap: int) -> int:
    """Put intervals together that are of one unit and layer, and at most a gap apart; how many are
    left."""
    rows, last, kept = log.rows, log.last, 0
    for unit in range(len(UNITS)):
        last[unit] = NONE
    for row in range(count):
        unit = rows[row, _UNIT]
        before = last[unit]
        if (before >= 0 and rows[before, _LAYER] == rows[row, _LAYER]
                and rows[row, _START] - rows[before, _END] <= gap):
            rows[before, _END] = rows[row, _END]
            rows[before, _WORKED] += rows[row, _WORKED]
        else:
            for column in range(_COLUMNS):
                rows[kept, column] = rows[row, column]
            last[unit] = kept
            kept += 1
    return kept


@compiled_apart
def _make_room(log: Log, now: int) -> None:
    """Let pauses grow until half of the room is free, or nothing more can be put together."""
    state = log.state
    while state[_COUNT] > LIMIT and state[_GAP] < now:
        state[_GAP] = 2 * state[_GAP] + 1
        state[_COUNT] = _merge(log, state[_COUNT], state[_GAP])
    state[_ROOM] = 2 * (state[_COUNT] if state[_COUNT] > LIMIT else LIMIT)


@compiled
def _close(log: Log, unit: int) -> None:
    """Write down a unit's open interval; there is room."""
    count = log.state[_COUNT]
    for column in range(_COLUMNS):
        log.rows[count, column] = log.open[unit, column]
    log.state[_COUNT] = count + 1


@compiled
def works(activity: Activity, fills: bool) -> int:
    """Bit mask of the units that work in a cycle.

    ``fills``: the weight feed gives a step of a tile.
    """
    array = activity.issues or activity.waits_weights or activity.waits_sums
    return (fills << WEIGHTS | array << ARRAY | activity.post << POST | activity.load << LOAD
            | activity.store << STORE | activity.vector << VECTOR)


@compiled_apart
def note(log: Log, s: Registers, t: Commands, units: int, start: int, cycles: int) -> None:
    """Write down that units work, each on the command at the head of its queue.

    Parameters
    ----------
    units:
        Bit mask of them.
    start, cycles:
        From which cycle on, and for how many.
    """
    if log.state[_COUNT] + len(UNITS) > log.state[_ROOM]:
        _make_room(log, start)
    for unit in range(len(UNITS)):
        if not (units >> unit) & 1:
            continue
        layer = t[head_of(s, at.FIRST_QUEUE + unit * at.QUEUE_SIZE) + LAYER]
        opened = log.open
        if opened[unit, _LAYER] != layer or start - opened[unit, _END] > log.state[_GAP]:
            if opened[unit, _LAYER] != NONE:
                _close(log, unit)
            opened[unit, _LAYER] = layer
            opened[unit, _START] = start
            opened[unit, _WORKED] = 0
        opened[unit, _END] = start + cycles
        opened[unit, _WORKED] += cycles


@compiled_apart
def finish(log: Log, now: int) -> None:
    """Write down what is still open when the program has ended, and make it fit."""
    for unit in range(len(UNITS)):
        if log.open[unit, _LAYER] != NONE:
            _close(log, unit)
    _make_room(log, now)
    log.state[_COUNT] = _merge(log, log.state[_COUNT], log.state[_GAP])


def closed_rows(log: Log) -> tuple[np.ndarray, int]:
    """The intervals, int64 ``[n, len(COLUMNS)]``, in the order of their beginnings, and the longest
    pause within one."""
    rows = log.rows[:log.state[_COUNT]]
    return rows[np.lexsort((rows[:, _UNIT], rows[:, _START]))], int(log.state[_GAP])
