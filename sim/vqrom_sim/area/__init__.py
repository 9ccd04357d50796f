"""Area: how many gates and memory bits an accelerator takes.

Each distinct Verilog module is synthesised once with Yosys, to the cells of a Liberty library, and
counted as often as it occurs. Other rooms take the mapped netlists from here.
"""

from .estimate import check_design, count_instances, describe_library, estimate_area
from .liberty import Library, read_liberties
from .synthesis import (
    SPEED,
    Memory,
    SynthesizedModule,
    read_mapped,
    split_modules,
    synthesize,
)

__all__ = [
    "SPEED", "Library", "Memory", "SynthesizedModule", "check_design", "count_instances",
    "describe_library", "estimate_area", "read_liberties", "read_mapped", "split_modules",
    "synthesize",
]
