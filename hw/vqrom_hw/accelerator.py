"""The accelerator: everything between AXI4-Lite, AXI4 and the interrupt line."""

import numpy as np
from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out

from .accumulators import AccumulatorBank
from .activation_buffer import ActivationBuffer
from .array import ProcessingArray
from .axi import axi4_read_members, axi4_write_members, axi4lite_members
from .codebook import codebook_sha256, codewords_as_integers
from .command_processor import CommandProcessor
from .commands import Opcode
from .config import AcceleratorConfig
from .counters import Counters
from .csr import CsrBlock
from .decode import WeightLoader
from .dma_read import ReadDma
from .dma_write import WriteDma
from .errors import VqromError
from .max_pool import MaxPool
from .post import PostProcessor
from .requantize import parameter_layout
from .sequencer import Sequencer, beat_layout
from .transfer import ActivationLoader, ActivationStorer
from .unpack import Unpacker

COMMANDS, PARAMETERS, ACTIVATIONS, WEIGHTS = range(4)
"""Read streams in order of priority."""

COMMAND_FIFO_BEATS = 32
ACTIVATION_FIFO_BEATS = 32


class Accelerator(wiring.Component):
    """ROM-codebook inference accelerator.

    Parameters
    ----------
    config:
        Dimensions.
    codewords:
        int8 ``[config.codewords, config.subvector]``, the contents of the ROM.

    Members
    -------
    s_axil_*:
        AXI4-Lite subordinate: control, status, counters (:func:`vqrom_hw.csr.csr_map`).
    m_axi_*:
        AXI4 manager: commands, weights, parameters, activations.
    interrupt: ``Out(1)``
        Level: program done or failed.
    retired: ``Out(1)``, retired_layer: ``Out(12)``
        Pulse, one cycle after a command has finished, and its layer; for tracing, may stay open.

    Raises
    ------
    VqromError
        If the codebook has another shape than the configuration says, or is not int8.
    """

    def __init__(self, config: AcceleratorConfig, codewords: np.ndarray):
        expected = (config.codewords, config.subvector)
        if codewords.shape != expected or codewords.dtype != np.int8:
            raise VqromError(f"codebook must be int8 of shape {expected} for config "
                             f"{config.name!r}, not {codewords.dtype} of shape {codewords.shape}")
        self._config = config
        self._codewords = codewords
        super().__init__(
            {"interrupt": Out(1), "retired": Out(1), "retired_layer": Out(12)}
            | axi4lite_members("s_axil_")
            | axi4_read_members("m_axi_", config.bus_width)
            | axi4_write_members("m_axi_", config.bus_width))

    def elaborate(self, platform):
        m = Module()
        config: AcceleratorConfig = self._config
        rows = codewords_as_integers(self._codewords)
        m.submodules.csr = self.csr = CsrBlock(codebook_sha256(self._codewords))
        m.submodules.counter_bank = self.counters = Counters()
        m.submodules.command_processor = self.processor = CommandProcessor(config.bus_width)
        m.submodules.dma_read = self.dma = ReadDma(config, (
            COMMAND_FIFO_BEATS, config.parameter_fifo_beats, ACTIVATION_FIFO_BEATS,
            config.weight_fifo_beats))
        m.submodules.dma_write = self.write_dma = WriteDma(config)
        m.submodules.unpacker_index = self.indices = Unpacker(
            config.bus_width, config.decode_ports * config.index_width)
        m.submodules.unpacker_raw = self.raws = Unpacker(
            config.bus_width, config.decode_ports * config.codeword_width)
        m.submodules.unpacker_parameter = self.parameters = Unpacker(
            config.bus_width, config.post_lanes * parameter_layout.size)
        m.submodules.weight_loader = self.loader = WeightLoader(config, rows)
        m.submodules.sequencer = self.sequencer = Sequencer(config.accumulator_depth)
        m.submodules.activation_buffer = self.buffer = ActivationBuffer(
            config.activation_words, config.rows)
        m.submodules.processing_array = self.array = ProcessingArray(config)
        m.submodules.post_processor = self.post = PostProcessor(config)
        m.submodules.max_pool = self.pool = MaxPool(config.rows)
        m.submodules.activation_loader = self.load = ActivationLoader(config)
        m.submodules.activation_storer = self.store = ActivationStorer(config)
        self.banks = []
        for group in range(config.post_groups):
            bank = AccumulatorBank(config.post_lanes, config.accumulator_depth, 32)
            m.submodules[f"accumulator_bank_{group}"] = bank
            self.banks.append(bank)

        self._connect_bus(m)
        self._control(m)
        self._weights(m)
        self._compute(m)
        self._accumulate(m)
        self._buffer_ports(m)
        self._count(m)
        return m

    def _opcode(self, *opcodes):
        return Cat(*(self.processor.command.opcode == opcode for opcode in opcodes)).any()

    def _connect_bus(self, m):
        width = self._config.bus_width
        ports = [(self.csr, "s_axil_", axi4lite_members("")),
                 (self.dma, "m_axi_", axi4_read_members("", width)),
                 (self.write_dma, "m_axi_", axi4_write_members("", width))]
        for unit, prefix, members in ports:
            for name, member in members.items():
                outer, inner = getattr(self, prefix + name), getattr(unit, name)
                m.d.comb += outer.eq(inner) if member.flow == Out else inner.eq(outer)

    def _control(self, m):
        csr, processor, dma = self.csr, self.processor, self.dma
        command = processor.command
        wiring.connect(m, processor.i, getattr(dma, f"o_{COMMANDS}"))
        program = getattr(dma, f"request_{COMMANDS}")
        parameters, weights = (getattr(dma, f"request_{n}") for n in (PARAMETERS, WEIGHTS))
        activations = getattr(dma, f"request_{ACTIVATIONS}")
        begin_load = processor.begin & self._opcode(Opcode.LOAD)
        begin_store = processor.begin & self._opcode(Opcode.STORE)
        m.d.comb += [
            processor.start.eq(csr.start), processor.bases.eq(csr.bases),
            csr.busy.eq(processor.busy), csr.done.eq(processor.done),
            csr.failed.eq(processor.failed), csr.layer.eq(command.layer),
            self.interrupt.eq(csr.interrupt),
            program.valid.eq(csr.start), program.payload.address.eq(csr.program_address),
            program.payload.beats.eq(csr.program_beats),
            parameters.valid.eq(processor.fetch_parameters),
            parameters.payload.eq(processor.request),
            processor.fetch_parameters_ready.eq(parameters.ready),
            weights.valid.eq(processor.fetch_weights), weights.payload.eq(processor.request),
            processor.fetch_weights_ready.eq(weights.ready),
            activations.valid.eq(begin_load), activations.payload.eq(processor.request),
            self.write_dma.request.valid.eq(begin_store),
            self.write_dma.request.payload.eq(processor.request),
            self.load.start.eq(begin_load), self.load.base.eq(command.act_base),
            self.load.words.eq(command.words),
            self.store.start.eq(begin_store), self.store.base.eq(command.act_base),
            self.store.words.eq(command.words), self.store.beats.eq(command.beats),
            processor.bus_error.eq(dma.error | self.write_dma.error),
        ]
        m.d.sync += [self.retired.eq(processor.retire), self.retired_layer.eq(command.layer)]
        wiring.connect(m, self.load.i, getattr(dma, f"o_{ACTIVATIONS}"))
        wiring.connect(m, self.store.o, self.write_dma.i)
        pool_idle = ~self.sequencer.active & ~self.sequencer.beat.valid & ~self.pool.o_valid
        with m.Switch(command.opcode):
            with m.Case(Opcode.COMPUTE, Opcode.VECTOR):
                m.d.comb += processor.finished.eq(self.post.done)
            with m.Case(Opcode.MAXPOOL):
                m.d.comb += processor.finished.eq(pool_idle)
            with m.Case(Opcode.LOAD):
                m.d.comb += processor.finished.eq(~self.load.busy)
            with m.Case(Opcode.STORE):
                m.d.comb += processor.finished.eq(self.write_dma.idle)

    def _weights(self, m):
        command = self.processor.command
        begin = self.processor.begin & self._opcode(Opcode.COMPUTE)
        weights = getattr(self.dma, f"o_{WEIGHTS}")
        m.d.comb += [
            self.indices.i.payload.eq(weights.payload), self.raws.i.payload.eq(weights.payload),
            self.indices.i.valid.eq(weights.valid & ~command.raw),
            self.raws.i.valid.eq(weights.valid & command.raw),
            weights.ready.eq(Mux(command.raw, self.raws.i.ready, self.indices.i.ready)),
            self.indices.length.valid.eq(begin & ~command.raw),
            self.indices.length.payload.eq(command.fills),
            self.raws.length.valid.eq(begin & command.raw),
            self.raws.length.payload.eq(command.fills),
            self.parameters.length.valid.eq(
                self.processor.begin & self._opcode(Opcode.COMPUTE, Opcode.VECTOR)),
            self.parameters.length.payload.eq(command.parameter_groups),
            self.loader.raw.eq(command.raw), self.loader.take.eq(self.sequencer.take),
            self.post.parameters.payload.as_value().eq(self.parameters.o.payload),
            self.post.parameters.valid.eq(self.parameters.o.valid),
            self.parameters.o.ready.eq(self.post.parameters.ready),
        ]
        wiring.connect(m, self.parameters.i, getattr(self.dma, f"o_{PARAMETERS}"))
        wiring.connect(m, self.loader.i_index, self.indices.o)
        wiring.connect(m, self.loader.i_raw, self.raws.o)

    def _compute(self, m):
        command, sequencer, beat = self.processor.command, self.sequencer, self.sequencer.beat
        pooling = self._opcode(Opcode.MAXPOOL)
        padding = Cat(*(command.pad_value for _ in range(self._config.rows)))
        m.d.comb += [
            sequencer.nest.eq(command.nest), sequencer.pooling.eq(pooling),
            sequencer.start.eq(self.processor.begin & self._opcode(Opcode.COMPUTE, Opcode.MAXPOOL)),
            sequencer.weights_full.eq(self.loader.full), sequencer.release.eq(self.post.release),
            self.array.activations.eq(Mux(beat.inside, self.buffer.read_word, padding)),
            self.array.swap.eq(beat.valid & beat.first & ~pooling),
            self.array.step.eq(self.loader.step), self.array.codewords.eq(self.loader.codewords),
            self.pool.valid.eq(beat.valid & pooling), self.pool.word.eq(self.buffer.read_word),
            self.pool.inside.eq(beat.inside), self.pool.first.eq(beat.first),
            self.pool.last.eq(beat.last),
        ]

    def _accumulate(self, m):
        config, post = self._config, self.post
        beat = self.sequencer.beat
        for stage in range(ProcessingArray.LATENCY):
            delayed = Signal(beat_layout(config.accumulator_depth), name=f"array_beat_{stage}")
            m.d.sync += delayed.eq(beat)
            beat = delayed
        summing = beat.valid & self._opcode(Opcode.COMPUTE)
        half_full = Signal(2)
        finished = Mux(summing & beat.finish, 1 << beat.half, 0)
        m.d.sync += half_full.eq((half_full | finished) & ~post.release)
        m.d.comb += [
            post.post.eq(self.processor.command.post),
            post.source_base.eq(self.processor.command.act_base),
            post.start.eq(self.processor.begin & self._opcode(Opcode.COMPUTE, Opcode.VECTOR)),
            # Vector passes read what an earlier command left, so they wait for nothing.
            post.half_full.eq(half_full | self._opcode(Opcode.VECTOR).replicate(2)),
            post.act_word.eq(self.buffer.read_word),
        ]
        totals = data.View(data.ArrayLayout(32 * config.post_lanes, config.post_groups),
                           Signal(32 * config.columns))
        for group, bank in enumerate(self.banks):
            m.d.comb += [
                bank.update.eq(summing | post.update[group]),
                bank.update_half.eq(summing & beat.half),
                bank.update_address.eq(Mux(summing, beat.pixel, post.update_address)),
                bank.first.eq(Mux(summing, beat.set, post.update_first)),
                bank.read.eq(post.read & (post.read_group == group)),
                bank.read_half.eq(post.read_half), bank.read_address.eq(post.read_address),
                totals[group].eq(bank.total),
            ]
            for lane in range(config.post_lanes):
                column = group * config.post_lanes + lane
                m.d.comb += bank.partial[lane].eq(
                    Mux(summing, self.array.totals[column], post.update_values[lane]))
        m.d.comb += post.total.as_value().eq(totals[post.read_group])

    def _buffer_ports(self, m):
        buffer, config = self.buffer, self._config
        m.d.comb += self.store.word.eq(buffer.read_word)
        readers = [(self.sequencer.read, self.sequencer.read_address),
                   (self.post.act_read, self.post.act_read_address),
                   (self.store.read, self.store.read_address)]
        for read, address in readers:
            with m.If(read):
                m.d.comb += [buffer.read.eq(1), buffer.read_address.eq(address)]
        lanes = Cat(*(self.post.write_bytes for _ in range(config.rows // config.post_lanes)))
        target = Signal(20)
        with m.If(self.processor.begin):
            m.d.sync += target.eq(self.processor.command.post.out_base)
        with m.Elif(self.pool.o_valid):
            m.d.sync += target.eq(target + 1)
        writers = [(self.post.write, self.post.write_address, self.post.write_mask, lanes),
                   (self.pool.o_valid, target, ~0, self.pool.o_word),
                   (self.load.write, self.load.write_address, ~0, self.load.write_word)]
        for write, address, mask, word in writers:
            with m.If(write):
                m.d.comb += [buffer.write.eq(1), buffer.write_address.eq(address),
                             buffer.write_mask.eq(mask), buffer.write_word.eq(word)]

    def _count(self, m):
        processor, sequencer, dma = self.processor, self.sequencer, self.dma
        waiting = sequencer.wait_weights | sequencer.wait_accumulators
        computing = processor.running & self._opcode(Opcode.COMPUTE)
        running = {name: processor.running & self._opcode(opcode) for name, opcode in
                   (("pool", Opcode.MAXPOOL), ("vector", Opcode.VECTOR), ("load", Opcode.LOAD),
                    ("store", Opcode.STORE))}
        updates = Signal(range(self._config.post_groups + 1))
        sums = Signal(range(self._config.post_groups + 1))
        m.d.comb += [
            updates.eq(sum(bank.update for bank in self.banks)),
            sums.eq(sum(bank.update & ~bank.first for bank in self.banks)),
        ]
        events = {
            "cycles": processor.busy,
            "compute_cycles": computing & sequencer.active & ~waiting,
            "weights_cycles": computing & sequencer.wait_weights,
            "accumulators_cycles": computing & sequencer.wait_accumulators,
            "drain_cycles": computing & ~sequencer.active,
            **{f"{name}_cycles": value for name, value in running.items()},
            "command_cycles": processor.busy & ~processor.running,
            "index_beats": dma.beat[WEIGHTS] & ~dma.tag,
            "raw_weight_beats": dma.beat[WEIGHTS] & dma.tag,
            "parameter_beats": dma.beat[PARAMETERS],
            "command_beats": dma.beat[COMMANDS],
            "activation_read_beats": dma.beat[ACTIVATIONS],
            "activation_write_beats": self.write_dma.wvalid & self.write_dma.wready,
            "rom_reads": Mux(self.loader.lookup, self._config.decode_ports, 0),
            "activation_buffer_reads": self.buffer.read,
            "activation_buffer_writes": self.buffer.write,
            "accumulator_reads": sums + self.post.read,
            "accumulator_writes": updates,
        }
        m.d.comb += [self.counters.clear.eq(self.csr.start),
                     self.csr.counters.eq(self.counters.values)]
        m.d.comb += [self.counters.increments[name].eq(event) for name, event in events.items()]
