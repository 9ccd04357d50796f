"""Estimated cycles of operations, by which the compiler orders them."""

from __future__ import annotations

import math

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import LEVELS, Opcode, VectorOp

from ..operations import Operation

LATENCY = 24
"""Cycles from the last word that goes into a unit to the last that comes out."""


def unit_cycles(operation: Operation, config: AcceleratorConfig) -> tuple[int, int]:
    """Cycles for which an operation takes its unit.

    Returns
    -------
    tuple
        Cycles of the unit; and of post-processing, from the end of a COMPUTE on the array to that
        of its last result.
    """
    fields = operation.fields
    beats = sum(packet.size for packet in operation.packets) // config.beat_bytes
    match operation.opcode:
        case Opcode.COMPUTE:
            step = fields["pixels"] * config.post_steps
            cycles = max(iterations(fields), fields["fills"], beats,
                         (fields["passes"] - 1) * step)
            return cycles, step + LATENCY
        case Opcode.VECTOR:
            results = _results(fields) * config.rows // config.vector_lanes
            return beats + max(iterations(fields), results) + LATENCY, 0
        case _:
            words = fields["words"] * fields.get("packets", 1)
            return max(words, fields["beats"]) + config.dram_latency + LATENCY, 0


def _results(fields: dict[str, int]) -> int:
    """Words that a VECTOR requantises: a maximum passes as it is."""
    match fields["operation"]:
        case VectorOp.MAX:
            return 0
        case VectorOp.SLIDING:
            return fields["count_2"] * fields["target_width"]
        case _:
            return fields["count_2"] * fields["count_3"] * fields["count_4"]


def iterations(fields: dict[str, int]) -> int:
    """Words that a loop nest visits, from its columns."""
    return math.prod(fields[f"count_{level}"] for level in range(LEVELS))
