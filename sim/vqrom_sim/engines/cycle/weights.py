"""The weight loader, cycle by cycle: mirrors the control of :mod:`vqrom_hw.weights.loader`.

A tile fills the array's shadow registers in several steps, one item of the feed for each, while the
array works on the tile before. The feed's unpacker is stepped in :mod:`.units`.
"""

from __future__ import annotations

from . import places as at
from .jit import Registers, compiled


@compiled
def weights_full(s: Registers) -> bool:
    """Whether the array may take the next tile."""
    return s[at.L_HELD] != 0 or s[at.L_LAST_STEP] != 0


@compiled
def loader_takes(s: Registers, take: bool, steps: int) -> bool:
    """Whether the loader takes an item if it is offered one.

    Parameters
    ----------
    take:
        Whether the array takes the tile in this cycle.
    steps:
        Steps in which a tile fills the shadow registers.
    """
    return take or s[at.L_BEGUN] != steps


@compiled
def step_loader(s: Registers, accept: bool, take: bool, steps: int) -> bool:
    """One cycle of the loader.

    Parameters
    ----------
    accept:
        Whether it takes an item.
    take, steps:
        As for :func:`loader_takes`.

    Returns
    -------
    bool
        Whether that item is the last of its tile.
    """
    step = 0 if take else s[at.L_BEGUN]
    s[at.L_HELD] = 1 if weights_full(s) and not take else 0
    last = step == steps - 1
    s[at.L_LAST_STEP] = 1 if accept and last else 0
    s[at.L_BEGUN] = step + (1 if accept else 0)
    return last
