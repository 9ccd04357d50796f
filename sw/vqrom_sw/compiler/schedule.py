"""The schedule: the order of the command list, and what each command waits for.

Commands are handed out in list order, so one for a busy unit holds up those behind it. Each unit
keeps its own order; between units the list follows estimated times.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import LEVELS, Opcode, Unit

from .operations import Operation
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
    """

    operations: list[Operation]
    waits: list[list[int]]


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
    return Schedule([operations[number] for number in order], waits)


class Clock:
    """Estimates when operations begin and end, if each unit begins as early as it can.

    Parameters
    ----------
    config:
        Parameters of the accelerator that the program is for.
    """

    LATENCY = 24
    """Cycles from the last word that goes in to the last that comes out, in any unit."""

    def __init__(self, config: AcceleratorConfig):
        self._config = config
        self._ends: dict[Unit, list[int]] = {unit: [0] for unit in Unit}

    def begin(self, operation: Operation, needed: list[int]) -> int:
        """The cycle at which an operation begins; it follows those before it on its unit."""
        units = UNITS_OF.get(operation.opcode, (Unit.ARRAY,))
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
        elif operation.opcode in UNITS_OF:
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
    """Words that a loop nest visits, from its columns."""
    return math.prod(fields[f"count_{level}"] for level in range(LEVELS))
