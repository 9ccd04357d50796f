"""Feature maps between bus and activation buffer."""

from amaranth.hdl import Module, Signal
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from .commands import ADDRESS
from .config import AcceleratorConfig
from .unpack import Unpacker


class ActivationLoader(wiring.Component):
    """Beats into consecutive words of the activation buffer.

    Members
    -------
    start: ``In(1)``, base: ``In(20)``, words: ``In(21)``, busy: ``Out(1)``
        Begin; first word and number of words, steady while ``busy``.
    i: ``In(stream.Signature(bus_width))``
        Beats from the DMA.
    write: ``Out(1)``, write_address: ``Out(20)``, write_word: ``Out(8 * rows)``
        Activation buffer write port.
    """

    def __init__(self, config: AcceleratorConfig):
        self._config = config
        super().__init__({
            "start": In(1), "base": In(ADDRESS), "words": In(ADDRESS + 1), "busy": Out(1),
            "i": In(stream.Signature(config.bus_width)),
            "write": Out(1), "write_address": Out(ADDRESS), "write_word": Out(8 * config.rows),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.unpacker = unpacker = Unpacker(self._config.bus_width, 8 * self._config.rows)
        left, address = Signal(ADDRESS + 1), Signal(ADDRESS)
        wiring.connect(m, unpacker.i, wiring.flipped(self.i))
        m.d.comb += [
            unpacker.length.valid.eq(self.start), unpacker.length.payload.eq(self.words),
            unpacker.o.ready.eq(1), self.write.eq(unpacker.o.valid),
            self.write_address.eq(address), self.write_word.eq(unpacker.o.payload),
            self.busy.eq(left != 0),
        ]
        with m.If(self.start):
            m.d.sync += [left.eq(self.words), address.eq(self.base)]
        with m.Elif(self.write):
            m.d.sync += [left.eq(left - 1), address.eq(address + 1)]
        return m


class ActivationStorer(wiring.Component):
    """Consecutive words of the activation buffer into beats.

    Members
    -------
    start: ``In(1)``, base: ``In(20)``, words: ``In(21)``, beats: ``In(24)``
        Begin; first word, number of words and of beats.
    read: ``Out(1)``, read_address: ``Out(20)``, word: ``In(8 * rows)``
        Activation buffer read port, latency one cycle.
    o: ``Out(stream.Signature(bus_width))``
        Beats for the DMA.
    """

    QUEUE = 4

    def __init__(self, config: AcceleratorConfig):
        self._config = config
        super().__init__({
            "start": In(1), "base": In(ADDRESS), "words": In(ADDRESS + 1), "beats": In(24),
            "read": Out(1), "read_address": Out(ADDRESS), "word": In(8 * config.rows),
            "o": Out(stream.Signature(config.bus_width)),
        })

    def elaborate(self, platform):
        m = Module()
        width = 8 * self._config.rows
        m.submodules.unpacker = unpacker = Unpacker(width, self._config.bus_width)
        m.submodules.queue = queue = fifo.SyncFIFO(width=width, depth=self.QUEUE)
        left, address, arriving = Signal(ADDRESS + 1), Signal(ADDRESS), Signal()
        wiring.connect(m, unpacker.o, wiring.flipped(self.o))
        m.d.comb += [
            unpacker.length.valid.eq(self.start),
            unpacker.length.payload.eq(self.beats),
            self.read.eq((left != 0) & (queue.level + arriving < self.QUEUE)),
            self.read_address.eq(address),
            queue.w_data.eq(self.word), queue.w_en.eq(arriving),
            unpacker.i.payload.eq(queue.r_data), unpacker.i.valid.eq(queue.r_rdy),
            queue.r_en.eq(unpacker.i.ready),
        ]
        m.d.sync += arriving.eq(self.read)
        with m.If(self.start):
            m.d.sync += [left.eq(self.words), address.eq(self.base)]
        with m.Elif(self.read):
            m.d.sync += [left.eq(left - 1), address.eq(address + 1)]
        return m
