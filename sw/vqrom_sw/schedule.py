"""Waits: what each command must not overtake on other units."""

from __future__ import annotations

import numpy as np

from vqrom_hw.commands import Opcode, Unit

from .feature_map import FeatureMap
from .operations import Area, Operation

WRITERS = (Unit.LOAD, Unit.POST, Unit.VECTOR)
READERS = (Unit.ARRAY, Unit.VECTOR, Unit.STORE)

_WRITER_OF = {Opcode.LOAD: Unit.LOAD, Opcode.COMPUTE: Unit.POST, Opcode.VECTOR: Unit.VECTOR}
_READER_OF = {Opcode.COMPUTE: Unit.ARRAY, Opcode.VECTOR: Unit.VECTOR, Opcode.STORE: Unit.STORE}
_UNITS = {Opcode.LOAD: (Unit.LOAD,), Opcode.COMPUTE: (Unit.ARRAY, Unit.POST),
          Opcode.VECTOR: (Unit.VECTOR,), Opcode.STORE: (Unit.STORE,)}

_AGE = 1 << 14
"""Commands of one unit after which one is surely finished: far more than queues hold, and far
fewer than a 16-bit count tells apart."""


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

    def waits(self, operation: Operation) -> list[int]:
        """Finished commands of each unit that the operation waits for, modulo 2**16."""
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
        for unit in _UNITS.get(operation.opcode, ()):
            needed[unit] = 0
        if operation.opcode == Opcode.COMPUTE:
            # The array reads ahead of the results of the commands before.
            needed[Unit.POST] = read_posts
        self._record(operation)
        return [max(number, self._issued[unit] - _AGE) & 0xFFFF
                for unit, number in zip(Unit, needed, strict=True)]

    def _wait_for_dram(self, operation: Operation, needed: list[int]) -> None:
        rows = operation.dram
        if rows is not None and operation.opcode == Opcode.LOAD and rows.map in self._stored:
            stored = self._stored[rows.map][rows.first:rows.end]
            needed[Unit.STORE] = max(needed[Unit.STORE], int(stored.max()))

    def _record(self, operation: Operation) -> None:
        for unit in _UNITS.get(operation.opcode, ()):
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
