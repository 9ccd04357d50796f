"""Addresses of results, for post-processing and the vector unit."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.isa import ADDRESS


class TargetWalk(wiring.Component):
    """Walk the addresses at which results are stored, without multipliers.

    A unit produces its results map row by map row. In the activation buffer the words of a row
    need not lie side by side (a word of each pixel may be another unit's channels), nor the rows
    back to back. So the walk has two strides, from word to word and from row start to row start,
    and counts words to know where a row ends.

    Members
    -------
    width: ``In(20)``
        Results of a row, at least 1.
    stride: ``In(20)``
        Words from one result to the next.
    row_stride: ``In(20)``
        Words from the start of a row to the start of the next.
    start: ``In(1)``
        Begin anew at ``base``, from the next cycle on; wins over ``step``.
    base: ``In(20)``
        Word address of the first result; read with ``start``.
    step: ``In(1)``
        Go on to the next result, from the next cycle on.
    address: ``Out(20)``
        Word address of the present result.
    """

    width: Signal
    stride: Signal
    row_stride: Signal
    start: Signal
    base: Signal
    step: Signal
    address: Signal

    def __init__(self) -> None:
        super().__init__({
            "width": In(ADDRESS), "stride": In(ADDRESS), "row_stride": In(ADDRESS),
            "start": In(1), "base": In(ADDRESS), "step": In(1), "address": Out(ADDRESS),
        })

    def elaborate(self, platform: object) -> Module:
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
