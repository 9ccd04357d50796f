"""Interleaving: operations change places, so that a unit need not wait for another one.

Strips come out of emission one after the other: the array makes a map's rows, the vector unit works
on them, and the array goes on with what it has made. In that order one of the two always waits.
But the array could make rows of the next strip meanwhile. So each unit takes, among its next few
operations, the one that can begin first, or one given before it that can begin a little later.
What must come before what follows from the words that operations read and write.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import Opcode, Unit

from ..operations import Operation
from .durations import unit_cycles
from .waits import UNITS_OF, WaitTracker

AHEAD = 24
"""Operations of a unit among which it takes one."""

PATIENCE = 64
"""Cycles that a unit waits at most for an operation that was given before one that it could begin:
what was given before is what others wait for, as a rule."""

MOVABLE = (Unit.ARRAY, Unit.VECTOR)
"""Units whose operations change places; LOADs and STOREs keep the order of strips."""


def interleave(operations: list[Operation], config: AcceleratorConfig) -> list[Operation]:
    """Operations in the order in which their units can begin them.

    Parameters
    ----------
    operations:
        In an order in which one after the other would be right.
    config:
        Parameters of the accelerator that the program is for.

    Returns
    -------
    list of Operation
        The same operations, in another such order. Programs that use only one of array and vector
        unit, or that load a codebook, keep theirs.
    """
    opcodes = {operation.opcode for operation in operations}
    if not {Opcode.COMPUTE, Opcode.VECTOR} <= opcodes or Opcode.CODEBOOK in opcodes:
        return operations
    queues = _queues(operations, config)
    order: list[int] = []
    while len(order) < len(operations):
        _, number, queue = min(queue.first(queues) for queue in queues.values() if queue.waiting)
        queues[queue].take(number, queues)
        order.append(number)
    return [operations[number] for number in order]


@dataclass
class _Entry:
    """An operation in its unit's queue.

    Members
    -------
    number:
        Its place in the list that was given.
    position:
        How many of its unit's operations it is, from 1.
    before:
        For each unit, how many of its first operations must come before this one.
    read_posts:
        As ``before``, of post-processing, whose results the operation reads.
    cycles, rest:
        See :func:`vqrom_sw.compiler.order.unit_cycles`.
    """

    number: int
    position: int
    before: list[int]
    read_posts: int
    cycles: int
    rest: int


@dataclass
class _Queue:
    """The operations of one unit, and when those that have a place end.

    Members
    -------
    unit:
        The unit; post-processing has no queue, since it follows the array.
    waiting:
        Operations without a place, in the order that was given.
    free, posts_free:
        When the unit, and post-processing behind it, has done all that it was given.
    taken:
        When each operation ends on the unit and behind it, by position: those that have a place,
        but not all before them.
    latest, latest_posts:
        When the first operations have all ended on the unit and behind it, by their count.
    """

    unit: Unit
    waiting: list[_Entry] = field(default_factory=list)
    free: int = 0
    posts_free: int = 0
    taken: dict[int, tuple[int, int]] = field(default_factory=dict)
    latest: list[int] = field(default_factory=lambda: [0])
    latest_posts: list[int] = field(default_factory=lambda: [0])

    @property
    def done(self) -> int:
        """How many of the first operations have a place, without a gap."""
        return len(self.latest) - 1

    def first(self, queues: dict[Unit, _Queue]) -> tuple[int, int, Unit]:
        """When the operation that is to come next begins, its number, and the unit."""
        ahead = AHEAD if self.unit in MOVABLE else 1
        ready: list[tuple[int, _Entry]] = []
        for entry in self.waiting[:ahead]:
            begins = self._begins(entry, queues)
            if begins is not None:
                ready.append((begins, entry))
                if begins == self.free:
                    break  # None can begin before.
        if not ready:
            return 1 << 62, 1 << 62, self.unit
        soonest, entry = min(ready, key=lambda pair: (pair[0], pair[1].number))
        begins, chosen = next(
            (begins, other) for begins, other in ready
            if other is entry or begins - soonest <= min(PATIENCE, entry.cycles))
        return begins, chosen.number, self.unit

    def _begins(self, entry: _Entry, queues: dict[Unit, _Queue]) -> int | None:
        """When an operation can begin, None if another one must get its place before."""
        begins = self.free
        for unit, count in enumerate(entry.before):
            if not count:
                continue
            queue = queues[Unit.ARRAY if unit == Unit.POST else Unit(unit)]
            if queue.done < count:
                return None
            if queue is not self:
                ends = queue.latest_posts if unit == Unit.POST else queue.latest
                begins = max(begins, ends[count])
        if entry.read_posts:
            begins = max(begins, queues[Unit.ARRAY].latest_posts[entry.read_posts])
        return begins

    def take(self, number: int, queues: dict[Unit, _Queue]) -> None:
        """Give an operation that waits the next place on its unit."""
        index = next(i for i, entry in enumerate(self.waiting) if entry.number == number)
        entry = self.waiting.pop(index)
        begins = self._begins(entry, queues)
        assert begins is not None
        self.free = begins + entry.cycles
        self.posts_free = max(self.free, self.posts_free) + entry.rest
        self.taken[entry.position] = self.free, self.posts_free
        while self.done + 1 in self.taken:
            ends, posts = self.taken.pop(self.done + 1)
            self.latest.append(max(self.latest[-1], ends))
            self.latest_posts.append(max(self.latest_posts[-1], posts))


def _queues(operations: list[Operation], config: AcceleratorConfig) -> dict[Unit, _Queue]:
    """The operations by unit, with what must come before each."""
    units = (Unit.LOAD, Unit.ARRAY, Unit.VECTOR, Unit.STORE)
    queues = {unit: _Queue(unit) for unit in units}
    tracker = WaitTracker(config.activation_words)
    for number, operation in enumerate(operations):
        queue = queues[UNITS_OF[operation.opcode][0]]
        before, read_posts = tracker.conflicts(operation)
        cycles, rest = unit_cycles(operation, config)
        queue.waiting.append(_Entry(number, len(queue.waiting) + 1, before, read_posts, cycles,
                                    rest))
    return queues
