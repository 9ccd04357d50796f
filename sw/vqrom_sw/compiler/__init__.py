"""From a quantised network to a program of the accelerator.

Layers become tasks, a plan decides which rows of which feature map are on the chip when, tasks emit
operations for each strip of rows, a schedule gives each operation what it has to wait for, and the
assembler makes commands and constants of them.
"""

from .compile import compile_graph, compile_network
from .feature_map import dense_input
from .graph import Graph, beyond_accelerator, is_depthwise
from .plan import BEAT_COST
from .program import COLUMN, COLUMNS, Program, align

__all__ = [
    "BEAT_COST", "COLUMN", "COLUMNS", "Graph", "Program", "align", "beyond_accelerator",
    "compile_graph", "compile_network", "dense_input", "is_depthwise",
]
