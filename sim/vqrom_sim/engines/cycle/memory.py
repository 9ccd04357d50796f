"""LOAD and STORE, cycle by cycle: the control of :mod:`vqrom_hw.memory.load_store`, and the banks
of :mod:`vqrom_hw.memory.activation_buffer`.
"""

from vqrom_hw.memory import ActivationStorer

from .jit import compiled
from .unpacker import U_LEVEL, U_REMAINING, UNPACKER_SIZE, step_unpacker
from .weights import END as _FIRST

QUEUE = ActivationStorer.QUEUE


@compiled
def bank_of(address, bits):
    """Bank of a word, :func:`vqrom_hw.memory.activation_buffer.bank_of`."""
    bank = 0
    if bits:
        while address:
            bank ^= address & ((1 << bits) - 1)
            address >>= bits
    return bank


# The loader, and whether its DMA request is made.
D_RUNNING, D_LEVEL, D_WORDS, D_PACKETS, D_ADDRESS, D_REQUESTED = range(_FIRST, _FIRST + 6)


@compiled
def _lacks(level, last, window, hop):
    return level < window or (not last and level < hop)


@compiled
def load_writes(s, window, hop):
    """The loader asks for the buffer's write port."""
    return s[D_RUNNING] and not _lacks(s[D_LEVEL], s[D_WORDS] == 1, window, hop)


@compiled
def step_load(s, valid, emit, beat_offered, beat_bytes, words, packets, base, window, hop):
    """One cycle; returns ``(beat taken, command finished)``. ``emit``: a word is written."""
    if not s[D_RUNNING]:
        s[D_RUNNING] = 1 if valid else 0
        s[D_LEVEL], s[D_WORDS], s[D_PACKETS], s[D_ADDRESS] = 0, words, packets, base
        return False, False
    last = s[D_WORDS] == 1
    done = emit and last and s[D_PACKETS] == 1
    kept, left = s[D_LEVEL], s[D_WORDS]
    if emit:
        kept = 0 if last else kept - hop
        left = words if last else left - 1
    taken = not done and _lacks(kept, left == 1, window, hop) and beat_offered
    s[D_LEVEL] = kept + (beat_bytes if taken else 0)
    s[D_WORDS] = left
    s[D_PACKETS] -= 1 if emit and last else 0
    s[D_ADDRESS] += 1 if emit else 0
    if done:
        s[D_RUNNING] = 0
    return taken, done


# The storer likewise; its unpacker comes last.
T_RUNNING, T_WORDS, T_BEATS, T_ADDRESS, T_ARRIVING, T_QUEUED, T_REQUESTED, T_UNPACKER = range(
    D_REQUESTED + 1, D_REQUESTED + 9)
END = T_UNPACKER + UNPACKER_SIZE


@compiled
def store_reads(s):
    """The storer asks for the buffer's read port."""
    return s[T_WORDS] != 0 and s[T_QUEUED] + s[T_ARRIVING] < QUEUE


@compiled
def store_offers(s, bus_width):
    """The storer offers a beat to the write DMA."""
    return (s[T_UNPACKER + U_REMAINING] > 0
            and s[T_UNPACKER + U_LEVEL] >= bus_width)


@compiled
def step_store(s, valid, granted, sent, written, width, bus_width, words, beats, base):
    """One cycle; returns whether the command is finished.

    ``granted``: a word is read; ``sent``: the offered beat is taken; ``written``: all that went
    out is acknowledged.
    """
    begin = valid and not s[T_RUNNING] and s[T_UNPACKER + U_REMAINING] == 0
    flows = s[T_QUEUED] > 0 or (s[T_RUNNING] and s[T_WORDS] == 0
                                    and not s[T_ARRIVING])
    taken = step_unpacker(s, T_UNPACKER, valid and not s[T_RUNNING], beats, flows, sent,
                          width, bus_width, bus_width, 1)
    done = s[T_RUNNING] and s[T_BEATS] == 0 and written
    popped = taken and s[T_QUEUED] > 0
    s[T_QUEUED] += s[T_ARRIVING] - (1 if popped else 0)
    s[T_ARRIVING] = 1 if granted else 0
    s[T_WORDS] -= 1 if granted else 0
    s[T_ADDRESS] += 1 if granted else 0
    s[T_BEATS] -= 1 if sent else 0
    if done:
        s[T_RUNNING] = 0
    elif begin:
        s[T_RUNNING] = 1
        s[T_WORDS], s[T_BEATS], s[T_ADDRESS] = words, beats, base
    return done
