"""Small studies for tests of their page."""

from __future__ import annotations

from itertools import product
from typing import Any

from vqrom_sim.report import Objective, PointTable, StudyColumn, StudyFacts

HOSTILE = '</script><img src=x onerror="hacked=1"><b>&amp;'
"""A name that would run a script if a page took it for markup."""


def factorial(**more: Any) -> tuple[PointTable, StudyFacts]:
    """Eight points over three axes; cycles halve with ``rows``, area doubles; one has failed."""
    points = list(product((8, 16), ("rom", "sram"), (1, 4)))
    cycles = [1000.0 * 8 / rows for rows, _, _ in points]
    area = [rows * (2 if storage == "sram" else 1) + ports for rows, storage, ports in points]
    columns = {"rows": [one[0] for one in points], "storage": [one[1] for one in points],
               "ports": [one[2] for one in points], "cycles": cycles, "area_um2": area,
               "exact": [True] * 8}
    failures: list[str | None] = [None] * 7 + ["no such memory"]
    table = PointTable(
        tuple(StudyColumn(name, "um2" if name.endswith("um2") else "", f"meaning of {name}",
                          "tests") for name in columns),
        columns | {"cycles": [*cycles[:-1], None]}, failures, [2, 2, 3, 3, 1, 1, 1, None])
    facts = {"name": "small", "description": "What rows do.", "axes": ("rows", "storage", "ports"),
             "objectives": (Objective("cycles"), Objective("area_um2")),
             "versions": {"vqrom": "1"}, "hashes": {"study": "ab"}, "notes": {"points": "all"}}
    return table, StudyFacts(**facts | more)


def hostile() -> tuple[PointTable, StudyFacts]:
    """A study in which every text is :data:`HOSTILE`."""
    axis, objective = f"axis {HOSTILE}", f"objective {HOSTILE}"
    names = (axis, objective, "other")
    table = PointTable(
        tuple(StudyColumn(name, HOSTILE, HOSTILE, HOSTILE) for name in names),
        {axis: [HOSTILE, "b", HOSTILE], objective: [1, 2, None], "other": [3.5, 1.5, None]},
        [None, None, HOSTILE], [1, 1, None])
    facts = StudyFacts(HOSTILE, HOSTILE, (axis,), (Objective(objective), Objective("other")),
                       versions={HOSTILE: HOSTILE}, hashes={HOSTILE: HOSTILE},
                       notes={HOSTILE: HOSTILE})
    return table, facts
