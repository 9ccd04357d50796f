"""Which unit works on which layer when, over a whole run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Timeline:
    """Intervals in which units work, in the order of their beginnings.

    A unit's intervals do not overlap. Cycles of one layer that follow each other are one interval;
    where that makes too many, stretches of one layer that are at most ``gap`` cycles apart are put
    together, too, and ``worked`` says in how many of an interval's cycles the unit works.

    Members
    -------
    units:
        Names of the units: ``weights``, ``array``, ``post``, ``load``, ``store``, ``vector``.
    layers:
        Names of the layers, as in :attr:`vqrom_sw.compiler.Program.layers`.
    unit, layer:
        int64 ``[n]``: of each interval, places in ``units`` and ``layers``.
    start, end:
        int64 ``[n]``: its first cycle, counted from 0 in which the program begins, and the one
        after its last.
    worked:
        int64 ``[n]``: cycles of it in which the unit works.
    gap:
        Longest pause that an interval may contain; 0: none contains any.
    cycles:
        Cycles of the whole program.
    """

    units: tuple[str, ...]
    layers: tuple[str, ...]
    unit: np.ndarray
    layer: np.ndarray
    start: np.ndarray
    end: np.ndarray
    worked: np.ndarray
    gap: int
    cycles: int

    def window(self, layer: int) -> tuple[int, int]:
        """The first cycle in which any unit works on a layer, and the one after the last; (0, 0)
        if none ever does."""
        of_layer = self.layer == layer
        if not of_layer.any():
            return 0, 0
        return int(self.start[of_layer].min()), int(self.end[of_layer].max())
