"""The compiler: from a quantised network to a program of the accelerator.

Layers become tasks. A plan decides which feature maps stay on chip, and in which strips of map rows
the others pass through. Tasks emit operations for each strip, a schedule gives each operation what
it has to wait for, and assembly makes commands and constants of them. :mod:`.compile` shows all
passes on one page.

A network is cut into stages, since the accelerator may not do all of its layers. Other rooms
compile with ``compile_stages`` (or ``compile_network``, where all layers are the accelerator's, or
``compile_graph``, from tasks that they made themselves), run each ``Program``, and read its table
by ``COLUMN``. ``explain_network``, ``describe_plan`` and ``disassemble`` show what was compiled, as
data.
"""

from .compile import (
    CompiledNetwork,
    compile_graph,
    compile_network,
    compile_stage,
    compile_stages,
)
from .feature_map import align, dense_input
from .listing import (
    CommandLine,
    CompilerListing,
    MapLine,
    SegmentLine,
    StageListing,
    StripLine,
    Wait,
    WindowLine,
    describe_plan,
    disassemble,
    explain_network,
)
from .placement import host_reason, is_depthwise
from .plan import BEAT_COST
from .program import COLUMN, COLUMNS, Program
from .rewrites import Reload
from .stages import Stage, cut_network
from .task_graph import TaskGraph
from .tasks import vector_cycles

__all__ = [
    "BEAT_COST", "COLUMN", "COLUMNS", "CommandLine", "CompiledNetwork", "CompilerListing",
    "MapLine", "Program", "Reload", "SegmentLine", "Stage", "StageListing", "StripLine",
    "TaskGraph", "Wait", "WindowLine", "align", "compile_graph", "compile_network",
    "compile_stage", "compile_stages", "cut_network", "dense_input", "describe_plan",
    "disassemble", "explain_network", "host_reason", "is_depthwise",
    "vector_cycles",
]
