"""From the words of a window to one result of each lane."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from .commands import VectorOp, vector_layout
from .config import AcceleratorConfig
from .requantize import parameter_layout
from .unpack import Unpacker

LOWEST = -128


class WindowReducer(wiring.Component):
    """Maximum, sum, weighted sum or pair of each lane over a window; latency 2 cycles.

    Parameters
    ----------
    rows:
        Lanes.

    Members
    -------
    operation: ``In(2)``, pad_value: ``In(signed(8))``
        Of the command; steady while words are under way.
    valid: ``In(1)``, inside: ``In(1)``, first: ``In(1)``, word: ``In(8 * rows)``
        A word of the window, whether it is no padding, and whether it is the window's first.
    weights: ``In(8 * rows)``
        What the word of the previous cycle is multiplied with by DEPTHWISE.
    totals: ``Out(ArrayLayout(signed(32), rows))``
        What the window came to, the word of two cycles ago included. ADD leaves its first operand
        in the lowest byte, its second above it.
    """

    LATENCY = 2

    def __init__(self, rows: int):
        self._rows = rows
        super().__init__({
            "operation": In(VectorOp), "pad_value": In(signed(8)),
            "valid": In(1), "inside": In(1), "first": In(1), "word": In(8 * rows),
            "weights": In(8 * rows), "totals": Out(data.ArrayLayout(signed(32), rows)),
        })

    def elaborate(self, platform):
        m = Module()
        valid, first = (Signal(self.LATENCY, name=f"{name}_delayed") for name in ("valid", "first"))
        m.d.sync += [valid.eq(valid << 1 | self.valid), first.eq(first << 1 | self.first)]
        padding = Signal(signed(8))
        m.d.comb += padding.eq(Mux(self.operation == VectorOp.MAX, LOWEST, self.pad_value))
        for lane in range(self._rows):
            value = Signal(signed(8), name=f"value_{lane}")
            term = Signal(signed(16), name=f"term_{lane}")
            weight = self.weights.word_select(lane, 8).as_signed()
            m.d.sync += [
                value.eq(Mux(self.inside, self.word.word_select(lane, 8), padding)),
                term.eq(Mux(self.operation == VectorOp.DEPTHWISE, value * weight, value)),
            ]
            self._accumulate(m, lane, term, valid[-1], first[-1])
        return m

    def _accumulate(self, m, lane, term, valid, first):
        held = Signal(signed(32), name=f"held_{lane}")
        total = self.totals[lane]
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


class DepthwiseStore(wiring.Component):
    """Parameters and weights of a channel word of a depthwise layer.

    Members
    -------
    start: ``In(1)``, taps: ``In(10)``, done: ``Out(1)``
        Take a packet of ``rows`` parameters and one of ``taps`` words of weights, ``taps`` steady
        until ``done`` pulses in the last word's cycle.
    i: ``In(stream.Signature(bus_width))``
        Beats.
    enable: ``In(1)``, tap: ``In(range(vector_taps))``, weights: ``Out(8 * rows)``
        Read port of the weights, latency one cycle; ``weights`` stay without ``enable``.
    parameters: ``Out(ArrayLayout(parameter_layout, rows))``
        Of each lane.
    """

    def __init__(self, config: AcceleratorConfig):
        self._config = config
        super().__init__({
            "start": In(1), "taps": In(vector_layout["taps"].shape), "done": Out(1),
            "i": In(stream.Signature(config.bus_width)),
            "enable": In(1), "tap": In(range(config.vector_taps)),
            "weights": Out(8 * config.rows),
            "parameters": Out(data.ArrayLayout(parameter_layout, config.rows)),
        })

    def elaborate(self, platform):
        m = Module()
        width = 8 * self._config.rows
        m.submodules.unpacker = unpacker = Unpacker(self._config.bus_width, width)
        m.submodules.memory = words = memory.Memory(
            shape=width, depth=self._config.vector_taps, init=[])
        read, write = words.read_port(), words.write_port()
        parameters = Signal(parameter_layout.size * self._config.rows)
        tap = Signal.like(self.tap, name="write_tap")
        wiring.connect(m, unpacker.i, wiring.flipped(self.i))
        m.d.comb += [
            unpacker.o.ready.eq(1), write.data.eq(unpacker.o.payload), write.addr.eq(tap),
            read.en.eq(self.enable), read.addr.eq(self.tap), self.weights.eq(read.data),
            self.parameters.eq(parameters),
        ]
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
                m.d.sync += tap.eq(0)
                m.next = "WEIGHTS"
            with m.State("WEIGHTS"):
                m.d.comb += [write.en.eq(unpacker.o.valid),
                             self.done.eq(unpacker.o.valid & unpacker.last)]
                m.d.sync += tap.eq(tap + unpacker.o.valid)
                with m.If(self.done):
                    m.next = "IDLE"
        return m
