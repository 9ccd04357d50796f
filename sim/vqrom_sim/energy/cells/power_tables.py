"""Tables of a Liberty file: a number by input transition time and output load."""

from __future__ import annotations

import numpy as np

from vqrom_hw.errors import VqromError

from .liberty_groups import Group


def table_over_loads(table: Group, slew: float, loads: np.ndarray) -> np.ndarray:
    """Values of a table at one input transition time, for several loads.

    Between points it is interpolated linearly in both directions, beyond the first and the last
    point it keeps their value.

    Parameters
    ----------
    table:
        ``rise_power``, ``fall_transition`` and so on: no index (a scalar), ``index_1`` (the
        transition time), or ``index_1`` and ``index_2`` (the load).
    slew:
        Input transition time, in the library's unit.
    loads:
        float64 ``[n]``, in the library's unit.

    Returns
    -------
    numpy.ndarray
        float64 ``[n]``.

    Raises
    ------
    VqromError
        If there are not as many values as its indices say.
    """
    slews, columns = table.numbers("index_1"), table.numbers("index_2")
    values = table.numbers("values")
    if not len(slews) and len(values) == 1:
        return np.full(len(loads), values[0])
    if len(values) != max(len(slews), 1) * max(len(columns), 1):
        raise VqromError(f"Liberty table {table.kind}({table.name}) must have "
                         f"{len(slews)} x {max(len(columns), 1)} values, not {len(values)}")
    if not len(columns):
        return np.full(len(loads), np.interp(slew, slews, values))
    grid = values.reshape(len(slews), len(columns))
    return np.interp(loads, columns, [np.interp(slew, slews, column) for column in grid.T])


def fixed_slew(cell: Group, load: float) -> float:
    """The transition time that an inverter keeps along a chain of its like.

    A chain of inverters, each with the same load, has the same transition time at each after a few
    stages, whatever it began with. It is the typical transition time that energies are read at.

    Parameters
    ----------
    cell:
        The inverter.
    load:
        What each drives, in the library's unit.

    Raises
    ------
    VqromError
        If the cell has no tables of its output's transition time.
    """
    tables = [table for pin in cell.all("pin") for timing in pin.all("timing")
              for table in timing.children if table.kind in ("rise_transition", "fall_transition")]
    if not tables:
        raise VqromError(f"Liberty cell {cell.name!r} must have tables of its transition time")
    slew = float(tables[0].numbers("index_1")[0])
    for _ in range(50):
        slew = float(np.mean([table_over_loads(table, slew, np.array([load]))[0]
                              for table in tables]))
    return slew
