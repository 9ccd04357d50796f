"""Which unit works on which layer when, over a whole run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Timeline:
    """Intervals in which units work, in the order of their beginnings.

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
    """

    units: tuple[str, ...]
    layers: tuple[str, ...]
    unit: np.ndarray
    layer: np.ndarray
    start: np.ndarray
    end: np.ndarray
