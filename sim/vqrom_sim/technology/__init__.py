"""Technology: what a memory macro takes in area, time and energy, node by node.

A node is a TOML file, and every constant in it has a source and a range. The model makes a macro of
any shape from them; published macros say how far it is off.
"""


from .cacti import CactiEstimate, cacti_estimate, cacti_tools
from .constants import Constant, DramEnergy, LiteratureValue, PublishedMacro, Source
from .files import load_technology, technology_names
from .published import CheckedFigure, CheckSummary, check_published, summarise
from .shapes import KINDS, MacroEstimate, MemoryKind, MemoryShape
from .technology import Technology

__all__ = ["KINDS", "CactiEstimate", "CheckSummary", "CheckedFigure", "Constant", "DramEnergy",
           "LiteratureValue", "MacroEstimate", "MemoryKind", "MemoryShape", "PublishedMacro",
           "Source", "Technology", "cacti_estimate", "cacti_tools", "check_published",
           "load_technology", "summarise", "technology_names"]
