"""The schedule: the order of the command list, and what each command waits for.

Commands are handed out in list order, so one for a busy unit holds up those behind it. Each unit
keeps its own order; between units the list follows estimated times.
"""

from __future__ import annotations

from dataclasses import dataclass

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import Opcode, Unit

from ..operations import Operation
from .durations import unit_cycles
from .waits import UNITS_OF, WaitTracker

MOST_BEHIND = 1 << 14
"""Commands of one unit after which an earlier one is surely finished: far more than queues hold,
and far fewer than a 16-bit count tells apart."""


@dataclass(frozen=True)
class Schedule:
    """Operations in list order with their waits.

    Members
    -------
    operations:
        The operations in the order in which they are carried out.
    waits:
        For each, the finished commands of each :class:`vqrom_hw.isa.Unit` that it waits for,
        modulo 2**16; 0 where it waits for none.
    cycles:
        When the last of them ends, by the same estimate that orders them.
    """

    operations: list[Operation]
    waits: list[list[int]]
    cycles: int


def schedule(operations: list[Operation], config: AcceleratorConfig) -> Schedule:
    """Put operations into the order in which they can begin, and find their waits.

    Parameters
    ----------
    operations:
        In an order in which one after the other would be right.
    config:
        Parameters of the accelerator that the program is for.
    """
    tracker, clock = WaitTracker(config.activation_words), Clock(config)
    needs = [tracker.needs(operation) for operation in operations]
    times = [clock.begin(operation, needed)
             for operation, needed in zip(operations, needs, strict=True)]
    order = sorted(range(len(operations)), key=lambda number: times[number])
    issued = dict.fromkeys(Unit, 0)
    waits = []
    for number in order:
        waits.append([max(count, issued[unit] - MOST_BEHIND) & 0xFFFF
                      for unit, count in zip(Unit, needs[number], strict=True)])
        for unit in UNITS_OF.get(operations[number].opcode, ()):
            issued[unit] += 1
    return Schedule([operations[number] for number in order], waits, clock.end)


class Clock:
    """Estimates when operations begin and end, if each unit begins as early as it can.

    Parameters
    ----------
    config:
        Parameters of the accelerator that the program is for.
    """

    def __init__(self, config: AcceleratorConfig):
        self._config = config
        self._ends: dict[Unit, list[int]] = {unit: [0] for unit in Unit}

    @property
    def end(self) -> int:
        """The cycle at which the last operation so far ends."""
        return max(ends[-1] for ends in self._ends.values())

    def begin(self, operation: Operation, needed: list[int]) -> int:
        """The cycle at which an operation begins; it follows those before it on its unit."""
        units = UNITS_OF.get(operation.opcode, (Unit.ARRAY,))
        ends = self._ends
        start = max(ends[units[0]][-1], *(ends[unit][number]
                                          for unit, number in zip(Unit, needed, strict=True)))
        if operation.opcode in UNITS_OF:
            cycles, rest = unit_cycles(operation, self._config)
            ends[units[0]].append(start + cycles)
            if operation.opcode == Opcode.COMPUTE:
                ends[Unit.POST].append(max(start + cycles, ends[Unit.POST][-1]) + rest)
        return start
