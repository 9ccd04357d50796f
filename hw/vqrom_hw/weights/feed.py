"""From beats of the weight FIFO to indices, raw weights or codewords, command by command."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.lib import Unpacker

from .loader import codebook_write_layout, last_fields

weights_command_layout = data.StructLayout({
    "codebook": 1, "raw": 1, "fills": 32, "codewords": 17})
"""What the weight feed needs of a command. ``codebook``: a CODEBOOK of ``codewords`` codewords;
else a COMPUTE, whose weights come in ``fills`` fill steps, as int8 if ``raw``, else as indices."""


class WeightFeed(wiring.Component):
    """Cut the beats of the weight channel into what each command's packet holds.

    One read channel carries all weights, command by command. A packet holds either indices, or the
    int8 weights of a raw layer, or the codewords of a codebook that is loaded. Each form has an
    unpacker of its own, as the items differ in width; the command in turn decides which unpacker is
    offered the beats.

    The last item of a packet retires its command; the next packet's first item is at best two
    cycles later.

    Parameters
    ----------
    config:
        Dimensions, and where the codebook is stored.

    Members
    -------
    command: ``In(stream.Signature(weights_command_layout))``
        What the next packet is; ``codebook`` only if the codebook is an SRAM. Ready in the cycle
        in which the packet's last item leaves.
    weights: ``In(stream.Signature(bus_width))``
        Beats of the packets.
    raw: ``Out(1)``
        The command in turn has raw weights.
    o_index: ``Out(stream.Signature(decode_ports * index_width))``
        The indices of a fill step, for :class:`~vqrom_hw.weights.loader.WeightLoader`.
    o_raw: ``Out(stream.Signature(decode_ports * codeword_width))``
        The raw weights of a fill step, for the same.
    codebook_write: ``Out(codebook_write_layout)``
        Codewords 0, 1 and so on of a CODEBOOK, one a cycle if the beats suffice.
    codebook_done: ``Out(1)``
        Pulse with the last of them.
    """

    command: stream.Interface
    weights: stream.Interface
    raw: Signal
    o_index: stream.Interface
    o_raw: stream.Interface
    codebook_write: data.View
    codebook_done: Signal

    def __init__(self, config: AcceleratorConfig) -> None:
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

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config, command = self._config, self.command.payload
        has_ram = config.codebook_storage == "sram"
        # A constant 0 for a ROM, so that synthesis drops what stores a codebook.
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

    def _tiles(self, width: int) -> Unpacker:
        """An unpacker of fill steps whose fields have ``width`` bits."""
        config = self._config
        return Unpacker(config.bus_width, config.decode_ports * width, config.fill_steps,
                        last_fields(config) * width)

    def _feed(self, m: Module, unpacker: Unpacker, selected: Value, length: Value) -> None:
        """Give an unpacker the beats and the command while it is selected."""
        m.d.comb += [
            unpacker.length.payload.eq(length), unpacker.i.payload.eq(self.weights.payload)]
        with m.If(selected):
            m.d.comb += [
                unpacker.length.valid.eq(self.command.valid),
                unpacker.i.valid.eq(self.weights.valid),
                self.weights.ready.eq(unpacker.i.ready),
                self.command.ready.eq(unpacker.o.valid & unpacker.o.ready & unpacker.last),
            ]

    def _write_codebook(self, m: Module, words: Unpacker) -> None:
        """Number the codewords that come."""
        index = Signal(self._config.index_width)
        m.d.comb += [
            words.o.ready.eq(1), self.codebook_write.valid.eq(words.o.valid),
            self.codebook_write.index.eq(index), self.codebook_write.codeword.eq(words.o.payload),
            self.codebook_done.eq(words.o.valid & words.last),
        ]
        with m.If(words.o.valid):
            m.d.sync += index.eq(Mux(words.last, 0, index + 1))
