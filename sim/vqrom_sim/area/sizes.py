"""Sizes of components: cells, NAND2 equivalents and um2, of logic and of memories, added up."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vqrom_hw.errors import VqromError

from .hierarchy import GROUPS, Place
from .libraries import CellLibrary
from .memories import rounded
from .synthesis import SynthesizedModule

SIZES = ("cells", "flip_flops", "nand2", "logic_um2", "memory_bits", "memory_um2", "area_um2")
"""Sizes that add up: library cells, flip-flops among them, NAND2 equivalents and um2 of the cells;
bits and um2 of memories that are kept whole; um2 of both."""


def size_of(cells: Mapping[str, int], library: CellLibrary) -> dict[str, Any]:
    """Cells, flip-flops (latches too), NAND2 equivalents and um2 of a set of library cells.

    Raises
    ------
    VqromError
        If the library gives no area for one of them.
    """
    known = library.library.cells
    unknown = sorted(set(cells) - set(known))
    if unknown:
        raise VqromError(f"liberty library {library.library.name!r} must give cell "
                         f"{unknown[0]!r} an area")
    nand2 = (math.fsum(known[name].area * count for name, count in cells.items())
             / library.library.nand2.area)
    return {
        "cells": sum(cells.values()),
        "flip_flops": sum(count for name, count in cells.items() if known[name].sequential),
        "nand2": rounded(nand2),
        "logic_um2": rounded(nand2 * library.nand2_um2),
    }


def component_rows(places: Mapping[Place, int], netlists: Mapping[str, SynthesizedModule],
                   library: CellLibrary,
                   memories: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of a table with the size of each component: all its instances together, without what is
    inside their submodules; by group, then by name.

    Parameters
    ----------
    places:
        How often each place occurs.
    netlists:
        What each module is made of.
    library:
        The cells.
    memories:
        Rows of :func:`.memories.memory_rows`.
    """
    rows: dict[str, dict[str, Any]] = {}
    for place, count in places.items():
        row = rows.setdefault(place.component, {
            "component": place.component, "group": place.group, "modules": [], "instances": 0,
            **dict.fromkeys(SIZES, 0)})
        row["modules"].append(place.module)
        row["instances"] += count
        for key, value in size_of(netlists[place.module].cells, library).items():
            row[key] = rounded(row[key] + value * count)
    for memory in memories:
        row = rows[memory["component"]]
        row["memory_bits"] += memory["bits"] * memory["instances"]
        row["memory_um2"] = rounded(row["memory_um2"] + memory["area_um2"] * memory["instances"])
    for row in rows.values():
        row["area_um2"] = rounded(row["logic_um2"] + row["memory_um2"])
    return sorted(rows.values(), key=lambda row: (GROUPS.index(row["group"]), row["component"]))


def add_up(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Sizes of several components together."""
    rows = list(rows)
    return {key: rounded(sum(row[key] for row in rows)) for key in SIZES}
