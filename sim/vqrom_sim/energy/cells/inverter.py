"""The inverter of a cell library by which its typical transition time is found."""

from __future__ import annotations

from vqrom_hw.errors import VqromError
from vqrom_sim.area import Cell, Library

from .truth_table import truth_table

INVERTER_TABLE = 0b01
"""Table of a function that is the inverse of its one input."""


def smallest_inverter(library: Library) -> Cell:
    """The smallest inverter of a library, the first by name of several.

    Raises
    ------
    VqromError
        If there is none.
    """
    inverters = [cell for cell in library.cells.values() if _inverts(cell)]
    if not inverters:
        raise VqromError(f"liberty library {library.name!r} must have an inverter with an area, "
                         f"which none of its {len(library.cells)} cells is")
    return min(inverters, key=lambda cell: (cell.area, cell.name))


def _inverts(cell: Cell) -> bool:
    if cell.sequential or len(cell.inputs) != 1 or len(cell.functions) != 1 or cell.area <= 0:
        return False
    names, table = truth_table(cell.functions[0])
    return names == cell.inputs and table == INVERTER_TABLE
