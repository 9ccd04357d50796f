"""Where feature maps live and in how many strips layers run, so that little crosses the bus."""

from .plan import Plan, Residency, Step, Window
from .planner import BEAT_COST, make_plan

__all__ = ["BEAT_COST", "Plan", "Residency", "Step", "Window", "make_plan"]
