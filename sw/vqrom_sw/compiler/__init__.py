"""The compiler: from a quantised network to a program of the accelerator.

Layers become tasks. A plan decides which feature maps stay on chip, and in which strips of map rows
the others pass through. Tasks emit operations for each strip, a schedule gives each operation what
it has to wait for, and assembly makes commands and constants of them. :mod:`.compile` shows all
passes on one page.

Other rooms compile with ``compile_network`` (or ``compile_graph``, from tasks that they made
themselves), run the ``Program``, and read its table by ``COLUMN``. ``explain_network``,
``describe_plan`` and ``disassemble`` show what was compiled, as data.
"""

from .compile import compile_graph, compile_network
from .feature_map import align, dense_input
from .listing import (
    CommandLine,
    CompilerListing,
    MapLine,
    SegmentLine,
    StripLine,
    Wait,
    WindowLine,
    describe_plan,
    disassemble,
    explain_network,
)
from .network_graph import beyond_accelerator
from .placement import host_reason, is_depthwise
from .plan import BEAT_COST
from .program import COLUMN, COLUMNS, Program
from .rewrites import Reload
from .task_graph import TaskGraph
from .tasks import vector_cycles

__all__ = [
    "BEAT_COST", "COLUMN", "COLUMNS", "CommandLine", "CompilerListing", "MapLine", "Program",
    "Reload", "SegmentLine", "StripLine", "TaskGraph", "Wait", "WindowLine", "align",
    "beyond_accelerator", "compile_graph", "compile_network", "dense_input", "describe_plan",
    "disassemble", "explain_network", "host_reason", "is_depthwise", "vector_cycles",
]
