"""Forged inputs by the thousand: how they ended, and what went wrong."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

from .cases import KINDS, Forger
from .pool import fault_of


def campaign(first: int, count: int, kinds: tuple[str, ...] = KINDS
             ) -> tuple[Counter[str], list[str]]:
    """Run the cases of some seeds, kind after kind.

    Parameters
    ----------
    first, count:
        Seeds; each is of the kind that its number says.
    kinds:
        Kinds among which they go round.

    Returns
    -------
    tuple
        How many ended in which way, by ``"kind ending"``; and a line with kind and seed for each
        fault.
    """
    ended, faults = Counter[str](), list[str]()
    with tempfile.TemporaryDirectory() as folder:
        forger = Forger(Path(folder))
        # Imports that commands put off are paid here, once.
        forger.warm_up()
        for seed in range(first, first + count):
            kind = kinds[seed % len(kinds)]
            ending, what = fault_of(forger.case(kind, seed))
            ended[f"{kind} {ending}"] += 1
            if ending == "fault":
                faults.append(f"{kind} {seed}: {what}")
    return ended, faults
