"""The compute unit: everything that carries out COMPUTE commands, connected."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import ADDRESS, post_layout
from vqrom_hw.lib import Unpacker, parameter_layout
from vqrom_hw.weights import WeightFeed, WeightLoader, weights_command_layout

from .accumulators import AccumulatorBanks
from .array import ProcessingArray
from .post import PostProcessor
from .sequencer import Sequencer, array_command_layout, beat_layout

post_command_layout = data.StructLayout({"post": post_layout, "parameter_groups": 24})
"""What post-processing needs of a COMPUTE: ``parameter_groups`` is the number of parameter items,
one for each step of each pass."""


class ComputeUnit(wiring.Component):
    """Multiply, accumulate and requantise: the weight path, the array and post-processing.

    A COMPUTE goes to three stations, each with a queue of commands of its own, so that they overlap
    across commands: the weight feed prefetches the first tile of the next COMPUTE into the shadow
    registers while the array works, and post-processing finishes the previous one. What orders
    them are the shadow registers and the two halves of the accumulators, which alternate from
    column tile to column tile, across commands.

    Parameters
    ----------
    config:
        Parameters of the accelerator, from which all widths and depths follow.
    codewords:
        The ROM's contents as integers; not used if the codebook is an SRAM.

    Members
    -------
    weights_command: ``In(stream.Signature(weights_command_layout))``
        COMPUTEs and CODEBOOKs in program order. Ready: all weights have left the FIFO.
    array_command: ``In(stream.Signature(array_command_layout))``
        COMPUTEs. Ready: the last word has been asked for.
    post_command: ``In(stream.Signature(post_command_layout))``
        COMPUTEs. Ready: the last byte is written in this cycle.
    weights, parameters: ``In(stream.Signature(bus_width))``
        Beats of weight packets and of parameter packets.
    read: ``Out(1)``, read_address: ``Out(20)``
        Read this word of the activation buffer; always granted.
    read_word: ``In(8 * rows)``
        The word read in the previous cycle.
    write: ``Out(1)``, write_address: ``Out(20)``, write_mask: ``Out(rows)``,
    write_word: ``Out(8 * rows)``
        Write these bytes into this word of the activation buffer; always granted.
    issue: ``Out(1)``
        The array takes a word in this cycle.
    array_busy: ``Out(1)``
        Words are still to come.
    wait_weights, wait_accumulators: ``Out(1)``
        Why the busy array takes no word in this cycle.
    post_busy: ``Out(1)``
        Sums are finished and not yet written.
    codebook_done: ``Out(1)``
        Pulse: the last codeword of a CODEBOOK is stored in this cycle.
    rom_reads: ``Out(range(decode_ports + 1))``
        Codewords looked up in this cycle.
    accumulator_reads, accumulator_writes: ``Out(range(post_steps + 2))``
        Banks of accumulators read and written in this cycle.
    """

    weights_command: stream.Interface
    array_command: stream.Interface
    post_command: stream.Interface
    weights: stream.Interface
    parameters: stream.Interface
    read: Signal
    read_address: Signal
    read_word: Signal
    write: Signal
    write_address: Signal
    write_mask: Signal
    write_word: Signal
    issue: Signal
    array_busy: Signal
    wait_weights: Signal
    wait_accumulators: Signal
    post_busy: Signal
    codebook_done: Signal
    rom_reads: Signal
    accumulator_reads: Signal
    accumulator_writes: Signal

    def __init__(self, config: AcceleratorConfig, codewords: Sequence[int]) -> None:
        self._config = config
        self._codewords = codewords
        banks = range(config.post_steps + 2)
        flags = ("issue", "array_busy", "wait_weights", "wait_accumulators", "post_busy",
                 "codebook_done")
        super().__init__({
            "weights_command": In(stream.Signature(weights_command_layout)),
            "array_command": In(stream.Signature(array_command_layout)),
            "post_command": In(stream.Signature(post_command_layout)),
            "weights": In(stream.Signature(config.bus_width)),
            "parameters": In(stream.Signature(config.bus_width)),
            "read": Out(1), "read_address": Out(ADDRESS), "read_word": In(8 * config.rows),
            "write": Out(1), "write_address": Out(ADDRESS), "write_mask": Out(config.rows),
            "write_word": Out(8 * config.rows),
            **{flag: Out(1) for flag in flags},
            "rom_reads": Out(range(config.decode_ports + 1)),
            "accumulator_reads": Out(banks), "accumulator_writes": Out(banks),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        m.submodules.weight_feed = self._feed = WeightFeed(config)
        m.submodules.weight_loader = self._loader = WeightLoader(config, self._codewords)
        m.submodules.sequencer = self._sequencer = Sequencer(config.accumulator_depth)
        m.submodules.processing_array = self._array = ProcessingArray(config)
        m.submodules.accumulator_banks = self._banks = AccumulatorBanks(
            config, self._array.total_width)
        m.submodules.unpacker_parameter = self._parameters = Unpacker(
            config.bus_width, config.post_lanes * parameter_layout.size)
        m.submodules.post_processor = self._post = PostProcessor(config)
        self._connect_weights(m)
        self._connect_array(m)
        self._connect_accumulators(m)
        self._connect_post(m)
        return m

    def _connect_weights(self, m: Module) -> None:
        """Packets through the feed into the loader."""
        feed, loader = self._feed, self._loader
        wiring.connect(m, feed.command, wiring.flipped(self.weights_command))
        wiring.connect(m, feed.weights, wiring.flipped(self.weights))
        wiring.connect(m, loader.i_index, feed.o_index)
        wiring.connect(m, loader.i_raw, feed.o_raw)
        m.d.comb += [
            loader.raw.eq(feed.raw), loader.codebook_write.eq(feed.codebook_write),
            loader.take.eq(self._sequencer.take),
            self.codebook_done.eq(feed.codebook_done), self.rom_reads.eq(loader.lookups),
        ]

    def _connect_array(self, m: Module) -> None:
        """Activations and weights into the array."""
        sequencer, array, loader = self._sequencer, self._array, self._loader
        beat = sequencer.beat
        padding = Cat(*[beat.pad_value] * self._config.rows)
        wiring.connect(m, sequencer.command, wiring.flipped(self.array_command))
        m.d.comb += [
            sequencer.weights_full.eq(loader.full),
            sequencer.release.eq(self._post.release),
            self.read.eq(sequencer.read), self.read_address.eq(sequencer.read_address),
            array.activations.eq(Mux(beat.inside, self.read_word, padding)),
            array.swap.eq(beat.valid & beat.first),
            array.step.eq(loader.step), array.codewords.eq(loader.codewords),
            self.issue.eq(sequencer.issue), self.array_busy.eq(sequencer.active),
            self.wait_weights.eq(sequencer.wait_weights),
            self.wait_accumulators.eq(sequencer.wait_accumulators),
        ]

    def _connect_accumulators(self, m: Module) -> None:
        """Sums from the array to post-processing; their addresses keep pace with the array."""
        banks, post, beat = self._banks, self._post, self._sequencer.beat
        for stage in range(ProcessingArray.LATENCY):
            delayed = Signal(beat_layout(self._config.accumulator_depth),
                             name=f"array_beat_{stage}")
            m.d.sync += delayed.eq(beat)
            beat = delayed
        m.d.comb += [
            banks.update.eq(beat.valid), banks.half.eq(beat.half), banks.address.eq(beat.pixel),
            banks.first.eq(beat.set), banks.finish.eq(beat.finish),
            banks.partial.eq(self._array.totals),
            banks.read.eq(post.read), banks.read_half.eq(post.read_half),
            banks.read_address.eq(post.read_address), banks.release.eq(post.release),
            post.half_full.eq(banks.half_full), post.total.eq(banks.total),
            self.accumulator_reads.eq(banks.reads), self.accumulator_writes.eq(banks.writes),
        ]

    def _connect_post(self, m: Module) -> None:
        """Parameters into post-processing, results out of it."""
        post, unpacker, command = self._post, self._parameters, self.post_command
        wiring.connect(m, unpacker.i, wiring.flipped(self.parameters))
        m.d.comb += [
            # All parameters are taken before the last write, so the length is accepted but once.
            unpacker.length.valid.eq(command.valid & ~post.busy),
            unpacker.length.payload.eq(command.payload.parameter_groups),
            post.command.valid.eq(command.valid), post.command.payload.eq(command.payload.post),
            command.ready.eq(post.command.ready),
            post.parameters.payload.as_value().eq(unpacker.o.payload),
            post.parameters.valid.eq(unpacker.o.valid), unpacker.o.ready.eq(post.parameters.ready),
            self.write.eq(post.write), self.write_address.eq(post.write_address),
            self.write_mask.eq(post.write_mask), self.write_word.eq(post.write_word),
            self.post_busy.eq(post.working),
        ]
