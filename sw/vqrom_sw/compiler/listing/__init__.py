"""Listings: the plan and the program as lines of plain values, for people and for tests.

Nothing here decides anything. ``explain_network`` compiles and describes; ``describe_plan`` and
``disassemble`` describe what is compiled already. Each line has ``as_row()`` for a table.
"""

from .disassembly import CommandLine, Wait, disassemble
from .listing import CompilerListing, StageListing, explain_network
from .plan_lines import MapLine, SegmentLine, StripLine, WindowLine, describe_plan

__all__ = [
    "CommandLine", "CompilerListing", "MapLine", "SegmentLine", "StageListing", "StripLine", "Wait",
    "WindowLine", "describe_plan", "disassemble", "explain_network",
]
