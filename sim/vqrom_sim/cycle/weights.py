"""Weights: :mod:`vqrom_hw.unpack`, :mod:`vqrom_hw.weight_feed` and :mod:`vqrom_hw.decode`."""

from numba import njit

# An unpacker: items to come, bits held, item of its period.
U_REMAINING, U_LEVEL, U_PHASE = range(3)
UNPACKER_SIZE = 3


@njit(cache=True)
def item_offered(unpacker, out, last_out, period):
    """The unpacker offers an item."""
    short = unpacker[U_PHASE] == period - 1
    return unpacker[U_REMAINING] > 0 and unpacker[U_LEVEL] >= (last_out if short else out)


@njit(cache=True)
def step_unpacker(unpacker, length_offered, length, beat_offered, emit, width, out, last_out,
                  period):
    """One cycle; returns whether a beat is taken.

    ``emit``: the item that it offers is taken; ``width``: bits of a beat; ``out``, ``last_out``,
    ``period``: bits of an item, of the last one of each period.
    """
    remaining, kept = unpacker[U_REMAINING], unpacker[U_LEVEL]
    begin = length_offered and remaining == 0
    finish = emit and remaining == 1
    if emit:
        short = unpacker[U_PHASE] == period - 1
        kept -= last_out if short else out
        unpacker[U_PHASE] = 0 if short else unpacker[U_PHASE] + 1
    if remaining == 1 or (remaining == 2 and emit):
        ready = kept < last_out and not finish
    else:
        ready = begin or (remaining > 0 and kept < out)
    taken = ready and beat_offered
    unpacker[U_LEVEL] = 0 if finish else (kept + width if taken else kept)
    if begin:
        unpacker[U_REMAINING] = length
    elif emit:
        unpacker[U_REMAINING] = remaining - 1
    return taken


# The weight loader: steps begun, the last step happens now, all are held.
L_BEGUN, L_LAST_STEP, L_HELD = range(3)
LOADER_SIZE = 3


@njit(cache=True)
def weights_full(loader):
    """The array may take the next tile."""
    return loader[L_HELD] or loader[L_LAST_STEP]


@njit(cache=True)
def loader_takes(loader, take, steps):
    """The loader takes an item if it is offered one."""
    return take or loader[L_BEGUN] != steps


@njit(cache=True)
def step_loader(loader, accept, take, steps):
    """One cycle; returns whether the item is the last of its tile."""
    step = 0 if take else loader[L_BEGUN]
    loader[L_HELD] = 1 if weights_full(loader) and not take else 0
    last = step == steps - 1
    loader[L_LAST_STEP] = 1 if accept and last else 0
    loader[L_BEGUN] = step + (1 if accept else 0)
    return last
