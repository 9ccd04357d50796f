"""Order: in which order commands stand in the list, and what each waits for.

``interleave`` lets array and vector unit take turns, ``schedule`` sorts the list by estimated
beginnings and finds the waits, with a ``WaitTracker`` that knows who touched which word last.
"""

from .durations import unit_cycles
from .interleaving import interleave
from .schedule import MOST_BEHIND, Schedule, schedule
from .waits import UNITS_OF, WaitTracker

__all__ = [
    "MOST_BEHIND", "UNITS_OF", "Schedule", "WaitTracker", "interleave", "schedule", "unit_cycles",
]
