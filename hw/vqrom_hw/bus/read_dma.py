"""The AXI4 read manager: several prefetching read channels on one in-order bus."""

from amaranth.hdl import Const, Module, ResetInserter, Signal, Value, unsigned
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Member, Out
from amaranth.utils import exact_log2

from vqrom_hw.config import AcceleratorConfig

from .axi import BUFFERABLE, INCR, Axi4ReadPorts, axi4_read_members
from .bursts import origin_layout, request_layout
from .prefetch_fifo import PrefetchFifo

OUTSTANDING_READS = 8
"""Bursts that may be under way at once. A power of two: the cycle model wraps with a mask."""


class ReadDma(Axi4ReadPorts, wiring.Component):
    """Bring ranges of DRAM into the read channels' FIFOs.

    All channels share one AXI4 read port. They are served by fixed priority, a lower number first,
    burst by burst; each burst asked for is noted in a queue, and since the bus answers in order,
    the head of that queue tells which channel an arriving beat belongs to and which command asked
    for it.

    A burst that a channel offers stands on the bus in the next cycle, if the bus is free. Beats
    are always taken (``rready`` is constant), because a channel asks only for what its FIFO can
    hold.

    Parameters
    ----------
    config:
        Width of the bus and longest burst.
    depths:
        FIFO depth of each channel in beats; their number is the number of channels, at most 16.

    Members
    -------
    request_<n>: ``In(stream.Signature(request_layout))``
        Requests of channel ``n``, in Python :attr:`requests`.
    o_<n>: ``Out(stream.Signature(bus_width))``
        Data of channel ``n``, in Python :attr:`outputs`.
    beat: ``Out(len(depths))``
        One-hot: a beat of channel ``n`` arrives in this cycle.
    origin: ``Out(origin_layout)``
        Whose beat that is: its traffic stream and its command's position.
    error: ``Out(1)``
        That beat carries an error response.
    flush: ``In(1)``
        While it is high the channels forget everything, no burst is begun, and what arrives is
        dropped.
    drained: ``Out(1)``
        No burst is under way.
    arvalid ... rlast:
        AXI4 read channels: :func:`~vqrom_hw.bus.axi.axi4_read_members`.
    """

    beat: Signal
    origin: data.View
    error: Signal
    flush: Signal
    drained: Signal
    requests: tuple[stream.Interface, ...]
    """The ports ``request_<n>``, one for each channel."""
    outputs: tuple[stream.Interface, ...]
    """The ports ``o_<n>``, one for each channel."""

    def __init__(self, config: AcceleratorConfig, depths: tuple[int, ...]) -> None:
        self._config = config
        self._depths = depths
        channels = range(len(depths))
        members: dict[str, Member] = {}
        for number in channels:
            members[f"request_{number}"] = In(stream.Signature(request_layout))
            members[f"o_{number}"] = Out(stream.Signature(config.bus_width))
        super().__init__(members | {
            "beat": Out(len(depths)), "origin": Out(origin_layout), "error": Out(1),
            "flush": In(1), "drained": Out(1),
        } | axi4_read_members("", config.bus_width))
        self.requests = tuple(getattr(self, f"request_{number}") for number in channels)
        self.outputs = tuple(getattr(self, f"o_{number}") for number in channels)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        order_layout = data.StructLayout({"channel": unsigned(4), "origin": origin_layout})
        m.submodules.order = order = fifo.SyncFIFO(width=order_layout.size, depth=OUTSTANDING_READS)
        head, queued = data.View(order_layout, order.r_data), data.View(order_layout, order.w_data)
        taken, free = Signal(), Signal()
        m.d.comb += [
            self.arsize.eq(exact_log2(config.beat_bytes)), self.arburst.eq(INCR),
            self.arcache.eq(BUFFERABLE), self.rready.eq(1),
            order.r_en.eq(self.rvalid & self.rlast), order.w_en.eq(taken),
            self.error.eq(self.rvalid & self.rresp[1]), self.origin.eq(head.origin),
            free.eq((~self.arvalid | self.arready) & order.w_rdy & ~self.flush),
            self.drained.eq(~order.r_rdy & ~self.arvalid),
        ]
        with m.If(self.arready):
            m.d.sync += self.arvalid.eq(0)

        busy: Value = Const(0)
        for number, depth in enumerate(self._depths):
            source = PrefetchFifo(config.bus_width, depth, config.max_burst_beats)
            m.submodules[f"read_stream_{number}"] = ResetInserter(self.flush)(source)
            wiring.connect(m, source.request, wiring.flipped(self.requests[number]))
            wiring.connect(m, source.o, wiring.flipped(self.outputs[number]))
            grant = free & source.burst.valid & ~busy
            burst = source.burst.payload
            m.d.comb += [
                source.burst.ready.eq(grant),
                source.beat.payload.eq(self.rdata),
                source.beat.valid.eq(self.rvalid & (head.channel == number)),
                self.beat[number].eq(source.beat.valid),
            ]
            with m.If(grant):
                m.d.comb += [taken.eq(1), queued.channel.eq(number),
                             queued.origin.tag.eq(burst.tag),
                             queued.origin.command.eq(burst.command)]
                m.d.sync += [self.arvalid.eq(1), self.araddr.eq(burst.address),
                             self.arlen.eq(burst.beats - 1)]
            busy = busy | source.burst.valid
        return m
