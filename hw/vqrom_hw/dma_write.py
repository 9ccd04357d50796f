"""The AXI4 write manager."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from .axi import INCR, axi4_write_members
from .config import AcceleratorConfig
from .dma import BurstSplitter, request_layout


class WriteDma(wiring.Component):
    """Write a stream of beats to consecutive addresses, burst by burst.

    Members
    -------
    request: ``In(stream.Signature(request_layout))``
        Where and how many beats; taken when the previous request is finished.
    i: ``In(stream.Signature(bus_width))``
        The beats.
    idle: ``Out(1)``
        Every beat is written and acknowledged.
    error: ``Out(1)``
        An acknowledgement carries an error response.
    awvalid ... bresp:
        AXI4 write channels.
    """

    def __init__(self, config: AcceleratorConfig):
        self._config = config
        super().__init__({
            "request": In(stream.Signature(request_layout)),
            "i": In(stream.Signature(config.bus_width)),
            "idle": Out(1), "error": Out(1),
        } | axi4_write_members("", config.bus_width))

    def elaborate(self, platform):
        m = Module()
        config = self._config
        m.submodules.splitter = splitter = BurstSplitter(config.beat_bytes, config.max_burst_beats)
        wiring.connect(m, splitter.i, wiring.flipped(self.request))
        left, waiting = Signal(9), Signal(16)
        begin, acknowledged = Signal(), Signal()
        m.d.comb += [
            begin.eq(splitter.o.valid & (left == 0) & (~self.awvalid | self.awready)),
            splitter.o.ready.eq(begin),
            self.awsize.eq(exact_log2(config.beat_bytes)), self.awburst.eq(INCR),
            self.awcache.eq(0b0011),
            self.wvalid.eq(self.i.valid & (left != 0)), self.i.ready.eq(self.wready & (left != 0)),
            self.wdata.eq(self.i.payload), self.wstrb.eq(~0), self.wlast.eq(left == 1),
            self.bready.eq(1), acknowledged.eq(self.bvalid),
            self.error.eq(self.bvalid & self.bresp[1]),
            self.idle.eq((left == 0) & (waiting == 0) & ~self.awvalid & ~splitter.o.valid),
        ]
        with m.If(self.awready):
            m.d.sync += self.awvalid.eq(0)
        with m.If(begin):
            m.d.sync += [self.awvalid.eq(1), self.awaddr.eq(splitter.o.payload.address),
                         self.awlen.eq(splitter.o.payload.beats - 1),
                         left.eq(splitter.o.payload.beats)]
        with m.Elif(self.wvalid & self.wready):
            m.d.sync += left.eq(left - 1)
        m.d.sync += waiting.eq(waiting + begin - acknowledged)
        return m
