"""Parameters and weights of a depthwise layer, kept while the vector unit uses them."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import SLIDING_ROWS, vector_layout
from vqrom_hw.lib import parameter_layout

from .packets import PacketPorts, packet_members


class DepthwiseStore(PacketPorts, wiring.Component):
    """Keep the parameters and weights of one channel word of a depthwise layer.

    A depthwise layer has a small kernel for each channel, which all output pixels share. A command
    of the vector unit works on ``rows`` channels, so it needs as many parameters and ``rows``
    weights for each kernel position. They are read from the bus once, before the first window, and
    then from here, word by word, beside the words of activations.

    For a command that works on several kernel columns at once (SLIDING) the words of weights are
    dealt out to one memory a column, so that a kernel row's weights of all columns come out
    together.

    Loading takes a cycle a word when the beats suffice, and a few cycles beside. Read latency is
    one cycle.

    Parameters
    ----------
    config:
        Lanes, kernel columns and largest kernel.

    Members
    -------
    start: ``In(1)``
        Take a packet of ``rows`` parameters and one of ``taps`` words of weights.
    taps: ``In(10)``, columns: ``In(4)``
        Words of weights, and how many of them there are for each place; steady until ``done``.
    done: ``Out(1)``
        Pulse in the cycle in which the last word is stored.
    length, words, last:
        Words of both packets: :func:`~vqrom_hw.vector.packets.packet_members`.
    enable: ``In(1)``, tap: ``In(range(vector_taps))``
        Read the weights of this place; without ``enable`` those read last stay.
    weights: ``Out(ArrayLayout(8 * rows, vector_columns))``
        The weights of the place, a word for each kernel column.
    parameters: ``Out(ArrayLayout(parameter_layout, rows))``
        The parameters of each lane.
    """

    start: Signal
    taps: Signal
    columns: Signal
    done: Signal
    enable: Signal
    tap: Signal
    weights: data.View
    parameters: data.View

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        super().__init__({
            "start": In(1), "taps": In(vector_layout["taps"].shape), "columns": In(4),
            "done": Out(1),
            "enable": In(1), "tap": In(range(config.vector_taps)),
            "weights": Out(data.ArrayLayout(8 * config.rows, config.vector_columns)),
            "parameters": Out(data.ArrayLayout(parameter_layout, config.rows)),
        } | packet_members(config.rows))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width = 8 * self._config.rows
        length, words = self.length, self.words
        parameters = Signal(parameter_layout.size * self._config.rows)
        tap = Signal.like(self.tap, name="write_tap")
        column, store = Signal.like(self.columns, name="write_column"), Signal()
        m.d.comb += self.parameters.eq(parameters)
        for number in range(self._config.vector_columns):
            self._column(m, number, words.payload, store & (column == number), tap)
        with m.FSM():
            with m.State("IDLE"):
                # The parameters, too, are whole words.
                m.d.comb += [length.valid.eq(self.start),
                             length.payload.eq(parameter_layout.size // 8)]
                with m.If(self.start):
                    m.next = "PARAMETERS"
            with m.State("PARAMETERS"):
                m.d.comb += words.ready.eq(1)
                with m.If(words.valid):
                    m.d.sync += parameters.eq(Cat(parameters, words.payload)[width:])
                    with m.If(self.last):
                        m.next = "LENGTH"
            with m.State("LENGTH"):
                m.d.comb += [length.valid.eq(1), length.payload.eq(self.taps)]
                m.d.sync += [tap.eq(0), column.eq(0)]
                m.next = "WEIGHTS"
            with m.State("WEIGHTS"):
                m.d.comb += [words.ready.eq(1), store.eq(words.valid),
                             self.done.eq(words.valid & self.last)]
                with m.If(store & (column == self.columns - 1)):
                    m.d.sync += [tap.eq(tap + 1), column.eq(0)]
                with m.Elif(store):
                    m.d.sync += column.eq(column + 1)
                with m.If(self.done):
                    m.next = "IDLE"
        return m

    def _column(self, m: Module, number: int, word: Value, store: Value, tap: Value) -> None:
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
