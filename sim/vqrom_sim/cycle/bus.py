"""Bus and DRAM: :mod:`vqrom_hw.dma_read`, :mod:`vqrom_hw.dma_write` and ``rtl/dram.sv``."""

from numba import njit

from vqrom_hw.axi import BOUNDARY
from vqrom_hw.dma import REQUEST_QUEUE
from vqrom_hw.dma_read import OUTSTANDING
from vqrom_hw.dma_write import OUTSTANDING as UNACKNOWLEDGED

DRAM_QUEUE = 16
"""Bursts that the simulated DRAM queues each way."""

# A read stream: the burst splitter, room, the FIFO, and a ring of requests (address, beats, tag).
S_ADDRESS, S_BEATS, S_TAG, S_FREE, S_INNER, S_READY, S_QUEUED, S_HEAD, S_RING = range(9)
STREAM_SIZE = S_RING + 3 * REQUEST_QUEUE

# The read side of the bus: address register, outstanding bursts (stream, tag), data register.
R_VALID_ADDRESS, R_BURST, R_ORDERED, R_ORDER_HEAD, R_DATA, R_LAST, R_WAITING, R_WAIT_HEAD, R_NOW, \
    R_ORDER = range(10)
R_DUE = R_ORDER + 2 * OUTSTANDING
R_LEFT = R_DUE + DRAM_QUEUE
READ_SIZE = R_LEFT + DRAM_QUEUE

# The write side.
W_ADDRESS, W_BEATS, W_LEFT, W_VALID_ADDRESS, W_VALID, W_LAST, W_ORDERED, W_OPENED, W_OWED, \
    W_ANSWER = range(10)
WRITE_SIZE = 10


@njit(cache=True)
def burst_beats(address, beats, beat_bytes, most):
    """Length of the next burst of a request."""
    limit = min((BOUNDARY - address % BOUNDARY) // beat_bytes, most)
    return min(beats, limit)


@njit(cache=True)
def push_request(stream, address, beats, tag):
    """Queue a request; the caller has seen room."""
    place = S_RING + 3 * ((stream[S_HEAD] + stream[S_QUEUED]) % REQUEST_QUEUE)
    stream[place] = address
    stream[place + 1] = beats
    stream[place + 2] = tag
    stream[S_QUEUED] += 1


@njit(cache=True)
def _take_request(stream, queued):
    """The splitter takes the oldest of the requests that were there when the cycle began."""
    if stream[S_BEATS] == 0 and queued:
        place = S_RING + 3 * stream[S_HEAD]
        stream[S_ADDRESS] = stream[place]
        stream[S_BEATS] = stream[place + 1]
        stream[S_TAG] = stream[place + 2]
        stream[S_HEAD] = (stream[S_HEAD] + 1) % REQUEST_QUEUE
        stream[S_QUEUED] -= 1


@njit(cache=True)
def step_streams(streams, read, queued, pops, beat_bytes, most):
    """FIFOs, splitters and the address channel; returns nothing.

    ``queued``: requests of each stream at the beginning of the cycle; ``pops``: beats taken.
    """
    arrival = read[R_ORDER + 2 * read[R_ORDER_HEAD]] if read[R_DATA] else -1
    slot = read[R_ORDERED] < OUTSTANDING and (not read[R_VALID_ADDRESS]
                                              or read[R_WAITING] < DRAM_QUEUE)
    accepted = read[R_VALID_ADDRESS] and read[R_WAITING] < DRAM_QUEUE
    granted, length, tag = -1, 0, 0
    for number in range(streams.shape[0]):
        stream = streams[number]
        issued = 0
        if stream[S_BEATS]:
            beats = burst_beats(stream[S_ADDRESS], stream[S_BEATS], beat_bytes, most)
            if slot and granted < 0 and stream[S_FREE] >= beats:
                granted, length, tag, issued = number, beats, stream[S_TAG], beats
                stream[S_ADDRESS] += beats * beat_bytes
                stream[S_BEATS] -= beats
        if not issued:
            _take_request(stream, queued[number])
        stream[S_FREE] += pops[number] - issued
        inner = stream[S_INNER] > 0 and (not stream[S_READY] or pops[number])
        if inner or pops[number]:
            stream[S_READY] = 1 if inner else 0
        stream[S_INNER] += (arrival == number) - (1 if inner else 0)
    return accepted, granted, length, tag


@njit(cache=True)
def step_read(read, accepted, granted, length, tag, latency):
    """Outstanding bursts and the DRAM's read side, after :func:`step_streams`."""
    if read[R_DATA] and read[R_LAST]:
        read[R_ORDER_HEAD] = (read[R_ORDER_HEAD] + 1) % OUTSTANDING
        read[R_ORDERED] -= 1
    head = read[R_WAIT_HEAD]
    serve = read[R_WAITING] > 0 and read[R_NOW] >= read[R_DUE + head]
    if accepted:
        place = (head + read[R_WAITING]) % DRAM_QUEUE
        read[R_LEFT + place] = read[R_BURST]
        read[R_DUE + place] = read[R_NOW] + latency - 1
    last = serve and read[R_LEFT + head] == 1
    read[R_DATA] = 1 if serve else 0
    if serve:
        read[R_LAST] = 1 if last else 0
        read[R_LEFT + head] -= 1
    if last:
        read[R_WAIT_HEAD] = (head + 1) % DRAM_QUEUE
    read[R_WAITING] += (1 if accepted else 0) - (1 if last else 0)
    read[R_NOW] += 1
    if granted >= 0:
        place = R_ORDER + 2 * ((read[R_ORDER_HEAD] + read[R_ORDERED]) % OUTSTANDING)
        read[place] = granted
        read[place + 1] = tag
        read[R_ORDERED] += 1
        read[R_VALID_ADDRESS] = 1
        read[R_BURST] = length
    elif accepted:
        read[R_VALID_ADDRESS] = 0


@njit(cache=True)
def write_idle(write):
    """Nothing is left to write or to be acknowledged."""
    return write[W_LEFT] == 0 and write[W_ORDERED] == 0 and write[W_BEATS] == 0


@njit(cache=True)
def write_takes(write):
    """A beat that is offered is taken in this cycle."""
    return write[W_LEFT] > 0 and (not write[W_VALID] or write[W_OPENED] > 0)


@njit(cache=True)
def step_write(write, offered, request, address, beats, beat_bytes, most):
    """One cycle of the write DMA and the DRAM's write side.

    ``offered``: a beat is offered; ``request``: ``beats`` from ``address`` on are asked for, and
    the splitter is free. Returns whether a beat went over the bus.
    """
    address_ready = write[W_OPENED] < DRAM_QUEUE
    data_ready = write[W_OPENED] > 0
    begin = (write[W_BEATS] > 0 and write[W_LEFT] == 0 and write[W_ORDERED] < UNACKNOWLEDGED
             and (not write[W_VALID_ADDRESS] or address_ready))
    load = offered and write_takes(write)
    opened = write[W_VALID_ADDRESS] and address_ready
    moved = write[W_VALID] and data_ready
    closed = moved and write[W_LAST]
    acknowledged, answer = write[W_ANSWER], write[W_OWED] > 0

    write[W_ORDERED] += (1 if begin else 0) - acknowledged
    write[W_ANSWER] = 1 if answer else 0
    write[W_OWED] += (1 if closed else 0) - (1 if answer else 0)
    write[W_OPENED] += (1 if opened else 0) - (1 if closed else 0)
    if address_ready:
        write[W_VALID_ADDRESS] = 0
    if data_ready:
        write[W_VALID] = 0
    if load:
        write[W_VALID] = 1
        write[W_LAST] = 1 if write[W_LEFT] == 1 else 0
        write[W_LEFT] -= 1
    if begin:
        length = burst_beats(write[W_ADDRESS], write[W_BEATS], beat_bytes, most)
        write[W_VALID_ADDRESS] = 1
        write[W_LEFT] = length
        write[W_ADDRESS] += length * beat_bytes
        write[W_BEATS] -= length
    elif request:
        write[W_ADDRESS] = address
        write[W_BEATS] = beats
    return moved
