"""Width conversion of packed streams: beats in, items out, packet by packet."""

from math import gcd

from amaranth.hdl import Module, Mux, Signal, Value, ValueLike
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.errors import VqromError

LENGTH_BITS = 32
"""Bits of a packet's length in items."""


class Unpacker(wiring.Component):
    """Re-cut a stream of ``in_width`` bits into items of ``out_width``, least significant first.

    Packed data ignore the bus: indices of 7 bits, or words of 12 bytes, run across the borders of
    beats. The unpacker keeps the bits that are left of the beats so far and hands out items as
    soon as it has enough. A packet starts at a beat and holds as many items as ``length`` says;
    what is left of its last beat is dropped. A beat of the next packet is never taken early, so
    that one FIFO may feed several unpackers in turn.

    One item per cycle when the input keeps up. A beat may be taken together with its packet's
    length, and an item leaves in the cycle after the beat that completes it. The next length is
    accepted in the cycle after a packet's last item.

    Parameters
    ----------
    in_width, out_width:
        Bits of a beat and of an item.
    period, last_width:
        Every ``period``-th item of a packet has only ``last_width`` bits, if given, as the last
        fill step of a tile has fewer indices; what the item carries above them is arbitrary.

    Members
    -------
    length: ``In(stream.Signature(32))``
        Number of items of the next packet, at least 1; whole periods.
    i: ``In(stream.Signature(in_width))``
        Beats of the packets, one packet after the other.
    o: ``Out(stream.Signature(out_width))``
        Items of the packets.
    last: ``Out(1)``
        ``o`` is the last item of its packet.

    Raises
    ------
    VqromError
        If a width or the period is not positive, or ``last_width`` is above ``out_width``.
    """

    length: stream.Interface
    i: stream.Interface
    o: stream.Interface
    last: Signal

    def __init__(self, in_width: int, out_width: int, period: int = 1,
                 last_width: int | None = None) -> None:
        last_width = out_width if last_width is None else last_width
        for name, width in (("in_width", in_width), ("out_width", out_width), ("period", period),
                            ("last_width", last_width)):
            if not isinstance(width, int) or width < 1:
                raise VqromError(f"{name} must be a positive integer, not {width!r}")
        if last_width > out_width:
            raise VqromError(f"last_width must be at most {out_width}, not {last_width!r}")
        self._in_width = in_width
        self._out_width = out_width
        self._period = period
        self._last_width = last_width
        super().__init__({
            "length": In(stream.Signature(LENGTH_BITS)),
            "i": In(stream.Signature(in_width)),
            "o": Out(stream.Signature(out_width)),
            "last": Out(1),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # All shifts are multiples of the unit, so it alone decides how many places a beat can go.
        unit = gcd(self._in_width, self._out_width, self._last_width)
        in_units, out_units = self._in_width // unit, self._out_width // unit
        last_units = self._last_width // unit
        most = out_units - 1 + in_units
        level, kept = Signal(range(most + 1)), Signal(range(most + 1))
        buffer, rest = Signal(most * unit), Signal(most * unit)
        remaining = Signal(LENGTH_BITS)
        begin, emit, accept, finish = Signal(), Signal(), Signal(), Signal()
        short = self._short(m, emit)
        needed = Mux(short, last_units, out_units)

        m.d.comb += [
            self.length.ready.eq(remaining == 0),
            begin.eq(self.length.valid & self.length.ready),
            self.o.valid.eq((remaining != 0) & (level >= needed)),
            self.o.payload.eq(buffer[:self._out_width]),
            self.last.eq(remaining == 1),
            emit.eq(self.o.valid & self.o.ready),
            finish.eq(emit & self.last),
            kept.eq(Mux(emit, level - needed, level)),
            rest.eq(Mux(emit, Mux(short, buffer >> self._last_width, buffer >> self._out_width),
                        buffer)),
            accept.eq(self.i.valid & self.i.ready),
        ]
        # A packet ends with a last item of its period. Before that, what is kept is less than
        # what is still to come; for that item alone it may be enough.
        with m.If((remaining == 1) | ((remaining == 2) & emit)):
            m.d.comb += self.i.ready.eq((kept < last_units) & ~finish)
        with m.Else():
            m.d.comb += self.i.ready.eq(begin | ((remaining != 0) & (kept < out_units)))
        beat = Signal(most * unit)
        with m.Switch(kept):
            for place in range(out_units):
                with m.Case(place):
                    m.d.comb += beat.eq(self.i.payload << (place * unit))
        m.d.sync += [
            level.eq(Mux(finish, 0, Mux(accept, kept + in_units, kept))),
            buffer.eq(Mux(finish, 0, Mux(accept, rest | beat, rest))),
        ]
        with m.If(begin):
            m.d.sync += remaining.eq(self.length.payload)
        with m.Elif(emit):
            m.d.sync += remaining.eq(remaining - 1)
        return m

    def _short(self, m: Module, emit: Value) -> ValueLike:
        """Whether the item in turn is the last one of its period."""
        if self._period == 1 or self._last_width == self._out_width:
            return self._period == 1
        phase = Signal(range(self._period))
        short = phase == self._period - 1
        with m.If(emit):
            m.d.sync += phase.eq(Mux(short, 0, phase + 1))
        return short
