"""From the words of a window to one result for each lane."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.isa import PAIRS, WEIGHTED, VectorOp

from .choose import is_one_of

LOWEST = -128
"""What MAX sees outside of the map: no int8 is lower."""


class ReducerLane(wiring.Component):
    """One lane of the :class:`WindowReducer`: one channel's words and its running results.

    Parameters
    ----------
    columns:
        Kernel columns that SLIDING works on at once.

    Members
    -------
    operation: ``In(VectorOp)``, kernel_columns: ``In(4)``
        What the command says.
    padding: ``In(signed(8))``, weighted: ``In(1)``
        What stands for a byte outside of the map; whether bytes are multiplied with weights.
    inside: ``In(1)``, activation: ``In(signed(8))``
        A byte of the map.
    weights: ``In(ArrayLayout(signed(8), columns))``
        What the byte of the previous cycle is multiplied with.
    valid, first, last: ``In(1)``
        As those of the reducer, for the byte of two cycles ago.
    total: ``Out(signed(32))``
        The result, that byte included.
    """

    operation: Signal
    kernel_columns: Signal
    padding: Signal
    weighted: Signal
    inside: Signal
    activation: Signal
    weights: data.View
    valid: Signal
    first: Signal
    last: Signal
    total: Signal

    def __init__(self, columns: int) -> None:
        self._columns = columns
        super().__init__({
            "operation": In(VectorOp), "kernel_columns": In(4), "padding": In(signed(8)),
            "weighted": In(1), "inside": In(1), "activation": In(signed(8)),
            "weights": In(data.ArrayLayout(signed(8), columns)),
            "valid": In(1), "first": In(1), "last": In(1), "total": Out(signed(32)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        value = Signal(signed(8))
        m.d.sync += value.eq(Mux(self.inside, self.activation, self.padding))
        terms: list[Signal] = []
        for column in range(self._columns):
            term = Signal(signed(16), name=f"term_{column}")
            product = value * self.weights[column]
            m.d.sync += term.eq(product if column else Mux(self.weighted, product, value))
            terms.append(term)
        held = [Signal(signed(32), name=f"held_{column}") for column in range(self._columns)]
        total = self._accumulate(m, terms[0], held[0])
        self._slide(m, total, terms, held)
        return m

    def _accumulate(self, m: Module, term: Value, held: Signal) -> Signal:
        """The running result of the window, this byte included."""
        running = Signal(signed(32))
        best = held[:8].as_signed()
        with m.If(self.first):
            m.d.comb += running.eq(term)
        with m.Elif(self.operation == VectorOp.MAX):
            m.d.comb += running.eq(Mux(term > best, term, best))
        with m.Elif(is_one_of(self.operation, PAIRS)):
            m.d.comb += running.eq(term << 8 | held[:8])
        with m.Else():
            m.d.comb += running.eq(held + term)
        with m.If(self.valid):
            m.d.sync += held.eq(running)
        return running

    def _slide(self, m: Module, running: Signal, terms: list[Signal],
               held: list[Signal]) -> None:
        """Sums of outputs that began in earlier columns; a column's end hands all of them on."""
        sums = [running]
        for column in range(1, self._columns):
            later = Signal(signed(32), name=f"sum_{column}")
            m.d.comb += later.eq(held[column] + terms[column])
            with m.If(self.valid):
                m.d.sync += held[column].eq(Mux(self.last, sums[-1], later))
            sums.append(later)
        m.d.comb += self.total.eq(running)
        with m.If(self.operation == VectorOp.SLIDING), m.Switch(self.kernel_columns):
            for column in range(1, self._columns):
                with m.Case(column + 1):
                    m.d.comb += self.total.eq(sums[column])


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
        for number in range(self._rows):
            m.submodules[f"reducer_lane_{number}"] = lane = ReducerLane(self._columns)
            m.d.comb += [
                lane.operation.eq(self.operation), lane.kernel_columns.eq(self.kernel_columns),
                lane.padding.eq(padding), lane.weighted.eq(weighted), lane.inside.eq(self.inside),
                lane.activation.eq(self.word.word_select(number, 8)),
                lane.valid.eq(valid[-1]), lane.first.eq(first[-1]), lane.last.eq(last[-1]),
                self.totals[number].eq(lane.total),
            ]
            m.d.comb += [lane.weights[column].eq(self.weights[column].word_select(number, 8))
                         for column in range(self._columns)]
        return m
