"""From the words of a window to one result of each lane."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from .commands import VectorOp, vector_layout
from .config import AcceleratorConfig
from .requantize import parameter_layout
from .unpack import Unpacker

LOWEST = -128

SLIDING_ROWS = 16
"""Most rows of a kernel whose columns are worked on at once."""


class WindowReducer(wiring.Component):
    """Maximum, sum, weighted sum or pair of each lane over a window; latency 2 cycles.

    SLIDING multiplies a word with one weight for each column of the kernel, as a transposed filter
    does: column ``n`` adds to the output that began ``n`` columns of the map ago.

    Parameters
    ----------
    rows:
        Lanes.
    columns:
        Kernel columns that SLIDING works on at once.

    Members
    -------
    operation: ``In(VectorOp)``, pad_value: ``In(signed(8))``, kernel_columns: ``In(4)``
        Of the command; steady while words are under way.
    valid: ``In(1)``, inside: ``In(1)``, first: ``In(1)``, last: ``In(1)``, word: ``In(8 * rows)``
        A word, whether it is no padding, and whether it is the first of its window, or the first
        and the last of its column of the map.
    weights: ``In(ArrayLayout(8 * rows, columns))``
        What the word of the previous cycle is multiplied with: DEPTHWISE uses the first one.
    totals: ``Out(ArrayLayout(signed(32), rows))``
        What the window came to, the word of two cycles ago included. ADD leaves its first operand
        in the lowest byte, its second above it.
    """

    LATENCY = 2

    def __init__(self, rows: int, columns: int):
        self._rows = rows
        self._columns = columns
        super().__init__({
            "operation": In(VectorOp), "pad_value": In(signed(8)), "kernel_columns": In(4),
            "valid": In(1), "inside": In(1), "first": In(1), "last": In(1), "word": In(8 * rows),
            "weights": In(data.ArrayLayout(8 * rows, columns)),
            "totals": Out(data.ArrayLayout(signed(32), rows)),
        })

    def elaborate(self, platform):
        m = Module()
        valid, first, last = (Signal(self.LATENCY, name=name)
                              for name in ("valid_shift", "first_shift", "last_shift"))
        m.d.sync += [valid.eq(Cat(self.valid, valid)), first.eq(Cat(self.first, first)),
                     last.eq(Cat(self.last, last))]
        padding = Signal(signed(8))
        weighted = Signal()
        m.d.comb += [
            padding.eq(Mux(self.operation == VectorOp.MAX, LOWEST, self.pad_value)),
            weighted.eq((self.operation == VectorOp.DEPTHWISE)
                        | (self.operation == VectorOp.SLIDING)),
        ]
        for lane in range(self._rows):
            value = Signal(signed(8), name=f"value_{lane}")
            m.d.sync += value.eq(Mux(self.inside, self.word.word_select(lane, 8), padding))
            terms = []
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

    def _accumulate(self, m, lane, term, held, valid, first):
        total = Signal(signed(32), name=f"total_{lane}")
        best = held[:8].as_signed()
        with m.If(first):
            m.d.comb += total.eq(term)
        with m.Elif(self.operation == VectorOp.MAX):
            m.d.comb += total.eq(Mux(term > best, term, best))
        with m.Elif(self.operation == VectorOp.ADD):
            m.d.comb += total.eq(term << 8 | held[:8])
        with m.Else():
            m.d.comb += total.eq(held + term)
        with m.If(valid):
            m.d.sync += held.eq(total)
        return total

    def _slide(self, m, lane, total, terms, held, valid, last):
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


class DepthwiseStore(wiring.Component):
    """Parameters and weights of a channel word of a depthwise layer.

    Members
    -------
    start: ``In(1)``, taps: ``In(10)``, columns: ``In(4)``, done: ``Out(1)``
        Take a packet of ``rows`` parameters and one of ``taps`` words of weights, ``columns`` of
        them for each place; steady until ``done`` pulses in the last word's cycle.
    i: ``In(stream.Signature(bus_width))``
        Beats.
    enable: ``In(1)``, tap: ``In(range(vector_taps))``,
    weights: ``Out(ArrayLayout(8 * rows, vector_columns))``
        Read port of the weights of a place, latency one cycle; they stay without ``enable``.
    parameters: ``Out(ArrayLayout(parameter_layout, rows))``
        Of each lane.
    """

    def __init__(self, config: AcceleratorConfig):
        self._config = config
        super().__init__({
            "start": In(1), "taps": In(vector_layout["taps"].shape), "columns": In(4),
            "done": Out(1),
            "i": In(stream.Signature(config.bus_width)),
            "enable": In(1), "tap": In(range(config.vector_taps)),
            "weights": Out(data.ArrayLayout(8 * config.rows, config.vector_columns)),
            "parameters": Out(data.ArrayLayout(parameter_layout, config.rows)),
        })

    def elaborate(self, platform):
        m = Module()
        width = 8 * self._config.rows
        m.submodules.unpacker = unpacker = Unpacker(self._config.bus_width, width)
        parameters = Signal(parameter_layout.size * self._config.rows)
        tap = Signal.like(self.tap, name="write_tap")
        column, store = Signal.like(self.columns, name="write_column"), Signal()
        wiring.connect(m, unpacker.i, wiring.flipped(self.i))
        m.d.comb += [unpacker.o.ready.eq(1), self.parameters.eq(parameters)]
        for number in range(self._config.vector_columns):
            self._column(m, number, unpacker.o.payload, store & (column == number), tap)
        with m.FSM():
            with m.State("IDLE"):
                # The parameters, too, are whole words.
                m.d.comb += [unpacker.length.valid.eq(self.start),
                             unpacker.length.payload.eq(parameter_layout.size // 8)]
                with m.If(self.start):
                    m.next = "PARAMETERS"
            with m.State("PARAMETERS"), m.If(unpacker.o.valid):
                m.d.sync += parameters.eq(Cat(parameters, unpacker.o.payload)[width:])
                with m.If(unpacker.last):
                    m.next = "LENGTH"
            with m.State("LENGTH"):
                m.d.comb += [unpacker.length.valid.eq(1), unpacker.length.payload.eq(self.taps)]
                m.d.sync += [tap.eq(0), column.eq(0)]
                m.next = "WEIGHTS"
            with m.State("WEIGHTS"):
                m.d.comb += [store.eq(unpacker.o.valid),
                             self.done.eq(unpacker.o.valid & unpacker.last)]
                with m.If(store & (column == self.columns - 1)):
                    m.d.sync += [tap.eq(tap + 1), column.eq(0)]
                with m.Elif(store):
                    m.d.sync += column.eq(column + 1)
                with m.If(self.done):
                    m.next = "IDLE"
        return m

    def _column(self, m, number, word, store, tap):
        """Memory of a kernel column; the first one also holds windows, position by position."""
        taps = self._config.vector_taps
        depth = min(taps, SLIDING_ROWS) if number else taps
        words = memory.Memory(shape=8 * self._config.rows, depth=depth, init=[])
        m.submodules[f"memory_{number}"] = words
        read, write = words.read_port(), words.write_port()
        m.d.comb += [
            write.en.eq(store), write.addr.eq(tap), write.data.eq(word),
            read.en.eq(self.enable), read.addr.eq(self.tap), self.weights[number].eq(read.data),
        ]
