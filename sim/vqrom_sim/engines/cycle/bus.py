"""Bus and DRAM: :mod:`vqrom_hw.bus.read_dma`, :mod:`vqrom_hw.bus.write_dma` and ``rtl/dram.sv``."""

from vqrom_hw.bus import BOUNDARY, OUTSTANDING_READS, OUTSTANDING_WRITES, REQUEST_QUEUE
from vqrom_sim.engines.dram import DRAM_QUEUE

from .jit import compiled

# In this package ``s`` holds all registers, int64, and ``t`` all commands, row after row; a unit
# knows where its registers lie, and ``command`` is where a command's row begins.

# A read stream: the burst splitter, room, the FIFO, and a ring of requests (address, beats, tag).
S_ADDRESS, S_BEATS, S_TAG, S_FREE, S_INNER, S_READY, S_QUEUED, S_HEAD, S_RING = range(9)
STREAM_SIZE = S_RING + 3 * REQUEST_QUEUE
STREAMS, STREAM = 5, 0
"""Read streams, and where the first one lies."""

# The read side of the bus: address register, outstanding bursts (stream, tag), data register.
R_VALID_ADDRESS, R_BURST, R_ORDERED, R_ORDER_HEAD, R_DATA, R_LAST, R_WAITING, R_WAIT_HEAD, R_NOW, \
    R_ORDER = range(STREAM + STREAMS * STREAM_SIZE, STREAM + STREAMS * STREAM_SIZE + 10)
R_DUE = R_ORDER + 2 * OUTSTANDING_READS
R_LEFT = R_DUE + DRAM_QUEUE

# The write side.
W_ADDRESS, W_BEATS, W_LEFT, W_VALID_ADDRESS, W_VALID, W_LAST, W_ORDERED, W_OPENED, W_OWED, \
    W_ANSWER = range(R_LEFT + DRAM_QUEUE, R_LEFT + DRAM_QUEUE + 10)
END = W_ANSWER + 1


@compiled
def burst_beats(address, beats, beat_bits, most):
    """Length of the next burst of a request."""
    limit = min((BOUNDARY - (address & (BOUNDARY - 1))) >> beat_bits, most)
    return min(beats, limit)


@compiled
def push_request(s, stream, address, beats, tag):
    """Queue a request; the caller has seen room."""
    last = (s[stream + S_HEAD] + s[stream + S_QUEUED]) & (REQUEST_QUEUE - 1)
    place = stream + S_RING + 3 * last
    s[place] = address
    s[place + 1] = beats
    s[place + 2] = tag
    s[stream + S_QUEUED] += 1


@compiled
def _take_request(s, stream, queued):
    """The splitter takes the oldest of the requests that were there when the cycle began."""
    if s[stream + S_BEATS] == 0 and queued:
        place = stream + S_RING + 3 * s[stream + S_HEAD]
        s[stream + S_ADDRESS] = s[place]
        s[stream + S_BEATS] = s[place + 1]
        s[stream + S_TAG] = s[place + 2]
        s[stream + S_HEAD] = (s[stream + S_HEAD] + 1) & (REQUEST_QUEUE - 1)
        s[stream + S_QUEUED] -= 1


@compiled
def step_streams(s, queued, pops, beat_bits, most):
    """FIFOs, splitters and the address channel: ``(address taken, stream granted or -1, beats,
    tag)``.

    ``queued``: requests of each stream at the beginning of the cycle; ``pops``: beats taken.
    """
    arrival = s[R_ORDER + 2 * s[R_ORDER_HEAD]] if s[R_DATA] else -1
    slot = s[R_ORDERED] < OUTSTANDING_READS and (not s[R_VALID_ADDRESS]
                                              or s[R_WAITING] < DRAM_QUEUE)
    accepted = s[R_VALID_ADDRESS] and s[R_WAITING] < DRAM_QUEUE
    granted, length, tag = -1, 0, 0
    for number in range(STREAMS):
        stream = STREAM + number * STREAM_SIZE
        if (s[stream + S_BEATS] == 0 and queued[number] == 0 and pops[number] == 0
                and arrival != number and (s[stream + S_INNER] == 0 or s[stream + S_READY])):
            continue
        issued = 0
        if s[stream + S_BEATS]:
            beats = burst_beats(s[stream + S_ADDRESS], s[stream + S_BEATS], beat_bits, most)
            if slot and granted < 0 and s[stream + S_FREE] >= beats:
                granted, length, tag, issued = number, beats, s[stream + S_TAG], beats
                s[stream + S_ADDRESS] += beats << beat_bits
                s[stream + S_BEATS] -= beats
        if not issued:
            _take_request(s, stream, queued[number])
        s[stream + S_FREE] += pops[number] - issued
        inner = s[stream + S_INNER] > 0 and (not s[stream + S_READY] or pops[number])
        if inner or pops[number]:
            s[stream + S_READY] = 1 if inner else 0
        s[stream + S_INNER] += (arrival == number) - (1 if inner else 0)
    return accepted, granted, length, tag


@compiled
def step_read(s, accepted, granted, length, tag, latency):
    """Outstanding bursts and the DRAM's read side, after :func:`step_streams`."""
    if s[R_DATA] and s[R_LAST]:
        s[R_ORDER_HEAD] = (s[R_ORDER_HEAD] + 1) & (OUTSTANDING_READS - 1)
        s[R_ORDERED] -= 1
    head = s[R_WAIT_HEAD]
    serve = s[R_WAITING] > 0 and s[R_NOW] >= s[R_DUE + head]
    if accepted:
        place = (head + s[R_WAITING]) & (DRAM_QUEUE - 1)
        s[R_LEFT + place] = s[R_BURST]
        s[R_DUE + place] = s[R_NOW] + latency - 1
    last = serve and s[R_LEFT + head] == 1
    s[R_DATA] = 1 if serve else 0
    if serve:
        s[R_LAST] = 1 if last else 0
        s[R_LEFT + head] -= 1
    if last:
        s[R_WAIT_HEAD] = (head + 1) & (DRAM_QUEUE - 1)
    s[R_WAITING] += (1 if accepted else 0) - (1 if last else 0)
    s[R_NOW] += 1
    if granted >= 0:
        place = R_ORDER + 2 * ((s[R_ORDER_HEAD] + s[R_ORDERED]) & (OUTSTANDING_READS - 1))
        s[place] = granted
        s[place + 1] = tag
        s[R_ORDERED] += 1
        s[R_VALID_ADDRESS] = 1
        s[R_BURST] = length
    elif accepted:
        s[R_VALID_ADDRESS] = 0


@compiled
def write_idle(s):
    """Nothing is left to write or to be acknowledged."""
    return s[W_LEFT] == 0 and s[W_ORDERED] == 0 and s[W_BEATS] == 0


@compiled
def write_takes(s):
    """A beat that is offered is taken in this cycle."""
    return s[W_LEFT] > 0 and (not s[W_VALID] or s[W_OPENED] > 0)


@compiled
def step_write(s, offered, request, address, beats, beat_bits, most):
    """One cycle of the write DMA and the DRAM's write side.

    ``offered``: a beat is offered; ``request``: ``beats`` from ``address`` on are asked for, and
    the splitter is free. Returns whether a beat went over the bus.
    """
    address_ready = s[W_OPENED] < DRAM_QUEUE
    data_ready = s[W_OPENED] > 0
    begin = (s[W_BEATS] > 0 and s[W_LEFT] == 0 and s[W_ORDERED] < OUTSTANDING_WRITES
             and (not s[W_VALID_ADDRESS] or address_ready))
    load = offered and write_takes(s)
    opened = s[W_VALID_ADDRESS] and address_ready
    moved = s[W_VALID] and data_ready
    closed = moved and s[W_LAST]
    acknowledged, answer = s[W_ANSWER], s[W_OWED] > 0

    s[W_ORDERED] += (1 if begin else 0) - acknowledged
    s[W_ANSWER] = 1 if answer else 0
    s[W_OWED] += (1 if closed else 0) - (1 if answer else 0)
    s[W_OPENED] += (1 if opened else 0) - (1 if closed else 0)
    if address_ready:
        s[W_VALID_ADDRESS] = 0
    if data_ready:
        s[W_VALID] = 0
    if load:
        s[W_VALID] = 1
        s[W_LAST] = 1 if s[W_LEFT] == 1 else 0
        s[W_LEFT] -= 1
    if begin:
        length = burst_beats(s[W_ADDRESS], s[W_BEATS], beat_bits, most)
        s[W_VALID_ADDRESS] = 1
        s[W_LEFT] = length
        s[W_ADDRESS] += length << beat_bits
        s[W_BEATS] -= length
    elif request:
        s[W_ADDRESS] = address
        s[W_BEATS] = beats
    return moved
