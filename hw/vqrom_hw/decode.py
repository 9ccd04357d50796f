"""Index decode: packed indices or raw weights into the array's shadow registers."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .codebook_rom import CodebookRom
from .config import AcceleratorConfig


class WeightLoader(wiring.Component):
    """Fill the shadow registers of all PEs, ``decode_ports`` codewords a cycle.

    PE number ``group * columns + column`` takes its codeword from port ``number % ports`` in step
    ``number // ports``. A fill begins as soon as the previous one is taken and ends after
    ``fill_steps + 1`` cycles when the stream keeps up.

    Members
    -------
    raw: ``In(1)``
        Take codewords from ``i_raw`` instead of looking up ``i_index``; steady during a command.
    i_index: ``In(stream.Signature(decode_ports * index_width))``
        Indices, port 0 lowest.
    i_raw: ``In(stream.Signature(decode_ports * codeword_width))``
        int8 weights, port 0 lowest.
    step: ``Out(fill_steps)``
        One-hot: the PEs of this step load ``codewords`` now.
    codewords: ``Out(ArrayLayout(codeword_width, decode_ports))``
        One codeword per port.
    full: ``Out(1)``
        Every shadow register holds the next tile.
    take: ``In(1)``
        The array takes the tile over in the next cycle; only while ``full``.
    lookup: ``Out(1)``
        ``decode_ports`` ROM reads happen in this cycle.
    """

    def __init__(self, config: AcceleratorConfig, codewords: Sequence[int]):
        self._config = config
        self._codewords = codewords
        ports = config.decode_ports
        super().__init__({
            "raw": In(1),
            "i_index": In(stream.Signature(ports * config.index_width)),
            "i_raw": In(stream.Signature(ports * config.codeword_width)),
            "step": Out(config.fill_steps),
            "codewords": Out(data.ArrayLayout(config.codeword_width, ports)),
            "full": Out(1),
            "take": In(1),
            "lookup": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        ports, steps = self._config.decode_ports, self._config.fill_steps
        width = self._config.index_width
        begun = Signal(range(steps + 1))
        accept, accepted_raw = Signal(), Signal()
        raw_codewords = Signal.like(self.i_raw.payload)
        next_step = Signal(range(steps + 1))

        m.d.comb += [
            next_step.eq(Mux(self.take, 0, begun)),
            self.i_index.ready.eq((next_step != steps) & ~self.raw),
            self.i_raw.ready.eq((next_step != steps) & self.raw),
            self.lookup.eq(self.i_index.valid & self.i_index.ready),
            accept.eq(self.lookup | (self.i_raw.valid & self.i_raw.ready)),
        ]
        m.d.sync += begun.eq(next_step + accept)
        m.d.sync += self.step.eq(Mux(accept, 1 << next_step, 0))
        with m.If(accept):
            m.d.sync += [accepted_raw.eq(self.raw), raw_codewords.eq(self.i_raw.payload)]
        with m.If(self.step[-1]):
            m.d.sync += self.full.eq(1)
        with m.Elif(self.take):
            m.d.sync += self.full.eq(0)

        looked_up = []
        for port in range(ports):
            m.submodules[f"codebook_rom_{port}"] = rom = CodebookRom(
                self._codewords, self._config.codeword_width)
            m.d.comb += [rom.index.eq(self.i_index.payload.word_select(port, width)),
                         rom.enable.eq(self.lookup)]
            looked_up.append(rom.codeword)
        m.d.comb += self.codewords.as_value().eq(
            Mux(accepted_raw, raw_codewords, Cat(*looked_up)))
        return m
