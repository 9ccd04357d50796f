"""The AXI4 read manager: several prefetching read channels on one in-order bus."""

from amaranth.hdl import Const, Module, ResetInserter, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Member, Out
from amaranth.utils import exact_log2

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.lib import HeadFifo

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
    stray: ``Out(1)``
        A beat arrives that no burst asked for, as after a reset; it is dropped.
    arvalid ... rlast:
        AXI4 read channels: :func:`~vqrom_hw.bus.axi.axi4_read_members`.
    """

    beat: Signal
    origin: data.View
    error: Signal
    flush: Signal
    drained: Signal
    stray: Signal
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
            "flush": In(1), "drained": Out(1), "stray": Out(1),
        } | axi4_read_members("", config.bus_width))
        self.requests = tuple(getattr(self, f"request_{number}") for number in channels)
        self.outputs = tuple(getattr(self, f"o_{number}") for number in channels)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        order_layout = data.StructLayout({"channel": unsigned(4), "origin": origin_layout})
        m.submodules.order = order = HeadFifo(order_layout.size, OUTSTANDING_READS)
        head = data.View(order_layout, order.o.payload)
        queued = data.View(order_layout, order.i.payload)
        taken, free, arrives = Signal(), Signal(), Signal()
        m.d.comb += [
            self.arsize.eq(exact_log2(config.beat_bytes)), self.arburst.eq(INCR),
            self.arcache.eq(BUFFERABLE), self.rready.eq(1),
            arrives.eq(self.rvalid & order.o.valid), self.stray.eq(self.rvalid & ~order.o.valid),
            order.o.ready.eq(arrives & self.rlast), order.i.valid.eq(taken),
            self.error.eq(arrives & self.rresp[1]), self.origin.eq(head.origin),
            free.eq((~self.arvalid | self.arready) & order.i.ready & ~self.flush),
            self.drained.eq(~order.o.valid & ~self.arvalid),
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
                source.beat.valid.eq(arrives & (head.channel == number)),
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
