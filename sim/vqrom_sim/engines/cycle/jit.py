"""How the cycle model is compiled."""

from numba import njit

compiled = njit(cache=True, error_model="numpy", forceinline=True)
"""Machine code kept on disk, one function for the whole model: passing every unit's arguments on
takes longer than what a unit does in a cycle. No check for divisors of zero: there are none."""
