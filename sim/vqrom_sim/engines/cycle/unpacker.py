"""An unpacker, cycle by cycle: mirrors the control of :mod:`vqrom_hw.lib.unpacker`.

The hardware re-cuts bus beats into items; here only the number of bits that it holds is kept.
"""

from __future__ import annotations

from typing import NamedTuple

from . import places as at
from .jit import Registers, compiled


class UnpackerShape(NamedTuple):
    """Widths of an unpacker, in bits.

    Members
    -------
    beat:
        A beat that goes in.
    item, last_item:
        An item that comes out, and the last one of each period.
    period:
        Items after which a short one comes.
    """

    beat: int
    item: int
    last_item: int
    period: int


@compiled
def equal_items(beat: int, item: int) -> UnpackerShape:
    """The shape of an unpacker whose items are all of one width."""
    return UnpackerShape(beat, item, item, 1)


@compiled
def item_offered(s: Registers, unpacker: int, shape: UnpackerShape) -> bool:
    """Whether the unpacker at a place offers an item."""
    short = s[unpacker + at.U_PHASE] == shape.period - 1
    return s[unpacker + at.U_REMAINING] > 0 and s[unpacker + at.U_LEVEL] >= (
        shape.last_item if short else shape.item)


@compiled
def step_unpacker(s: Registers, unpacker: int, shape: UnpackerShape, packet: int,
                  beat_offered: bool, emit: bool) -> bool:
    """One cycle of an unpacker.

    Parameters
    ----------
    packet:
        Items of the packet whose length is on offer; 0 where none is.
    beat_offered:
        Whether a beat is on offer.
    emit:
        Whether the item that it offers is taken.

    Returns
    -------
    bool
        Whether it takes the beat.
    """
    remaining, kept = s[unpacker + at.U_REMAINING], s[unpacker + at.U_LEVEL]
    begin = packet != 0 and remaining == 0
    finish = emit and remaining == 1
    if emit:
        short = s[unpacker + at.U_PHASE] == shape.period - 1
        kept -= shape.last_item if short else shape.item
        s[unpacker + at.U_PHASE] = 0 if short else s[unpacker + at.U_PHASE] + 1
    if remaining == 1 or (remaining == 2 and emit):
        ready = kept < shape.last_item and not finish
    else:
        ready = begin or (remaining > 0 and kept < shape.item)
    taken = ready and beat_offered
    s[unpacker + at.U_LEVEL] = 0 if finish else (kept + shape.beat if taken else kept)
    if begin:
        s[unpacker + at.U_REMAINING] = packet
    elif emit:
        s[unpacker + at.U_REMAINING] = remaining - 1
    return taken
