"""Area: how many gates and memory bits an accelerator takes.

Each distinct Verilog module is synthesised once with Yosys, to the cells of a Liberty library, and
counted as often as it occurs.
"""

from .estimate import (
    GROUPS,
    Place,
    check_design,
    count_instances,
    estimate_area,
    instances,
    memory_rows,
)
from .liberty import Cell, Library, read_liberties
from .liberty_function import evaluate
from .synthesis import SynthesizedModule, read_mapped, split_modules, synthesize

__all__ = [
    "GROUPS", "Cell", "Library", "Place", "SynthesizedModule", "check_design", "count_instances",
    "estimate_area", "evaluate", "instances", "memory_rows", "read_liberties", "read_mapped",
    "split_modules", "synthesize",
]
