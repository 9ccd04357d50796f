"""Memories that stay whole: which macro each becomes, and what that takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from vqrom_hw.errors import VqromError
from vqrom_sim.technology import MacroEstimate, MemoryShape, Technology

from .hierarchy import Place
from .synthesis import Memory, SynthesizedModule

FIGURES = ("banks", "area_um2", "access_ns", "error", "energy_factor")
"""What a row says of its macro, as :class:`vqrom_sim.technology.MacroEstimate` has it."""


def memory_rows(places: Mapping[Place, int], netlists: Mapping[str, SynthesizedModule],
                technology: Technology) -> list[dict[str, Any]]:
    """Each memory that synthesis kept whole, with its ports and its macro; equal ones of a
    component are one row. ``area_um2`` is that of one instance."""
    counts: Counter[tuple[str, str, Memory]] = Counter()
    for place, count in places.items():
        for memory in netlists[place.module].memories:
            counts[place.component, place.group, memory] += count
    rows = []
    for (component, group, memory), count in counts.items():
        row = {"component": component, "group": group, "instances": count, **asdict(memory),
               "bits": memory.bits}
        shape, estimate = macro_for(row, technology)
        rows.append(row | {"macro": shape.kind}
                    | {name: rounded(getattr(estimate, name)) for name in FIGURES})
    return rows


def memory_shape(row: Mapping[str, Any]) -> MemoryShape:
    """The SRAM or ROM macro that does what a row of ``memories`` does.

    Parameters
    ----------
    row:
        ``kind``, ``words``, ``width``, ``read_ports``, ``write_ports``, ``write_enables``,
        ``synchronous``, and for messages ``component`` and ``name``.

    Raises
    ------
    VqromError
        If no macro does: it is read without a clock, or has more than one port of a kind.
    """
    what = f"memory {row['name']!r} of {row['component']!r}"
    if not row["synchronous"]:
        raise VqromError(f"{what} must be read with a clock to become a macro")
    ports = row["read_ports"], row["write_ports"]
    if ports not in ((1, 0), (1, 1)):
        raise VqromError(f"{what} must have one read port and at most one write port to become a "
                         f"macro, not {ports!r}")
    if row["kind"] == "rom":
        return MemoryShape("rom", row["words"], row["width"])
    return MemoryShape("sram_1r1w", row["words"], row["width"], row["write_enables"])


def macro_for(row: Mapping[str, Any],
              technology: Technology) -> tuple[MemoryShape, MacroEstimate]:
    """The macro of a row of ``memories``: of an SRAM and a register file the smaller one.

    Raises
    ------
    VqromError
        As :func:`memory_shape`.
    """
    shape = memory_shape(row)
    shapes = [shape]
    if shape.kind == "sram_1r1w":
        shapes.append(MemoryShape("register_file", shape.words, shape.width, shape.write_parts))
    return min(((one, technology.estimate(one)) for one in shapes),
               key=lambda found: found[1].area_um2)


def rounded(value: float) -> float | int:
    """A figure as reports hold it: whole numbers whole, others with three decimals."""
    return value if isinstance(value, int) else round(value, 3)
