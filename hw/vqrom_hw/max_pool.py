"""Max pooling, one word of channels a cycle."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out


class MaxPool(wiring.Component):
    """Running maximum of each channel over a window; latency one cycle after its last word.

    Members
    -------
    valid: ``In(1)``, word: ``In(8 * rows)``
        ``rows`` int8 channels of one pixel of the window.
    inside: ``In(1)``
        The pixel is no padding; padding never wins.
    first, last: ``In(1)``
        First, last pixel of a window.
    o_valid: ``Out(1)``, o_word: ``Out(8 * rows)``
        The window's maximum.
    """

    def __init__(self, rows: int):
        self._rows = rows
        super().__init__({
            "valid": In(1), "word": In(8 * rows), "inside": In(1), "first": In(1), "last": In(1),
            "o_valid": Out(1), "o_word": Out(8 * rows),
        })

    def elaborate(self, platform):
        m = Module()
        layout = data.ArrayLayout(signed(8), self._rows)
        word, best = data.View(layout, self.word), Signal(layout)
        m.d.comb += self.o_word.eq(best)
        m.d.sync += self.o_valid.eq(self.valid & self.last)
        with m.If(self.valid):
            for lane in range(self._rows):
                candidate = Mux(self.inside, word[lane], -128)
                m.d.sync += best[lane].eq(
                    Mux(self.first | (candidate > best[lane]), candidate, best[lane]))
        return m
