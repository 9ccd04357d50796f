"""LOAD and STORE: :mod:`vqrom_hw.transfer`, and banks of :mod:`vqrom_hw.activation_buffer`."""

from numba import njit

from vqrom_hw.transfer import ActivationStorer

from .weights import U_LEVEL, U_REMAINING, UNPACKER_SIZE, step_unpacker

QUEUE = ActivationStorer.QUEUE


@njit(cache=True)
def bank_of(address, bits):
    """Bank of a word, :func:`vqrom_hw.activation_buffer.bank_of`."""
    bank = 0
    if bits:
        while address:
            bank ^= address & ((1 << bits) - 1)
            address >>= bits
    return bank


# The loader.
D_RUNNING, D_LEVEL, D_WORDS, D_PACKETS, D_ADDRESS = range(5)
LOAD_SIZE = 5


@njit(cache=True)
def _lacks(level, last, window, hop):
    return level < window or (not last and level < hop)


@njit(cache=True)
def load_writes(load, window, hop):
    """The loader asks for the buffer's write port."""
    return load[D_RUNNING] and not _lacks(load[D_LEVEL], load[D_WORDS] == 1, window, hop)


@njit(cache=True)
def step_load(load, valid, emit, beat_offered, beat_bytes, words, packets, base, window, hop):
    """One cycle; returns ``(beat taken, command finished)``. ``emit``: a word is written."""
    if not load[D_RUNNING]:
        load[D_RUNNING] = 1 if valid else 0
        load[D_LEVEL], load[D_WORDS], load[D_PACKETS], load[D_ADDRESS] = 0, words, packets, base
        return False, False
    last = load[D_WORDS] == 1
    done = emit and last and load[D_PACKETS] == 1
    kept, left = load[D_LEVEL], load[D_WORDS]
    if emit:
        kept = 0 if last else kept - hop
        left = words if last else left - 1
    taken = not done and _lacks(kept, left == 1, window, hop) and beat_offered
    load[D_LEVEL] = kept + (beat_bytes if taken else 0)
    load[D_WORDS] = left
    load[D_PACKETS] -= 1 if emit and last else 0
    load[D_ADDRESS] += 1 if emit else 0
    if done:
        load[D_RUNNING] = 0
    return taken, done


# The storer; its unpacker comes last.
T_RUNNING, T_WORDS, T_BEATS, T_ADDRESS, T_ARRIVING, T_QUEUED, T_UNPACKER = range(7)
STORE_SIZE = T_UNPACKER + UNPACKER_SIZE


@njit(cache=True)
def store_reads(store):
    """The storer asks for the buffer's read port."""
    return store[T_WORDS] != 0 and store[T_QUEUED] + store[T_ARRIVING] < QUEUE


@njit(cache=True)
def store_offers(store, bus_width):
    """The storer offers a beat to the write DMA."""
    return (store[T_UNPACKER + U_REMAINING] > 0
            and store[T_UNPACKER + U_LEVEL] >= bus_width)


@njit(cache=True)
def step_store(store, valid, granted, sent, written, width, bus_width, words, beats, base):
    """One cycle; returns whether the command is finished.

    ``granted``: a word is read; ``sent``: the offered beat is taken; ``written``: all that went
    out is acknowledged.
    """
    begin = valid and not store[T_RUNNING] and store[T_UNPACKER + U_REMAINING] == 0
    flows = store[T_QUEUED] > 0 or (store[T_RUNNING] and store[T_WORDS] == 0
                                    and not store[T_ARRIVING])
    taken = step_unpacker(store[T_UNPACKER:], valid and not store[T_RUNNING], beats, flows, sent,
                          width, bus_width, bus_width, 1)
    done = store[T_RUNNING] and store[T_BEATS] == 0 and written
    popped = taken and store[T_QUEUED] > 0
    store[T_QUEUED] += store[T_ARRIVING] - (1 if popped else 0)
    store[T_ARRIVING] = 1 if granted else 0
    store[T_WORDS] -= 1 if granted else 0
    store[T_ADDRESS] += 1 if granted else 0
    store[T_BEATS] -= 1 if sent else 0
    if done:
        store[T_RUNNING] = 0
    elif begin:
        store[T_RUNNING] = 1
        store[T_WORDS], store[T_BEATS], store[T_ADDRESS] = words, beats, base
    return done
