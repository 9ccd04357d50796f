"""Area: how many gates and memory macros an accelerator takes, and how large they are.

Each distinct Verilog module is synthesised once with Yosys, to the cells of a Liberty library, and
counted as often as it occurs; memories are macros of a technology. Other rooms choose a library
(:func:`choose_library`), measure (:func:`estimate_area`), and take mapped netlists and the instance
tree from here.
"""

from .codebook_forms import FORMS
from .design import check_design, design_modules
from .estimate import estimate_area, measure_area
from .hierarchy import GROUPS, Place, count_instances, instances
from .liberty import Cell, Library, read_liberties
from .liberty_function import evaluate
from .libraries import OPEN_LIBRARIES, CellLibrary, choose_library, open_library_files
from .memories import macro_for, memory_rows, memory_shape
from .modules import split_modules
from .synthesis import SPEED, Memory, SynthesizedModule, read_mapped, synthesize

__all__ = [
    "FORMS", "GROUPS", "OPEN_LIBRARIES", "SPEED", "Cell", "CellLibrary", "Library", "Memory",
    "Place",
    "SynthesizedModule", "check_design", "choose_library", "count_instances", "design_modules",
    "estimate_area", "evaluate", "instances", "macro_for", "measure_area", "memory_rows",
    "memory_shape", "open_library_files", "read_liberties", "read_mapped", "split_modules",
    "synthesize",
]
