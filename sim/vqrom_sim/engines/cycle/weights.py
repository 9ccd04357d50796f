"""The weight feed and loader, cycle by cycle: the control of :mod:`vqrom_hw.weights.feed` and
:mod:`vqrom_hw.weights.loader`."""

from .bus import END as _FIRST
from .jit import compiled
from .unpacker import UNPACKER_SIZE

# The weight loader: steps begun, the last step happens now, all are held; the feed's unpacker.
L_BEGUN, L_LAST_STEP, L_HELD = range(_FIRST, _FIRST + 3)
L_UNPACKER = _FIRST + 3
END = L_UNPACKER + UNPACKER_SIZE


@compiled
def weights_full(s):
    """The array may take the next tile."""
    return s[L_HELD] or s[L_LAST_STEP]


@compiled
def loader_takes(s, take, steps):
    """The loader takes an item if it is offered one."""
    return take or s[L_BEGUN] != steps


@compiled
def step_loader(s, accept, take, steps):
    """One cycle; returns whether the item is the last of its tile."""
    step = 0 if take else s[L_BEGUN]
    s[L_HELD] = 1 if weights_full(s) and not take else 0
    last = step == steps - 1
    s[L_LAST_STEP] = 1 if accept and last else 0
    s[L_BEGUN] = step + (1 if accept else 0)
    return last
