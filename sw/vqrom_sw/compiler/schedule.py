"""Waits: what each command must not overtake on other units; and the order of the list."""

from __future__ import annotations

import math

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import Opcode, Unit

from .feature_map import FeatureMap
from .operations import Area, Operation

WRITERS = (Unit.LOAD, Unit.POST, Unit.VECTOR)
READERS = (Unit.ARRAY, Unit.VECTOR, Unit.STORE)

_WRITER_OF = {Opcode.LOAD: Unit.LOAD, Opcode.COMPUTE: Unit.POST, Opcode.VECTOR: Unit.VECTOR}
_READER_OF = {Opcode.COMPUTE: Unit.ARRAY, Opcode.VECTOR: Unit.VECTOR, Opcode.STORE: Unit.STORE}
UNITS = {Opcode.LOAD: (Unit.LOAD,), Opcode.COMPUTE: (Unit.ARRAY, Unit.POST),
          Opcode.VECTOR: (Unit.VECTOR,), Opcode.STORE: (Unit.STORE,)}

class WaitTracker:
    """Waits of operations that are given one by one in order.

    For each word of the activation buffer it knows, per unit, the last command that wrote or read
    it: a unit works in order, so that one is finished last. Numbers begin at 1: a command's number
    is the count of finished commands that says that it is done.

    Parameters
    ----------
    words:
        Of the activation buffer.
    """

    def __init__(self, words: int):
        self._tables = np.zeros((len(WRITERS) + len(READERS), words), np.int32)
        self._stored: dict[FeatureMap, np.ndarray] = {}
        self._issued = dict.fromkeys(Unit, 0)

    def needs(self, operation: Operation) -> list[int]:
        """Number of the last command of each unit that the operation must come after, or 0."""
        needed = [0] * len(Unit)
        for area in operation.reads:
            found = self._latest(area, 0, len(WRITERS))
            for unit, number in zip(WRITERS, found, strict=True):
                needed[unit] = max(needed[unit], number)
        read_posts = needed[Unit.POST]
        for area in operation.writes:
            found = self._latest(area, 0, len(self._tables))
            for unit, number in zip(WRITERS + READERS, found, strict=True):
                needed[unit] = max(needed[unit], number)
        self._wait_for_dram(operation, needed)
        for unit in UNITS.get(operation.opcode, ()):
            needed[unit] = 0
        if operation.opcode == Opcode.COMPUTE:
            # The array reads ahead of the results of the commands before.
            needed[Unit.POST] = read_posts
        self._record(operation)
        return needed

    def _wait_for_dram(self, operation: Operation, needed: list[int]) -> None:
        rows = operation.dram
        if rows is not None and operation.opcode == Opcode.LOAD and rows.map in self._stored:
            stored = self._stored[rows.map][rows.first:rows.end]
            needed[Unit.STORE] = max(needed[Unit.STORE], int(stored.max()))

    def _record(self, operation: Operation) -> None:
        for unit in UNITS.get(operation.opcode, ()):
            self._issued[unit] += 1
        for area in operation.reads:
            unit = _READER_OF[operation.opcode]
            self._view(area, len(WRITERS) + READERS.index(unit))[:] = self._issued[unit]
        for area in operation.writes:
            unit = _WRITER_OF[operation.opcode]
            self._view(area, WRITERS.index(unit))[:] = self._issued[unit]
        rows = operation.dram
        if rows is not None and operation.opcode == Opcode.STORE:
            stored = self._stored.setdefault(rows.map, np.zeros(rows.map.height, np.int64))
            stored[rows.first:rows.end] = self._issued[Unit.STORE]

    def _latest(self, area: Area, first: int, end: int) -> list[int]:
        base, rows, pitch, runs, stride, words = area
        if not rows * words:
            return [0] * (end - first)
        if rows == runs == 1:
            return self._tables[first:end, base:base + words].max(1).tolist()
        table = self._tables.strides[0]
        view = np.ndarray((end - first, rows, runs, words), np.int32, self._tables,
                          first * table + 4 * base, (table, 4 * pitch, 4 * stride, 4))
        return view.max((1, 2, 3)).tolist()

    def _view(self, area: Area, table: int) -> np.ndarray:
        base, rows, pitch, runs, stride, words = area
        if rows == runs == 1:
            return self._tables[table, base:base + words]
        return np.ndarray((rows, runs, words), np.int32, self._tables,
                          table * self._tables.strides[0] + 4 * base,
                          (4 * pitch, 4 * stride, 4))


AGE = 1 << 14
"""Commands of one unit after which one is surely finished: far more than queues hold, and far
fewer than a 16-bit count tells apart."""


def schedule(operations: list[Operation],
             config: AcceleratorConfig) -> tuple[list[Operation], list[list[int]]]:
    """Operations in the order in which they can begin, and their waits.

    Commands are handed out in list order, so one for a busy unit holds up those behind it. Each
    unit keeps its own order; between units it is that of estimated times.

    Returns
    -------
    tuple
        Operations; and for each the finished commands of each unit that it waits for,
        modulo 2**16.
    """
    tracker, clock = WaitTracker(config.activation_words), Clock(config)
    needs = [tracker.needs(operation) for operation in operations]
    times = [clock.begin(operation, needed)
             for operation, needed in zip(operations, needs, strict=True)]
    order = sorted(range(len(operations)), key=lambda number: times[number])
    issued = dict.fromkeys(Unit, 0)
    waits = []
    for number in order:
        waits.append([max(count, issued[unit] - AGE) & 0xFFFF
                      for unit, count in zip(Unit, needs[number], strict=True)])
        for unit in UNITS.get(operations[number].opcode, ()):
            issued[unit] += 1
    return [operations[number] for number in order], waits


class Clock:
    """Estimated times at which operations begin and end.

    Parameters
    ----------
    config:
        Accelerator.
    """

    LATENCY = 24
    """Of the array and the lanes behind it, and of the vector unit."""

    def __init__(self, config: AcceleratorConfig):
        self._config = config
        self._ends: dict[Unit, list[int]] = {unit: [0] for unit in Unit}

    def begin(self, operation: Operation, needed: list[int]) -> int:
        """When the operation begins; it now follows those before it on its unit."""
        units = UNITS.get(operation.opcode, (Unit.ARRAY,))
        ends = self._ends
        start = max(ends[units[0]][-1], *(ends[unit][number]
                                          for unit, number in zip(Unit, needed, strict=True)))
        if operation.opcode == Opcode.COMPUTE:
            fields = operation.fields
            weights = sum(packet.size for packet in operation.packets) // self._config.beat_bytes
            array = start + max(iterations(fields), fields["fills"], weights)
            ends[Unit.ARRAY].append(array)
            rest = fields["pixels"] * self._config.post_steps + self.LATENCY
            ends[Unit.POST].append(max(array, ends[Unit.POST][-1]) + rest)
        elif operation.opcode in UNITS:
            ends[units[0]].append(start + self._duration(operation))
        return start

    def _duration(self, operation: Operation) -> int:
        fields, config = operation.fields, self._config
        if operation.opcode == Opcode.VECTOR:
            outputs = fields["count_2"] * fields["count_3"] * fields["count_4"]
            return max(iterations(fields), outputs * config.rows // config.vector_lanes) \
                + self.LATENCY
        words = fields["words"] * fields.get("packets", 1)
        return max(words, fields["beats"]) + config.dram_latency + self.LATENCY


def iterations(fields: dict[str, int]) -> int:
    """Steps of a loop nest."""
    return math.prod(fields[f"count_{level}"] for level in range(6))
