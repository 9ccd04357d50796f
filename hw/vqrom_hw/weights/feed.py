"""From beats of the weight FIFO to indices, raw weights or codewords, command by command."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.lib import Unpacker

from .loader import codebook_write_layout, last_fields

weights_command_layout = data.StructLayout({
    "codebook": 1, "raw": 1, "fills": 32, "codewords": 17})
"""A COMPUTE's weights (``fills`` decoder steps, ``raw`` or indices), or a CODEBOOK."""


class WeightFeed(wiring.Component):
    """Unpack one packet per command, each in the form that its command names.

    Members
    -------
    command: ``In(stream.Signature(weights_command_layout))``
        ``codebook`` only if the codebook is an SRAM. Ready in the cycle in which the packet's last
        item leaves; the next packet's first item is at best two cycles later.
    weights: ``In(stream.Signature(bus_width))``
        Beats.
    raw: ``Out(1)``, o_index, o_raw: ``Out(stream)``
        As in :class:`vqrom_hw.weights.loader.WeightLoader`.
    codebook_write: ``Out(codebook_write_layout)``
        Codewords 0, 1 and so on of a CODEBOOK, one a cycle if beats suffice.
    codebook_done: ``Out(1)``
        Pulse with the last of them.
    """

    def __init__(self, config: AcceleratorConfig):
        self._config = config
        ports = config.decode_ports
        super().__init__({
            "command": In(stream.Signature(weights_command_layout)),
            "weights": In(stream.Signature(config.bus_width)),
            "raw": Out(1),
            "o_index": Out(stream.Signature(ports * config.index_width)),
            "o_raw": Out(stream.Signature(ports * config.codeword_width)),
            "codebook_write": Out(codebook_write_layout(config)),
            "codebook_done": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        config, command = self._config, self.command.payload
        has_ram = config.codebook_storage == "sram"
        codebook = command.codebook & has_ram
        m.d.comb += self.raw.eq(command.raw)
        m.submodules.unpacker_index = indices = self._tiles(config.index_width)
        m.submodules.unpacker_raw = raws = self._tiles(config.codeword_width)
        self._feed(m, indices, ~codebook & ~command.raw, command.fills)
        self._feed(m, raws, ~codebook & command.raw, command.fills)
        wiring.connect(m, indices.o, wiring.flipped(self.o_index))
        wiring.connect(m, raws.o, wiring.flipped(self.o_raw))
        if has_ram:
            m.submodules.unpacker_codebook = words = Unpacker(
                config.bus_width, config.codeword_width)
            self._feed(m, words, codebook, command.codewords)
            self._write_codebook(m, words)
        return m

    def _tiles(self, width):
        config = self._config
        return Unpacker(config.bus_width, config.decode_ports * width, config.fill_steps,
                        last_fields(config) * width)

    def _feed(self, m, unpacker, selected, length):
        m.d.comb += [
            unpacker.length.payload.eq(length), unpacker.i.payload.eq(self.weights.payload)]
        with m.If(selected):
            m.d.comb += [
                unpacker.length.valid.eq(self.command.valid),
                unpacker.i.valid.eq(self.weights.valid),
                self.weights.ready.eq(unpacker.i.ready),
                self.command.ready.eq(unpacker.o.valid & unpacker.o.ready & unpacker.last),
            ]

    def _write_codebook(self, m, words):
        index = Signal(self._config.index_width)
        m.d.comb += [
            words.o.ready.eq(1), self.codebook_write.valid.eq(words.o.valid),
            self.codebook_write.index.eq(index), self.codebook_write.codeword.eq(words.o.payload),
            self.codebook_done.eq(words.o.valid & words.last),
        ]
        with m.If(words.o.valid):
            m.d.sync += index.eq(Mux(words.last, 0, index + 1))
