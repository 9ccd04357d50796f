"""From energy by cycle to energy by event: two numbers that add up to what was simulated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SETTLING = 16
"""Cycles before and after an event that may still belong to it: more than any pipeline has."""
ENOUGH = 32
"""Idle cycles from which their mean is taken."""


@dataclass(frozen=True)
class Attribution:
    """Energy of data that change in a component.

    Members
    -------
    event_fj:
        Of an event, beyond what the cycles cost anyway.
    cycle_fj:
        Of every cycle, whether something happens or not.
    idle_cycles:
        Cycles without an event nearby, of which ``cycle_fj`` is the mean.
    """

    event_fj: float
    cycle_fj: float
    idle_cycles: int

    def total_fj(self, events: float, cycles: float) -> float:
        """Energy of so many events in so many cycles."""
        return self.event_fj * events + self.cycle_fj * cycles


def attribute(energies: list[np.ndarray], events: list[np.ndarray]) -> Attribution:
    """Divide energy between events and cycles.

    A cycle costs what idle ones do on average, an event the rest of all energy: so events and
    cycles of the recording cost what was simulated. Without idle cycles all energy is that of
    events, without events that of cycles.

    Parameters
    ----------
    energies:
        For each window float64 ``[cycles]``: fJ of each cycle.
    events:
        For each window int64 ``[cycles]``: events of the same cycles.

    Raises
    ------
    AssertionError
        If the two numbers do not add up to the simulated energy.
    """
    idle = [_far_from(found > 0) for found in events]
    total = sum(float(energy.sum()) for energy in energies)
    cycles = sum(len(energy) for energy in energies)
    count = sum(int(found.sum()) for found in events)
    resting = np.concatenate([energy[at] for energy, at in zip(energies, idle, strict=True)])
    if not count:
        result = Attribution(0.0, total / cycles, len(resting))
    else:
        # A component whose idle cycles cost more than its busy ones does not work on these events.
        idle_fj = float(resting.mean()) if len(resting) >= ENOUGH else 0.0
        cycle = min(idle_fj, total / cycles)
        result = Attribution((total - cycle * cycles) / count, cycle, len(resting))
    if not np.isclose(result.total_fj(count, cycles), total, rtol=1e-9, atol=1e-9):
        raise AssertionError(f"events and cycles cost {result.total_fj(count, cycles)} fJ, "
                             f"simulated were {total} fJ")
    return result


def _far_from(busy: np.ndarray) -> np.ndarray:
    """Cycles that have no busy one within :data:`SETTLING` cycles before or after."""
    near = np.convolve(busy.astype(np.int64), np.ones(2 * SETTLING + 1, np.int64), "same")
    return near[:len(busy)] == 0 if len(busy) > 2 * SETTLING else np.zeros(len(busy), bool)
