"""The plan: where feature maps live, and in how many strips tasks run, so that little crosses the
bus.

``make_plan`` is the compiler's second pass. What it returns is data: the listing prints it, and
emission carries it out.
"""

from .plan import Life, Plan, Residency, RowWindow, Segment, Strip, WindowKey
from .planner import BEAT_COST, RowsDoNotFitError, make_plan

__all__ = [
    "BEAT_COST", "Life", "Plan", "Residency", "RowWindow", "RowsDoNotFitError", "Segment",
    "Strip", "WindowKey", "make_plan",
]
