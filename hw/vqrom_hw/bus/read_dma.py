"""The AXI4 read manager: several prefetching streams on one in-order bus."""

from amaranth.hdl import Const, Module, ResetInserter, Signal, unsigned
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from vqrom_hw.config import AcceleratorConfig

from .axi import INCR, axi4_read_members
from .bursts import ReadStream, origin_layout, request_layout

OUTSTANDING_READS = 8
"""Bursts that may be under way at once."""


class ReadDma(wiring.Component):
    """Read streams with fixed priority: a lower number goes first, burst by burst.

    Parameters
    ----------
    depths:
        FIFO depth of each stream in beats.

    Members
    -------
    request_<n>: ``In(stream.Signature(request_layout))``,
    o_<n>: ``Out(stream.Signature(bus_width))``
        Requests and data of stream ``n``.
    beat: ``Out(len(depths))``, origin: ``Out(origin_layout)``
        One-hot: a beat for stream ``n`` arrives now, and whose it is.
    error: ``Out(1)``
        That beat carries an error response.
    flush: ``In(1)``, drained: ``Out(1)``
        While ``flush`` is high the streams forget everything, no burst is issued and what arrives
        is dropped; ``drained`` says that nothing is under way.
    arvalid ... rlast:
        AXI4 read channels.
    """

    def __init__(self, config: AcceleratorConfig, depths: tuple[int, ...]):
        self._config = config
        self._depths = depths
        members = {}
        for number in range(len(depths)):
            members[f"request_{number}"] = In(stream.Signature(request_layout))
            members[f"o_{number}"] = Out(stream.Signature(config.bus_width))
        super().__init__(members | {
            "beat": Out(len(depths)), "origin": Out(origin_layout), "error": Out(1),
            "flush": In(1), "drained": Out(1),
        } | axi4_read_members("", config.bus_width))

    def elaborate(self, platform):
        m = Module()
        config = self._config
        order_layout = data.StructLayout({"stream": unsigned(4), "origin": origin_layout})
        m.submodules.order = order = fifo.SyncFIFO(width=order_layout.size, depth=OUTSTANDING_READS)
        head, queued = data.View(order_layout, order.r_data), data.View(order_layout, order.w_data)
        taken, free = Signal(), Signal()
        m.d.comb += [
            self.arsize.eq(exact_log2(config.beat_bytes)), self.arburst.eq(INCR),
            self.arcache.eq(0b0011), self.rready.eq(1),
            order.r_en.eq(self.rvalid & self.rlast), order.w_en.eq(taken),
            self.error.eq(self.rvalid & self.rresp[1]), self.origin.eq(head.origin),
            free.eq((~self.arvalid | self.arready) & order.w_rdy & ~self.flush),
            self.drained.eq(~order.r_rdy & ~self.arvalid),
        ]
        with m.If(self.arready):
            m.d.sync += self.arvalid.eq(0)

        busy = Const(0)
        for number, depth in enumerate(self._depths):
            source = ReadStream(config.bus_width, depth, config.max_burst_beats)
            m.submodules[f"read_stream_{number}"] = ResetInserter(self.flush)(source)
            wiring.connect(m, source.request, wiring.flipped(getattr(self, f"request_{number}")))
            wiring.connect(m, source.o, wiring.flipped(getattr(self, f"o_{number}")))
            grant = free & source.burst.valid & ~busy
            burst = source.burst.payload
            m.d.comb += [
                source.burst.ready.eq(grant),
                source.beat.payload.eq(self.rdata),
                source.beat.valid.eq(self.rvalid & (head.stream == number)),
                self.beat[number].eq(source.beat.valid),
            ]
            with m.If(grant):
                m.d.comb += [taken.eq(1), queued.stream.eq(number),
                             queued.origin.tag.eq(burst.tag),
                             queued.origin.command.eq(burst.command)]
                m.d.sync += [self.arvalid.eq(1), self.araddr.eq(burst.address),
                             self.arlen.eq(burst.beats - 1)]
            busy = busy | source.burst.valid
        return m
