"""The AXI4 write manager."""

from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import POSITION

from .axi import INCR, axi4_write_members
from .bursts import BurstSplitter, request_layout

OUTSTANDING_WRITES = 8
"""Bursts that may be unacknowledged at once."""


class WriteDma(wiring.Component):
    """Write a stream of beats to consecutive addresses, burst by burst.

    Members
    -------
    request: ``In(stream.Signature(request_layout))``
        Where and how many beats; taken when all bursts of the previous request are begun.
    i: ``In(stream.Signature(bus_width))``
        The beats.
    idle: ``Out(1)``
        Every beat is written and acknowledged.
    error: ``Out(1)``, command: ``Out(24)``
        An acknowledgement carries an error response, and whose it is.
    flush: ``In(1)``
        While it is high no burst is begun, and the beats of those that were are written without
        byte enables, as AXI wants them all.
    awvalid ... bresp:
        AXI4 write channels.
    """

    def __init__(self, config: AcceleratorConfig):
        self._config = config
        super().__init__({
            "request": In(stream.Signature(request_layout)),
            "i": In(stream.Signature(config.bus_width)),
            "idle": Out(1), "error": Out(1), "command": Out(POSITION), "flush": In(1),
        } | axi4_write_members("", config.bus_width))

    def elaborate(self, platform):
        m = Module()
        config = self._config
        splitter = BurstSplitter(config.beat_bytes, config.max_burst_beats)
        m.submodules.splitter = ResetInserter(self.flush)(splitter)
        m.submodules.order = order = fifo.SyncFIFO(width=POSITION, depth=OUTSTANDING_WRITES)
        wiring.connect(m, splitter.i, wiring.flipped(self.request))
        left = Signal(9)
        begin, load = Signal(), Signal()
        m.d.comb += [
            begin.eq(splitter.o.valid & (left == 0) & (~self.awvalid | self.awready)
                     & order.w_rdy & ~self.flush),
            splitter.o.ready.eq(begin),
            order.w_en.eq(begin), order.w_data.eq(splitter.o.payload.command),
            order.r_en.eq(self.bvalid), self.command.eq(order.r_data),
            load.eq((left != 0) & (self.i.valid | self.flush) & (~self.wvalid | self.wready)),
            self.i.ready.eq(load),
            self.awsize.eq(exact_log2(config.beat_bytes)), self.awburst.eq(INCR),
            self.awcache.eq(0b0011), self.bready.eq(1),
            self.error.eq(self.bvalid & self.bresp[1]),
            self.idle.eq((left == 0) & ~order.r_rdy & ~splitter.o.valid),
        ]
        with m.If(self.awready):
            m.d.sync += self.awvalid.eq(0)
        with m.If(begin):
            m.d.sync += [self.awvalid.eq(1), self.awaddr.eq(splitter.o.payload.address),
                         self.awlen.eq(splitter.o.payload.beats - 1),
                         left.eq(splitter.o.payload.beats)]
        with m.If(self.wready):
            m.d.sync += self.wvalid.eq(0)
        with m.If(load):
            m.d.sync += [self.wvalid.eq(1), self.wdata.eq(self.i.payload),
                         self.wstrb.eq(~self.flush.replicate(config.beat_bytes)),
                         self.wlast.eq(left == 1), left.eq(left - 1)]
        return m
