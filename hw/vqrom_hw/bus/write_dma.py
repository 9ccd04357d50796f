"""The AXI4 write manager: beats into DRAM."""

from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import POSITION
from vqrom_hw.lib import HeadFifo

from .axi import BUFFERABLE, INCR, Axi4WritePorts, axi4_write_members
from .bursts import BurstSplitter, request_layout

OUTSTANDING_WRITES = 8
"""Bursts that may be unacknowledged at once. A power of two: the cycle model wraps with a mask."""


class WriteDma(Axi4WritePorts, wiring.Component):
    """Write beats to consecutive addresses of DRAM.

    Requests are cut into bursts as for reads. AXI acknowledges each burst on a channel of its own,
    much later; the command behind each burst is kept in a queue until then, so that a failed
    acknowledgement can be reported under its command, and so that ``idle`` tells when all data
    have truly arrived.

    A burst's address stands on the bus in the cycle after the burst is begun, its first beat at
    best one cycle later, and then a beat a cycle. The next burst is begun once the
    last beat is on the bus.

    Parameters
    ----------
    config:
        Width of the bus and longest burst.

    Members
    -------
    request: ``In(stream.Signature(request_layout))``
        Where the next beats go and how many they are; taken when all bursts of the previous
        request are begun.
    i: ``In(stream.Signature(bus_width))``
        The beats to write.
    idle: ``Out(1)``
        Every beat is written and acknowledged, and none is to come.
    error: ``Out(1)``
        An acknowledgement with an error response arrives in this cycle.
    command: ``Out(24)``
        Position in the program of the command whose burst is acknowledged next.
    stray: ``Out(1)``
        An acknowledgement arrives that no burst waits for, as after a reset; it is dropped.
    flush: ``In(1)``
        While it is high no burst is begun, and the beats of bursts that are begun are written
        without byte enables: AXI demands them all, and memory must not change.
    awvalid ... bresp:
        AXI4 write channels: :func:`~vqrom_hw.bus.axi.axi4_write_members`.
    """

    request: stream.Interface
    i: stream.Interface
    idle: Signal
    error: Signal
    command: Signal
    stray: Signal
    flush: Signal

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        super().__init__({
            "request": In(stream.Signature(request_layout)),
            "i": In(stream.Signature(config.bus_width)),
            "idle": Out(1), "error": Out(1), "command": Out(POSITION), "stray": Out(1),
            "flush": In(1),
        } | axi4_write_members("", config.bus_width))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        splitter = BurstSplitter(config.beat_bytes, config.max_burst_beats)
        m.submodules.splitter = ResetInserter(self.flush)(splitter)
        m.submodules.order = order = HeadFifo(POSITION, OUTSTANDING_WRITES)
        wiring.connect(m, splitter.i, wiring.flipped(self.request))
        # Beats of the burst begun last that are not yet on the bus.
        left = Signal(9)
        begin, load = Signal(), Signal()
        m.d.comb += [
            begin.eq(splitter.o.valid & (left == 0) & (~self.awvalid | self.awready)
                     & order.i.ready & ~self.flush),
            splitter.o.ready.eq(begin),
            order.i.valid.eq(begin), order.i.payload.eq(splitter.o.payload.command),
            order.o.ready.eq(self.bvalid), self.command.eq(order.o.payload),
            load.eq((left != 0) & (self.i.valid | self.flush) & (~self.wvalid | self.wready)),
            self.i.ready.eq(load),
            self.awsize.eq(exact_log2(config.beat_bytes)), self.awburst.eq(INCR),
            self.awcache.eq(BUFFERABLE), self.bready.eq(1),
            self.error.eq(self.bvalid & order.o.valid & self.bresp[1]),
            self.stray.eq(self.bvalid & ~order.o.valid),
            self.idle.eq((left == 0) & ~order.o.valid & ~splitter.o.valid),
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
