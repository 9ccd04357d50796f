"""What the vector unit keeps of its packets, cycle by cycle: mirrors the control of
:mod:`vqrom_hw.vector.depthwise_store` and :mod:`vqrom_hw.vector.table_store`.

Both take their words from one unpacker, and only one of them at a time is at work: their states
are states of one register.
"""

from __future__ import annotations

from vqrom_hw.lib import parameter_layout
from vqrom_hw.vector import ENTRIES

from .registers import places as at
from .registers.columns import LANE_TABLES, TAPS
from .registers.jit import Commands, Registers, compiled
from .registers.state import Dimensions
from .unpacker import equal_items, item_offered, step_unpacker

PARAMETER_WORDS = parameter_layout.size // 8
"""Words of the buffer's width that hold the parameters of as many channels, one byte of each per
word."""

IDLE, PARAMETERS, LENGTH, WEIGHTS, TABLES = range(5)
"""States: nothing to do; the depthwise store takes parameters, tells the unpacker how many weights
come, takes those; the table store takes tables."""


@compiled
def _packet(s: Registers, t: Commands, command: int, rows: int, starts_weights: bool,
            starts_tables: bool) -> int:
    """Words of the packet whose length is on offer; 0 where none is."""
    if s[at.V_STORE] == LENGTH:
        return t[command + TAPS]
    if starts_weights:
        return PARAMETER_WORDS
    if starts_tables:
        return ENTRIES if t[command + LANE_TABLES] else (ENTRIES + rows - 1) // rows
    return 0


@compiled
def _step_tables(s: Registers, entries: int, filled: bool, stored: bool) -> None:
    """Go on to the next entries, and begin anew while there is nothing to do."""
    if s[at.V_STORE] == IDLE:
        s[at.V_ENTRY] = s[at.V_BYTE] = 0
    elif stored:
        s[at.V_ENTRY] += entries
        s[at.V_BYTE] = 0 if filled else s[at.V_BYTE] + 1


@compiled
def step_stores(s: Registers, t: Commands, command: int, dims: Dimensions, starts_weights: bool,
                starts_tables: bool, beat_offered: bool) -> tuple[bool, bool]:
    """One cycle of both stores.

    Parameters
    ----------
    starts_weights, starts_tables:
        Whether the depthwise store, the table store begins in this cycle.
    beat_offered:
        Whether a beat of a packet is on offer.

    Returns
    -------
    tuple
        Whether the beat is taken, and whether all packets of the command are stored.
    """
    unpacker, state, rows = at.V_UNPACKER, s[at.V_STORE], dims.word_width // 8
    shape = equal_items(dims.bus_width, dims.word_width)
    offered = item_offered(s, unpacker, shape)
    last = offered and s[unpacker + at.U_REMAINING] == 1
    entries = 1 if t[command + LANE_TABLES] else dims.table_step
    complete = s[at.V_ENTRY] == ENTRIES - entries
    # One table for all lanes: a few of its bytes are stored at once, and the word is kept until all
    # are.
    filled = s[at.V_BYTE] == rows // dims.table_step - 1
    emit = offered and (state != TABLES or t[command + LANE_TABLES] != 0 or complete or filled)
    packet = _packet(s, t, command, rows, starts_weights, starts_tables)
    taken = step_unpacker(s, unpacker, shape, packet, beat_offered, emit)
    done = (state == WEIGHTS and last) or (state == TABLES and offered and complete)
    _step_tables(s, entries, filled, state == TABLES and offered)
    if done:
        s[at.V_STORE] = IDLE
    elif state == IDLE:
        s[at.V_STORE] = (PARAMETERS if starts_weights else TABLES if starts_tables else IDLE)
    elif state == PARAMETERS:
        s[at.V_STORE] = LENGTH if last else PARAMETERS
    elif state == LENGTH:
        s[at.V_STORE] = WEIGHTS
    return taken, done
