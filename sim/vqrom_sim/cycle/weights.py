"""Weights: :mod:`vqrom_hw.unpack`, :mod:`vqrom_hw.weight_feed` and :mod:`vqrom_hw.decode`."""

from .bus import END as _FIRST
from .jit import compiled

# An unpacker: items to come, bits held, item of its period.
U_REMAINING, U_LEVEL, U_PHASE = range(3)
UNPACKER_SIZE = 3


@compiled
def item_offered(s, unpacker, out, last_out, period):
    """The unpacker offers an item."""
    short = s[unpacker + U_PHASE] == period - 1
    return s[unpacker + U_REMAINING] > 0 and s[unpacker + U_LEVEL] >= (last_out if short else out)


@compiled
def step_unpacker(s, unpacker, length_offered, length, beat_offered, emit, width, out, last_out,
                  period):
    """One cycle; returns whether a beat is taken.

    ``emit``: the item that it offers is taken; ``width``: bits of a beat; ``out``, ``last_out``,
    ``period``: bits of an item, of the last one of each period.
    """
    remaining, kept = s[unpacker + U_REMAINING], s[unpacker + U_LEVEL]
    begin = length_offered and remaining == 0
    finish = emit and remaining == 1
    if emit:
        short = s[unpacker + U_PHASE] == period - 1
        kept -= last_out if short else out
        s[unpacker + U_PHASE] = 0 if short else s[unpacker + U_PHASE] + 1
    if remaining == 1 or (remaining == 2 and emit):
        ready = kept < last_out and not finish
    else:
        ready = begin or (remaining > 0 and kept < out)
    taken = ready and beat_offered
    s[unpacker + U_LEVEL] = 0 if finish else (kept + width if taken else kept)
    if begin:
        s[unpacker + U_REMAINING] = length
    elif emit:
        s[unpacker + U_REMAINING] = remaining - 1
    return taken


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
