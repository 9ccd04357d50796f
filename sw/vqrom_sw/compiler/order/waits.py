"""Waits: what a command must not overtake on other units.

Each unit carries out its commands in order, but the units run apart from each other. A command that
reads words of the activation buffer must come after the command that wrote them, and one that
writes words after those that read or wrote them. The hardware knows nothing of words: a command
carries, for each unit, the number of that unit's commands that must be finished before it begins.
"""

from __future__ import annotations

import numpy as np

from vqrom_hw.isa import Opcode, Unit

from ..feature_map import FeatureMap
from ..operations import Area, Operation

WRITERS = (Unit.LOAD, Unit.POST, Unit.VECTOR)
"""Units that write the activation buffer."""

READERS = (Unit.ARRAY, Unit.VECTOR, Unit.STORE)
"""Units that read it."""

UNITS_OF = {Opcode.LOAD: (Unit.LOAD,), Opcode.COMPUTE: (Unit.ARRAY, Unit.POST),
            Opcode.VECTOR: (Unit.VECTOR,), Opcode.STORE: (Unit.STORE,)}
"""The units whose finished commands a command is counted among, by its opcode."""

_WRITER_OF = {Opcode.LOAD: Unit.LOAD, Opcode.COMPUTE: Unit.POST, Opcode.VECTOR: Unit.VECTOR}
_READER_OF = {Opcode.COMPUTE: Unit.ARRAY, Opcode.VECTOR: Unit.VECTOR, Opcode.STORE: Unit.STORE}


class WaitTracker:
    """Finds the waits of operations that are given one by one, in an order that would be right.

    For each word of the activation buffer it knows, per unit, the last command that wrote or read
    it: a unit works in order, so that one is finished last. Numbers begin at 1: a command's number
    is the count of finished commands that says that it is done.

    Parameters
    ----------
    words:
        Words of the activation buffer.
    """

    def __init__(self, words: int):
        self._tables = np.zeros((len(WRITERS) + len(READERS), words), np.int32)
        self._stored: dict[FeatureMap, np.ndarray] = {}
        self._issued = dict.fromkeys(Unit, 0)

    def needs(self, operation: Operation) -> list[int]:
        """The number of the last command of each unit that the operation must wait for, or 0.

        In the order of :class:`vqrom_hw.isa.Unit`. A unit need not wait for itself. The operation
        now counts among those before.
        """
        needed, read_posts = self.conflicts(operation)
        for unit in UNITS_OF.get(operation.opcode, ()):
            needed[unit] = 0
        if operation.opcode == Opcode.COMPUTE:
            # The array reads ahead of the results of the commands before.
            needed[Unit.POST] = read_posts
        return needed

    def conflicts(self, operation: Operation) -> tuple[list[int], int]:
        """As :meth:`needs`, those of the operation's own units included.

        Returns
        -------
        tuple
            The numbers, and that of post-processing as far as the operation reads what it wrote.
        """
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
        self._record(operation)
        return needed, read_posts

    def _wait_for_dram(self, operation: Operation, needed: list[int]) -> None:
        """A LOAD must come after the STOREs of the map rows that it reads."""
        rows = operation.dram
        if rows is not None and operation.opcode == Opcode.LOAD and rows.map in self._stored:
            stored = self._stored[rows.map][rows.first:rows.end]
            needed[Unit.STORE] = max(needed[Unit.STORE], int(stored.max()))

    def _record(self, operation: Operation) -> None:
        """Note the operation as the last one that touched its words."""
        for unit in UNITS_OF.get(operation.opcode, ()):
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
        """The highest number in an area, in each of the tables ``first`` to ``end``."""
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
        """The words of an area in one table, to be written."""
        base, rows, pitch, runs, stride, words = area
        if rows == runs == 1:
            return self._tables[table, base:base + words]
        return np.ndarray((rows, runs, words), np.int32, self._tables,
                          table * self._tables.strides[0] + 4 * base,
                          (4 * pitch, 4 * stride, 4))
