"""Gate simulation: a module's mapped netlist, what its nets cost, and how often they change."""

from .coefficients import Coefficients, WireModel, coefficients
from .netlist import Netlist, read_netlist
from .simulation import Activity, simulate
from .stimuli import Sources, Window

__all__ = [
    "Activity", "Coefficients", "Netlist", "Sources", "Window", "WireModel", "coefficients",
    "read_netlist", "simulate",
]
