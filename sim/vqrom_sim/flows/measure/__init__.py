"""Measuring what a run costs: energy."""

from .energy import DEFAULT_WINDOWS, WINDOW_CYCLES, energy

__all__ = ["DEFAULT_WINDOWS", "WINDOW_CYCLES", "energy"]
