"""Measuring what a run costs: its time at a clock, its energy."""

from .energy import DEFAULT_WINDOWS, WINDOW_CYCLES, energy
from .static_timing import at_clock, load_clock, timing, timing_of

__all__ = ["DEFAULT_WINDOWS", "WINDOW_CYCLES", "at_clock", "energy", "load_clock", "timing",
           "timing_of"]
