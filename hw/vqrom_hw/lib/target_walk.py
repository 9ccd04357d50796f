"""Where results go, for post-processing and the vector unit."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.isa import ADDRESS


class TargetWalk(wiring.Component):
    """Addresses of results: rows of ``width`` words, without multipliers.

    Members
    -------
    width, stride, row_stride: ``In(20)``
        Words of a row, from one to the next, from row start to row start.
    start: ``In(1)``, base: ``In(20)``
        Begin anew at ``base``; wins over ``step``.
    step: ``In(1)``
        Go on.
    address: ``Out(20)``
        Word in turn.
    """

    def __init__(self):
        super().__init__({
            "width": In(ADDRESS), "stride": In(ADDRESS), "row_stride": In(ADDRESS),
            "start": In(1), "base": In(ADDRESS), "step": In(1), "address": Out(ADDRESS),
        })

    def elaborate(self, platform):
        m = Module()
        place, row, next_row = Signal(ADDRESS), Signal(ADDRESS), Signal(ADDRESS)
        m.d.comb += next_row.eq(row + self.row_stride)
        with m.If(self.start):
            m.d.sync += [place.eq(0), row.eq(self.base), self.address.eq(self.base)]
        with m.Elif(self.step & (place == self.width - 1)):
            m.d.sync += [place.eq(0), row.eq(next_row), self.address.eq(next_row)]
        with m.Elif(self.step):
            m.d.sync += [place.eq(place + 1), self.address.eq(self.address + self.stride)]
        return m
