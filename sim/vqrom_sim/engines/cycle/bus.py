"""Bus and DRAM, cycle by cycle.

The reading side mirrors :mod:`vqrom_hw.bus.read_dma` with its read channels, the writing side
:mod:`vqrom_hw.bus.write_dma`, and both the memory behind them, ``rtl/simulator/dram.sv``. Beats are
counted, their contents are not there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vqrom_hw.bus import BOUNDARY, OUTSTANDING_READS, OUTSTANDING_WRITES, REQUEST_QUEUE
from vqrom_sim.engines.dram import DRAM_QUEUE

from . import places as at
from .channels import READ_CHANNELS
from .jit import Registers, compiled
from .state import Dimensions

NONE = -1
"""No read channel."""


class Request(NamedTuple):
    """What a unit asks the DMA for.

    Members
    -------
    address:
        First byte.
    beats:
        How many beats from there.
    tag:
        Traffic stream that they are counted under.
    """

    address: int
    beats: int
    tag: int


class Wires(NamedTuple):
    """What the read channels and the units that they feed tell each other within a cycle.

    Members
    -------
    queued:
        Requests that waited in each channel when the cycle began.
    taken:
        Beats taken from each channel in this cycle.
    """

    queued: np.ndarray
    taken: np.ndarray


class ReadAddress(NamedTuple):
    """What happens on the read address channel in a cycle.

    Members
    -------
    accepted:
        The DRAM takes the burst on offer.
    channel:
        Read channel whose next burst goes on offer, or :data:`NONE`.
    beats, tag:
        That burst's length, and its traffic stream.
    """

    accepted: bool
    channel: int
    beats: int
    tag: int


@compiled
def channel_place(number: int) -> int:
    """Where a read channel's registers begin."""
    return at.CHANNELS + number * at.CHANNEL_SIZE


@compiled
def beat_offered(s: Registers, number: int) -> bool:
    """Whether a read channel offers a beat."""
    return s[channel_place(number) + at.H_READY] != 0


@compiled
def burst_beats(dims: Dimensions, address: int, beats: int) -> int:
    """Length of the next burst of a request of which so many beats are left."""
    limit = min((BOUNDARY - (address & (BOUNDARY - 1))) >> dims.beat_bits, dims.longest_burst)
    return min(beats, limit)


@compiled
def has_room(s: Registers, channel: int) -> bool:
    """Whether the read channel at a place can queue another request."""
    return s[channel + at.H_QUEUED] < REQUEST_QUEUE


@compiled
def push_request(s: Registers, channel: int, request: Request) -> None:
    """Queue a request in the read channel at a place; the caller has seen room."""
    last = (s[channel + at.H_HEAD] + s[channel + at.H_QUEUED]) & at.REQUEST_MASK
    place = channel + at.H_RING + 3 * last
    s[place] = request.address
    s[place + 1] = request.beats
    s[place + 2] = request.tag
    s[channel + at.H_QUEUED] += 1


@compiled
def _take_request(s: Registers, channel: int, queued: int) -> None:
    """The splitter takes the oldest of the requests that were there when the cycle began."""
    if s[channel + at.H_BEATS] == 0 and queued:
        place = channel + at.H_RING + 3 * s[channel + at.H_HEAD]
        s[channel + at.H_ADDRESS] = s[place]
        s[channel + at.H_BEATS] = s[place + 1]
        s[channel + at.H_TAG] = s[place + 2]
        s[channel + at.H_HEAD] = (s[channel + at.H_HEAD] + 1) & at.REQUEST_MASK
        s[channel + at.H_QUEUED] -= 1


@compiled
def step_channels(s: Registers, dims: Dimensions, wires: Wires) -> ReadAddress:
    """One cycle of the read channels: FIFOs, splitters, and which of them gets the bus."""
    arrival = s[at.R_ORDER + 2 * s[at.R_ORDER_HEAD]] if s[at.R_DATA] else NONE
    room = s[at.R_WAITING] < DRAM_QUEUE
    slot = s[at.R_ORDERED] < OUTSTANDING_READS and (not s[at.R_VALID_ADDRESS] or room)
    granted, length, tag = NONE, 0, 0
    for number in range(READ_CHANNELS):
        channel, taken = channel_place(number), wires.taken[number]
        if (s[channel + at.H_BEATS] == 0 and wires.queued[number] == 0 and taken == 0
                and arrival != number
                and (s[channel + at.H_INNER] == 0 or s[channel + at.H_READY])):
            continue
        issued = 0
        if s[channel + at.H_BEATS]:
            beats = burst_beats(dims, s[channel + at.H_ADDRESS], s[channel + at.H_BEATS])
            if slot and granted < 0 and s[channel + at.H_FREE] >= beats:
                granted, length, tag, issued = number, beats, s[channel + at.H_TAG], beats
                s[channel + at.H_ADDRESS] += beats << dims.beat_bits
                s[channel + at.H_BEATS] -= beats
        if not issued:
            _take_request(s, channel, wires.queued[number])
        s[channel + at.H_FREE] += taken - issued
        inner = s[channel + at.H_INNER] > 0 and (not s[channel + at.H_READY] or taken)
        if inner or taken:
            s[channel + at.H_READY] = 1 if inner else 0
        s[channel + at.H_INNER] += (arrival == number) - (1 if inner else 0)
    return ReadAddress(s[at.R_VALID_ADDRESS] != 0 and room, granted, length, tag)


@compiled
def step_read(s: Registers, dims: Dimensions, address: ReadAddress) -> None:
    """Bursts under way and the DRAM's reading side, after :func:`step_channels`."""
    if s[at.R_DATA] and s[at.R_LAST]:
        s[at.R_ORDER_HEAD] = (s[at.R_ORDER_HEAD] + 1) & at.READ_MASK
        s[at.R_ORDERED] -= 1
    head = s[at.R_WAIT_HEAD]
    serve = s[at.R_WAITING] > 0 and s[at.R_NOW] >= s[at.R_DUE + head]
    if address.accepted:
        place = (head + s[at.R_WAITING]) & at.DRAM_MASK
        s[at.R_LEFT + place] = s[at.R_BURST]
        s[at.R_DUE + place] = s[at.R_NOW] + dims.latency - 1
    last = serve and s[at.R_LEFT + head] == 1
    s[at.R_DATA] = 1 if serve else 0
    if serve:
        s[at.R_LAST] = 1 if last else 0
        s[at.R_LEFT + head] -= 1
    if last:
        s[at.R_WAIT_HEAD] = (head + 1) & at.DRAM_MASK
    s[at.R_WAITING] += (1 if address.accepted else 0) - (1 if last else 0)
    s[at.R_NOW] += 1
    if address.channel >= 0:
        place = at.R_ORDER + 2 * ((s[at.R_ORDER_HEAD] + s[at.R_ORDERED]) & at.READ_MASK)
        s[place] = address.channel
        s[place + 1] = address.tag
        s[at.R_ORDERED] += 1
        s[at.R_VALID_ADDRESS] = 1
        s[at.R_BURST] = address.beats
    elif address.accepted:
        s[at.R_VALID_ADDRESS] = 0


@compiled
def write_idle(s: Registers) -> bool:
    """Whether nothing is left to write or to be acknowledged."""
    return s[at.W_LEFT] == 0 and s[at.W_ORDERED] == 0 and s[at.W_BEATS] == 0


@compiled
def write_takes(s: Registers) -> bool:
    """Whether a beat that is offered to the write DMA is taken in this cycle."""
    return s[at.W_LEFT] > 0 and (not s[at.W_VALID] or s[at.W_OPENED] > 0)


@compiled
def step_write(s: Registers, dims: Dimensions, offered: bool, asks: bool,
               request: Request) -> bool:
    """One cycle of the write DMA and the DRAM's writing side.

    Parameters
    ----------
    offered:
        Whether a beat is offered.
    asks:
        Whether ``request`` is made; the splitter must be free.

    Returns
    -------
    bool
        Whether a beat goes over the bus.
    """
    address_ready, data_ready = s[at.W_OPENED] < DRAM_QUEUE, s[at.W_OPENED] > 0
    begin = (s[at.W_BEATS] > 0 and s[at.W_LEFT] == 0 and s[at.W_ORDERED] < OUTSTANDING_WRITES
             and (not s[at.W_VALID_ADDRESS] or address_ready))
    load = offered and write_takes(s)
    opened = s[at.W_VALID_ADDRESS] and address_ready
    moved = s[at.W_VALID] != 0 and data_ready
    closed = moved and s[at.W_LAST]
    acknowledged, answer = s[at.W_ANSWER], s[at.W_OWED] > 0

    s[at.W_ORDERED] += (1 if begin else 0) - acknowledged
    s[at.W_ANSWER] = 1 if answer else 0
    s[at.W_OWED] += (1 if closed else 0) - (1 if answer else 0)
    s[at.W_OPENED] += (1 if opened else 0) - (1 if closed else 0)
    if address_ready:
        s[at.W_VALID_ADDRESS] = 0
    if data_ready:
        s[at.W_VALID] = 0
    if load:
        s[at.W_VALID] = 1
        s[at.W_LAST] = 1 if s[at.W_LEFT] == 1 else 0
        s[at.W_LEFT] -= 1
    if begin:
        length = burst_beats(dims, s[at.W_ADDRESS], s[at.W_BEATS])
        s[at.W_VALID_ADDRESS] = 1
        s[at.W_LEFT] = length
        s[at.W_ADDRESS] += length << dims.beat_bits
        s[at.W_BEATS] -= length
    elif asks:
        s[at.W_ADDRESS] = request.address
        s[at.W_BEATS] = request.beats
    return moved
