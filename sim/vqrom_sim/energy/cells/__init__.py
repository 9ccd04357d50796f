"""Library cells: their functions as tables, and what transitions of their pins cost."""

from .inverter import smallest_inverter
from .power_library import InputPin, OutputPin, PowerCell, PowerLibrary, read_power
from .truth_table import MAX_INPUTS, truth_table

__all__ = [
    "MAX_INPUTS", "InputPin", "OutputPin", "PowerCell", "PowerLibrary", "read_power",
    "smallest_inverter", "truth_table",
]
