"""Requests and bursts: what units ask of the DMA, and what AXI lets it ask of the bus."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from vqrom_hw.isa import POSITION

from .axi import ADDRESS_BITS, BOUNDARY

_ORIGIN = {"tag": unsigned(2), "command": unsigned(POSITION)}

origin_layout = data.StructLayout(_ORIGIN)
"""Whose traffic a beat is. ``tag``: the traffic stream under which it is counted
(:class:`vqrom_hw.isa.Stream`); ``command``: position in the program, for error reports."""

request_layout = data.StructLayout({"address": unsigned(ADDRESS_BITS), "beats": unsigned(24),
                                    **_ORIGIN})
"""A transfer of any length: ``beats`` bus beats from the beat-aligned byte ``address`` on."""

burst_layout = data.StructLayout({"address": unsigned(ADDRESS_BITS), "beats": unsigned(9),
                                  **_ORIGIN})
"""One AXI burst of 1 to 256 beats from the beat-aligned byte ``address`` on."""


class BurstSplitter(wiring.Component):
    """Cut requests into bursts that AXI allows.

    A request may be as long as a layer's weights. AXI moves at most 256 beats in a burst, and no
    burst may cross a 4 KiB boundary, since a subordinate may end there. The splitter therefore
    offers one burst after the other, each as long as the limits permit, and moves the request's
    start behind it.

    A request is taken when the one before has been issued whole; its first burst is offered in the
    next cycle, and each further one in the cycle after its predecessor was taken.

    Parameters
    ----------
    beat_bytes:
        Bytes of a bus beat, a power of two.
    max_beats:
        Longest burst in beats, 1 to 256.

    Members
    -------
    i: ``In(stream.Signature(request_layout))``
        Requests; one of no beats vanishes.
    o: ``Out(stream.Signature(burst_layout))``
        The bursts of each request, in order of their addresses.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, beat_bytes: int, max_beats: int) -> None:
        self._beat_bits = exact_log2(beat_bytes)
        self._max_beats = max_beats
        super().__init__({"i": In(stream.Signature(request_layout)),
                          "o": Out(stream.Signature(burst_layout))})

    def elaborate(self, platform: object) -> Module:
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
