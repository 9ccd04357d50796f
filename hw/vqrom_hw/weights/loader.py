"""Index decode: indices or raw weights into the array's shadow registers."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.config import AcceleratorConfig

from .codebook_ram import CodebookRam
from .codebook_rom import CodebookRom


def last_fields(config: AcceleratorConfig) -> int:
    """Fields of a tile's last fill step, 1 to ``decode_ports``; every other step has
    ``decode_ports``."""
    return config.processing_elements - (config.fill_steps - 1) * config.decode_ports


def codebook_write_layout(config: AcceleratorConfig) -> data.StructLayout:
    """A codeword on its way into the RAM of every decode port, if ``valid``."""
    return data.StructLayout({
        "valid": 1, "index": config.index_width, "codeword": config.codeword_width})


class WeightLoader(wiring.Component):
    """Fill the array's shadow registers with the next tile while the present one runs.

    A tile is one codeword for each PE. Their number is usually far above that of the codebook's
    ports, so a tile is filled in ``fill_steps`` steps of ``decode_ports`` codewords, one step a
    cycle. Each PE has a shadow register beside the weights in use: the loader writes the one, the
    array multiplies with the other, and at the end of a tile all PEs swap in one cycle. ``full``
    and ``take`` are the handshake for that.

    PE number ``row * columns + column`` takes its codeword from port ``number % ports`` in step
    ``number // ports``; ports beyond the last PE rest in the last step. A raw layer's weights pass
    the codebook by.

    An item accepted in one cycle is a ``step`` in the next. ``full`` rises in the cycle of the last
    step, and the first item of the next tile is accepted in the cycle of ``take``: a tile every
    ``fill_steps`` cycles when the items keep up.

    Parameters
    ----------
    config:
        Dimensions, and where the codebook is stored.
    codewords:
        The ROM's contents as integers; not used if the codebook is an SRAM.

    Members
    -------
    raw: ``In(1)``
        Take codewords from ``i_raw`` instead of looking up ``i_index``.
    i_index: ``In(stream.Signature(decode_ports * index_width))``
        The indices of a step, that of port 0 lowest.
    i_raw: ``In(stream.Signature(decode_ports * codeword_width))``
        The int8 weights of a step, those of port 0 lowest.
    codebook_write: ``In(codebook_write_layout)``
        Store a codeword in all ports; without effect on a ROM.
    step: ``Out(fill_steps)``
        One-hot: the PEs of this step load ``codewords`` in this cycle.
    codewords: ``Out(ArrayLayout(codeword_width, decode_ports))``
        One codeword for each port.
    full: ``Out(1)``
        With the end of this cycle at the latest, every shadow register holds the next tile.
    take: ``In(1)``
        The array takes the tile over in the next cycle; only while ``full``.
    lookups: ``Out(range(decode_ports + 1))``
        Codewords looked up in this cycle, for the counter.
    """

    raw: Signal
    i_index: stream.Interface
    i_raw: stream.Interface
    codebook_write: data.View
    step: Signal
    codewords: data.View
    full: Signal
    take: Signal
    lookups: Signal

    def __init__(self, config: AcceleratorConfig, codewords: Sequence[int]) -> None:
        self._config = config
        self._codewords = codewords
        ports = config.decode_ports
        super().__init__({
            "raw": In(1),
            "i_index": In(stream.Signature(ports * config.index_width)),
            "i_raw": In(stream.Signature(ports * config.codeword_width)),
            "codebook_write": In(codebook_write_layout(config)),
            "step": Out(config.fill_steps),
            "codewords": Out(data.ArrayLayout(config.codeword_width, ports)),
            "full": Out(1),
            "take": In(1),
            "lookups": Out(range(ports + 1)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ports, steps = self._config.decode_ports, self._config.fill_steps
        rest = last_fields(self._config)
        begun, next_step = Signal(range(steps + 1)), Signal(range(steps + 1))
        lookup, accept, short, held = Signal(), Signal(), Signal(), Signal()

        m.d.comb += [
            next_step.eq(Mux(self.take, 0, begun)),
            self.i_index.ready.eq((next_step != steps) & ~self.raw),
            self.i_raw.ready.eq((next_step != steps) & self.raw),
            lookup.eq(self.i_index.valid & self.i_index.ready),
            accept.eq(lookup | (self.i_raw.valid & self.i_raw.ready)),
            short.eq(next_step == steps - 1),
            self.lookups.eq(Mux(lookup, Mux(short, rest, ports), 0)),
            self.full.eq(held | self.step[-1]),
        ]
        m.d.sync += [
            begun.eq(next_step + accept),
            self.step.eq(Mux(accept, 1 << next_step, 0)),
            held.eq(self.full & ~self.take),
        ]
        enables = [lookup if port < rest else lookup & ~short for port in range(ports)]
        self._deliver(m, accept, self._look_up(m, enables))
        return m

    def _look_up(self, m: Module, enables: list[Value]) -> list[Signal]:
        """The codeword of each port that was looked up last."""
        config = self._config
        looked_up: list[Signal] = []
        for port, enable in enumerate(enables):
            index = self.i_index.payload.word_select(port, config.index_width)
            if config.codebook_storage == "sram":
                codebook = CodebookRam(config.codewords, config.codeword_width)
                m.submodules[f"codebook_ram_{port}"] = codebook
                m.d.comb += [codebook.write.eq(self.codebook_write.valid),
                             codebook.write_index.eq(self.codebook_write.index),
                             codebook.write_codeword.eq(self.codebook_write.codeword)]
            else:
                codebook = CodebookRom(
                    self._codewords, config.codeword_width, config.codebook_rom)
                m.submodules[f"codebook_rom_{port}"] = codebook
            m.d.comb += [codebook.index.eq(index), codebook.enable.eq(enable)]
            looked_up.append(codebook.codeword)
        return looked_up

    def _deliver(self, m: Module, accept: Value, looked_up: list[Signal]) -> None:
        """Codewords of the accepted item, a cycle later: looked up, or raw as they came."""
        accepted_raw, raw_codewords = Signal(), Signal.like(self.i_raw.payload)
        with m.If(accept):
            m.d.sync += accepted_raw.eq(self.raw)
        with m.If(accept & self.raw):
            m.d.sync += raw_codewords.eq(self.i_raw.payload)
        m.d.comb += self.codewords.as_value().eq(
            Mux(accepted_raw, raw_codewords, Cat(*looked_up)))
