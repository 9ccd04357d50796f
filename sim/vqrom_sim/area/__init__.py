"""Area: synthesis of each component with Yosys, Liberty cell libraries, the sum of the whole."""

from .estimate import estimate_area

__all__ = ["estimate_area"]
