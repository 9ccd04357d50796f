"""LOAD and STORE, cycle by cycle, and which bank of the activation buffer a word lies in.

Mirrors the control of :mod:`vqrom_hw.memory.load_store`, and the order of banks of
:mod:`vqrom_hw.memory.activation_buffer`.
"""

from __future__ import annotations

from vqrom_hw.memory import ActivationStorer

from . import places as at
from .columns import BASE, BEATS, HOP, PACKETS, WINDOW, WORDS
from .jit import Commands, Registers, compiled
from .state import Dimensions
from .unpacker import equal_items, step_unpacker

STORE_FIFO = ActivationStorer.QUEUE
"""Words that the storer keeps."""


@compiled
def bank_of(address: int, bits: int) -> int:
    """Bank of a word, as :func:`vqrom_hw.memory.activation_buffer.bank_of` says, among
    ``2**bits``."""
    bank = 0
    if bits:
        while address:
            bank ^= address & ((1 << bits) - 1)
            address >>= bits
    return bank


@compiled
def _lacks(level: int, last: bool, window: int, hop: int) -> bool:
    """Whether so many bytes are too few for the next word."""
    return level < window or (not last and level < hop)


@compiled
def load_writes(s: Registers, t: Commands, command: int) -> bool:
    """Whether the loader asks for the buffer's write port."""
    return s[at.D_RUNNING] != 0 and not _lacks(
        s[at.D_LEVEL], s[at.D_WORDS] == 1, t[command + WINDOW], t[command + HOP])


@compiled
def step_load(s: Registers, t: Commands, command: int, emit: bool, beat_offered: bool,
              beat_bytes: int) -> tuple[bool, bool]:
    """One cycle of the loader, at a command that may begin or is at work.

    Parameters
    ----------
    emit:
        Whether a word is written.
    beat_offered:
        Whether a beat of ``beat_bytes`` bytes is on offer.

    Returns
    -------
    tuple
        Whether the beat is taken, and whether the command is finished.
    """
    if not s[at.D_RUNNING]:
        s[at.D_RUNNING], s[at.D_LEVEL], s[at.D_ADDRESS] = 1, 0, t[command + BASE]
        s[at.D_WORDS], s[at.D_PACKETS] = t[command + WORDS], t[command + PACKETS]
        return False, False
    window, hop = t[command + WINDOW], t[command + HOP]
    last = s[at.D_WORDS] == 1
    done = emit and last and s[at.D_PACKETS] == 1
    kept, left = s[at.D_LEVEL], s[at.D_WORDS]
    if emit:
        kept = 0 if last else kept - hop
        left = t[command + WORDS] if last else left - 1
    taken = not done and _lacks(kept, left == 1, window, hop) and beat_offered
    s[at.D_LEVEL] = kept + (beat_bytes if taken else 0)
    s[at.D_WORDS] = left
    s[at.D_PACKETS] -= 1 if emit and last else 0
    s[at.D_ADDRESS] += 1 if emit else 0
    if done:
        s[at.D_RUNNING] = 0
    return taken, done


@compiled
def store_reads(s: Registers) -> bool:
    """Whether the storer asks for the buffer's read port."""
    return s[at.T_WORDS] != 0 and s[at.T_QUEUED] + s[at.T_ARRIVING] < STORE_FIFO


@compiled
def store_offers(s: Registers, bus_width: int) -> bool:
    """Whether the storer offers a beat of so many bits to the write DMA."""
    return (s[at.T_UNPACKER + at.U_REMAINING] > 0
            and s[at.T_UNPACKER + at.U_LEVEL] >= bus_width)


@compiled
def step_store(s: Registers, t: Commands, command: int, dims: Dimensions, granted: bool,
               sent: bool, acknowledged: bool) -> bool:
    """One cycle of the storer, at a command that may begin or is at work.

    Parameters
    ----------
    granted:
        Whether a word is read.
    sent:
        Whether the offered beat is taken.
    acknowledged:
        Whether all that went out is acknowledged.

    Returns
    -------
    bool
        Whether the command is finished.
    """
    starts = not s[at.T_RUNNING]
    begin = starts and s[at.T_UNPACKER + at.U_REMAINING] == 0
    flows = s[at.T_QUEUED] > 0 or (
        s[at.T_RUNNING] != 0 and s[at.T_WORDS] == 0 and not s[at.T_ARRIVING])
    # Words go in and beats come out: what the unpacker calls a beat is a word here.
    taken = step_unpacker(s, at.T_UNPACKER, equal_items(dims.word_width, dims.bus_width),
                          t[command + BEATS] if starts else 0, flows, sent)
    done = s[at.T_RUNNING] != 0 and s[at.T_BEATS] == 0 and acknowledged
    popped = taken and s[at.T_QUEUED] > 0
    s[at.T_QUEUED] += s[at.T_ARRIVING] - (1 if popped else 0)
    s[at.T_ARRIVING] = 1 if granted else 0
    s[at.T_WORDS] -= 1 if granted else 0
    s[at.T_ADDRESS] += 1 if granted else 0
    s[at.T_BEATS] -= 1 if sent else 0
    if done:
        s[at.T_RUNNING] = 0
    elif begin:
        s[at.T_RUNNING], s[at.T_ADDRESS] = 1, t[command + BASE]
        s[at.T_WORDS], s[at.T_BEATS] = t[command + WORDS], t[command + BEATS]
    return done
