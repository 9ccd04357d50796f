"""Area: how many gates and memory bits an accelerator takes.

Each distinct Verilog module is synthesised once with Yosys, to the cells of a Liberty library, and
counted as often as it occurs.
"""

from .estimate import GROUPS, estimate_area, measure_area

__all__ = ["GROUPS", "estimate_area", "measure_area"]
