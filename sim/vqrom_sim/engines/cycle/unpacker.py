"""An unpacker, cycle by cycle: the control of :mod:`vqrom_hw.lib.unpacker`."""

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
