"""Width conversion of packed streams: beats in, fields out, packet by packet."""

from math import gcd

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .errors import VqromError

LENGTH_BITS = 32


class Unpacker(wiring.Component):
    """Re-cut a stream of ``in_width`` bits into items of ``out_width``, least significant first.

    A packet starts at a beat and holds as many items as ``length`` says; what is left of its last
    beat is dropped. It never takes a beat of the next packet early. One item per cycle when the
    input keeps up; latency one cycle.

    Parameters
    ----------
    in_width, out_width:
        Bits of a beat and of an item.

    Members
    -------
    length: ``In(stream.Signature(32))``
        Items of the next packet, at least 1.
    i: ``In(stream.Signature(in_width))``
        Beats.
    o: ``Out(stream.Signature(out_width))``
        Items.

    Raises
    ------
    VqromError
        If a width is not positive.
    """

    def __init__(self, in_width: int, out_width: int):
        for name, width in (("in_width", in_width), ("out_width", out_width)):
            if not isinstance(width, int) or width < 1:
                raise VqromError(f"{name} must be a positive integer, not {width!r}")
        self._in_width = in_width
        self._out_width = out_width
        super().__init__({
            "length": In(stream.Signature(LENGTH_BITS)),
            "i": In(stream.Signature(in_width)),
            "o": Out(stream.Signature(out_width)),
        })

    def elaborate(self, platform):
        m = Module()
        # All shifts are multiples of the unit, so it alone decides how many places a beat can go.
        unit = gcd(self._in_width, self._out_width)
        in_units, out_units = self._in_width // unit, self._out_width // unit
        most = out_units - 1 + in_units
        level = Signal(range(most + 1))
        kept = Signal(range(most + 1))
        buffer = Signal(most * unit)
        rest = Signal(most * unit)
        remaining = Signal(LENGTH_BITS)
        emit, accept, finish = Signal(), Signal(), Signal()

        m.d.comb += [
            self.length.ready.eq(remaining == 0),
            self.o.valid.eq((remaining != 0) & (level >= out_units)),
            self.o.payload.eq(buffer[:self._out_width]),
            emit.eq(self.o.valid & self.o.ready),
            finish.eq(emit & (remaining == 1)),
            kept.eq(Mux(emit, level - out_units, level)),
            rest.eq(Mux(emit, buffer >> self._out_width, buffer)),
            self.i.ready.eq((remaining != 0) & (kept < out_units) & ~finish),
            accept.eq(self.i.valid & self.i.ready),
        ]
        beat = Signal(most * unit)
        with m.Switch(kept):
            for place in range(out_units):
                with m.Case(place):
                    m.d.comb += beat.eq(self.i.payload << (place * unit))
        m.d.sync += [
            level.eq(Mux(finish, 0, Mux(accept, kept + in_units, kept))),
            buffer.eq(Mux(finish, 0, Mux(accept, rest | beat, rest))),
        ]
        with m.If(self.length.valid & self.length.ready):
            m.d.sync += remaining.eq(self.length.payload)
        with m.Elif(emit):
            m.d.sync += remaining.eq(remaining - 1)
        return m
