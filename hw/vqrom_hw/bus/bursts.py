"""DMA building blocks: requests into bursts, and read streams with prefetch."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from vqrom_hw.isa import POSITION

from .axi import ADDRESS_BITS, BOUNDARY

REQUEST_QUEUE = 4
"""Requests that a stream keeps waiting, so that a program can prefetch ahead of use."""

_ORIGIN = {"tag": unsigned(2), "command": unsigned(POSITION)}

origin_layout = data.StructLayout(_ORIGIN)
"""Whose traffic it is: ``tag`` names the counter, ``command`` the position in the program."""

request_layout = data.StructLayout({"address": unsigned(ADDRESS_BITS), "beats": unsigned(24),
                                    **_ORIGIN})
"""``beats`` bus beats from the beat-aligned byte ``address``."""

burst_layout = data.StructLayout({"address": unsigned(ADDRESS_BITS), "beats": unsigned(9),
                                  **_ORIGIN})
"""One AXI burst of 1..256 beats."""


class BurstSplitter(wiring.Component):
    """Cut requests into bursts of at most ``max_beats`` that cross no 4 KiB boundary.

    A request is taken when the one before has been issued whole; its first burst is offered in the
    next cycle.

    Members
    -------
    i: ``In(stream.Signature(request_layout))``
        Requests; those of no beats vanish.
    o: ``Out(stream.Signature(burst_layout))``
        Their bursts in order.
    """

    def __init__(self, beat_bytes: int, max_beats: int):
        self._beat_bits = exact_log2(beat_bytes)
        self._max_beats = max_beats
        super().__init__({"i": In(stream.Signature(request_layout)),
                          "o": Out(stream.Signature(burst_layout))})

    def elaborate(self, platform):
        m = Module()
        current = Signal(request_layout)
        to_boundary = Signal(range((BOUNDARY >> self._beat_bits) + 1))
        limit, beats = Signal(9), Signal(9)
        m.d.comb += [
            to_boundary.eq((BOUNDARY - current.address[:exact_log2(BOUNDARY)]) >> self._beat_bits),
            limit.eq(Mux(to_boundary < self._max_beats, to_boundary, self._max_beats)),
            beats.eq(Mux(current.beats < limit, current.beats, limit)),
            self.i.ready.eq(current.beats == 0),
            self.o.valid.eq(current.beats != 0),
            self.o.payload.address.eq(current.address),
            self.o.payload.beats.eq(beats),
            self.o.payload.tag.eq(current.tag),
            self.o.payload.command.eq(current.command),
        ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += current.eq(self.i.payload)
        with m.Elif(self.o.valid & self.o.ready):
            m.d.sync += [current.address.eq(current.address + (beats << self._beat_bits)),
                         current.beats.eq(current.beats - beats)]
        return m


class ReadStream(wiring.Component):
    """Prefetch requests into a FIFO; a burst is asked for only when the FIFO has room for it.

    So the read data channel never waits for a consumer, and the order of requests alone decides
    when data arrive.

    Members
    -------
    request: ``In(stream.Signature(request_layout))``
        Queue of up to ``REQUEST_QUEUE`` requests beside the one in progress.
    burst: ``Out(stream.Signature(burst_layout))``
        Bursts to issue.
    beat: ``In(stream.Signature(bus_width))``
        Their data in order; always ready.
    o: ``Out(stream.Signature(bus_width))``
        Prefetched beats, two cycles after they arrived.
    """

    def __init__(self, bus_width: int, depth: int, max_beats: int):
        self._bus_width = bus_width
        self._depth = depth
        self._max_beats = max_beats
        super().__init__({
            "request": In(stream.Signature(request_layout)),
            "burst": Out(stream.Signature(burst_layout)),
            "beat": In(stream.Signature(bus_width)),
            "o": Out(stream.Signature(bus_width)),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.queue = queue = fifo.SyncFIFO(width=request_layout.size, depth=REQUEST_QUEUE)
        m.submodules.splitter = splitter = BurstSplitter(self._bus_width // 8, self._max_beats)
        m.submodules.beats = beats = fifo.SyncFIFOBuffered(width=self._bus_width, depth=self._depth)
        free = Signal(range(self._depth + 1), init=self._depth)
        room, issue, pop = Signal(), Signal(), Signal()
        m.d.comb += [
            queue.w_data.eq(self.request.payload), queue.w_en.eq(self.request.valid),
            self.request.ready.eq(queue.w_rdy),
            splitter.i.payload.eq(queue.r_data), splitter.i.valid.eq(queue.r_rdy),
            queue.r_en.eq(splitter.i.ready),
            room.eq(free >= splitter.o.payload.beats),
            self.burst.payload.eq(splitter.o.payload),
            self.burst.valid.eq(splitter.o.valid & room),
            issue.eq(self.burst.valid & self.burst.ready),
            splitter.o.ready.eq(issue),
            beats.w_data.eq(self.beat.payload), beats.w_en.eq(self.beat.valid),
            self.beat.ready.eq(1),
            self.o.payload.eq(beats.r_data), self.o.valid.eq(beats.r_rdy),
            beats.r_en.eq(self.o.ready),
            pop.eq(self.o.valid & self.o.ready),
        ]
        m.d.sync += free.eq(free - Mux(issue, splitter.o.payload.beats, 0) + pop)
        return m
