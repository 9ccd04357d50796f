"""From the words of a window to one result for each lane."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.isa import PAIRS, WEIGHTED, VectorOp

from .choose import is_one_of

LOWEST = -128
"""What MAX sees outside of the map: no int8 is lower."""


class WindowReducer(wiring.Component):
    """Reduce the words of a window to one int32 for each lane; latency :attr:`LATENCY` cycles.

    Pooling, element-wise operations and depthwise convolution all look at a window of words, lane
    by lane: they take the maximum, the sum, the pair, or the sum of products with weights. The
    reducer keeps a running result for each lane.

    SLIDING is a depthwise convolution that reads every word of the map once although neighbouring
    windows share it: it multiplies a word with one weight for each column of the kernel, as a
    transposed filter does. Sum ``n`` belongs to the output that began ``n`` columns of the map ago,
    and with the end of a column each sum moves on by one.

    Parameters
    ----------
    rows:
        Number of lanes: channels of one pixel that a word holds.
    columns:
        Kernel columns that SLIDING works on at once.

    Members
    -------
    operation: ``In(VectorOp)``, pad_value: ``In(signed(8))``, kernel_columns: ``In(4)``
        What the command says; steady while words are under way.
    valid: ``In(1)``
        There is a word.
    inside: ``In(1)``
        The word is no padding.
    first, last: ``In(1)``
        The word is the first, the last of its window, for SLIDING of its column of the map.
    word: ``In(8 * rows)``
        The int8 channels of one pixel.
    weights: ``In(ArrayLayout(8 * rows, columns))``
        What the word of the previous cycle is multiplied with: DEPTHWISE uses the first one.
    totals: ``Out(ArrayLayout(signed(32), rows))``
        What the window came to, the word of two cycles ago included. Operations on two words leave
        the first one in the lowest byte, the second one in the byte above; all leave a window of
        one word as it is.
    """

    LATENCY = 2
    """Cycles from ``word`` to ``totals``."""

    operation: Signal
    pad_value: Signal
    kernel_columns: Signal
    valid: Signal
    inside: Signal
    first: Signal
    last: Signal
    word: Signal
    weights: data.View
    totals: data.View

    def __init__(self, rows: int, columns: int) -> None:
        self._rows = rows
        self._columns = columns
        super().__init__({
            "operation": In(VectorOp), "pad_value": In(signed(8)), "kernel_columns": In(4),
            "valid": In(1), "inside": In(1), "first": In(1), "last": In(1), "word": In(8 * rows),
            "weights": In(data.ArrayLayout(8 * rows, columns)),
            "totals": Out(data.ArrayLayout(signed(32), rows)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        valid, first, last = (Signal(self.LATENCY, name=name)
                              for name in ("valid_shift", "first_shift", "last_shift"))
        m.d.sync += [valid.eq(Cat(self.valid, valid)), first.eq(Cat(self.first, first)),
                     last.eq(Cat(self.last, last))]
        padding = Signal(signed(8))
        weighted = Signal()
        m.d.comb += [
            padding.eq(Mux(self.operation == VectorOp.MAX, LOWEST, self.pad_value)),
            weighted.eq(is_one_of(self.operation, WEIGHTED)),
        ]
        for lane in range(self._rows):
            value = Signal(signed(8), name=f"value_{lane}")
            m.d.sync += value.eq(Mux(self.inside, self.word.word_select(lane, 8), padding))
            terms: list[Signal] = []
            for column in range(self._columns):
                term = Signal(signed(16), name=f"term_{lane}_{column}")
                weight = self.weights[column].word_select(lane, 8).as_signed()
                product = value * weight
                m.d.sync += term.eq(product if column else Mux(weighted, product, value))
                terms.append(term)
            held = [Signal(signed(32), name=f"held_{lane}_{column}")
                    for column in range(self._columns)]
            total = self._accumulate(m, lane, terms[0], held[0], valid[-1], first[-1])
            self._slide(m, lane, total, terms, held, valid[-1], last[-1])
        return m

    def _accumulate(self, m: Module, lane: int, term: Value, held: Signal, valid: Value,
                    first: Value) -> Signal:
        """The running result of a lane, this word included."""
        total = Signal(signed(32), name=f"total_{lane}")
        best = held[:8].as_signed()
        with m.If(first):
            m.d.comb += total.eq(term)
        with m.Elif(self.operation == VectorOp.MAX):
            m.d.comb += total.eq(Mux(term > best, term, best))
        with m.Elif(is_one_of(self.operation, PAIRS)):
            m.d.comb += total.eq(term << 8 | held[:8])
        with m.Else():
            m.d.comb += total.eq(held + term)
        with m.If(valid):
            m.d.sync += held.eq(total)
        return total

    def _slide(self, m: Module, lane: int, total: Signal, terms: list[Signal],
               held: list[Signal], valid: Value, last: Value) -> None:
        """Sums of outputs that began in earlier columns; a column's end hands all of them on."""
        sums = [total]
        for column in range(1, self._columns):
            later = Signal(signed(32), name=f"sum_{lane}_{column}")
            m.d.comb += later.eq(held[column] + terms[column])
            with m.If(valid):
                m.d.sync += held[column].eq(Mux(last, sums[-1], later))
            sums.append(later)
        m.d.comb += self.totals[lane].eq(total)
        with m.If(self.operation == VectorOp.SLIDING), m.Switch(self.kernel_columns):
            for column in range(1, self._columns):
                with m.Case(column + 1):
                    m.d.comb += self.totals[lane].eq(sums[column])
