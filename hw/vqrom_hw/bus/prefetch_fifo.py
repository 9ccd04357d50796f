"""One read channel: requests in, prefetched beats out."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.lib import HeadFifo

from .bursts import BurstSplitter, burst_layout, request_layout

REQUEST_QUEUE = 4
"""Requests that a read channel keeps waiting, so that a program can prefetch ahead of use. A power
of two: the cycle model wraps its pointers with a mask."""


class PrefetchFifo(wiring.Component):
    """A FIFO that is filled from DRAM ahead of its reader.

    Each read channel of the DMA is one of these. Requests wait in a queue, a splitter cuts the one
    in turn into bursts, and a burst is offered to the bus only when the FIFO has room for all of
    it. So a beat that arrives is always taken: the AXI read data channel never waits for a slow
    reader, no channel can block another, and the order of requests alone decides when data arrive.

    A request that is put in is offered as a burst two cycles later at best, and a beat that
    arrives can be read two cycles later.

    Parameters
    ----------
    bus_width:
        Bits of a beat.
    depth:
        Beats that the FIFO holds, at least ``max_beats``.
    max_beats:
        Longest burst in beats.

    Members
    -------
    request: ``In(stream.Signature(request_layout))``
        What to read. Up to ``REQUEST_QUEUE`` requests wait beside the one in progress.
    burst: ``Out(stream.Signature(burst_layout))``
        Bursts for the bus; one that is offered stays offered, and as it is, until it is taken.
    beat: ``In(stream.Signature(bus_width))``
        The data of the bursts, in order; always ready.
    o: ``Out(stream.Signature(bus_width))``
        The prefetched beats.
    """

    request: stream.Interface
    burst: stream.Interface
    beat: stream.Interface
    o: stream.Interface

    def __init__(self, bus_width: int, depth: int, max_beats: int) -> None:
        self._bus_width = bus_width
        self._depth = depth
        self._max_beats = max_beats
        super().__init__({
            "request": In(stream.Signature(request_layout)),
            "burst": Out(stream.Signature(burst_layout)),
            "beat": In(stream.Signature(bus_width)),
            "o": Out(stream.Signature(bus_width)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.queue = queue = HeadFifo(request_layout.size, REQUEST_QUEUE)
        m.submodules.splitter = splitter = BurstSplitter(self._bus_width // 8, self._max_beats)
        m.submodules.beats = beats = fifo.SyncFIFOBuffered(width=self._bus_width, depth=self._depth)
        # Places of the FIFO that neither hold a beat nor are promised to a burst under way.
        free = Signal(range(self._depth + 1), init=self._depth)
        room, issue, pop = Signal(), Signal(), Signal()
        m.d.comb += [
            queue.i.payload.eq(self.request.payload), queue.i.valid.eq(self.request.valid),
            self.request.ready.eq(queue.i.ready),
            splitter.i.payload.eq(queue.o.payload), splitter.i.valid.eq(queue.o.valid),
            queue.o.ready.eq(splitter.i.ready),
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
