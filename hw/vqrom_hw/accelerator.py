"""The accelerator: everything between AXI4-Lite, AXI4 and the interrupt line."""

import numpy as np
from amaranth.hdl import Cat, Module, Mux, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import Out
from amaranth.utils import exact_log2

from vqrom_hw.bus import (
    ACTIVATIONS,
    CHANNEL_STREAM,
    COMMAND_FIFO_BEATS,
    COMMANDS,
    PARAMETERS,
    VECTOR,
    WEIGHTS,
    ReadDma,
    WriteDma,
    axi4_read_members,
    axi4_write_members,
    axi4lite_members,
)
from vqrom_hw.compute import ComputeUnit, array_command_layout, post_command_layout
from vqrom_hw.control import CommandProcessor, CommandQueue, Counters, CsrBlock
from vqrom_hw.isa import (
    COMMAND_BYTES,
    ErrorCode,
    Opcode,
    Stream,
    Unit,
    transfer_layout,
    vector_layout,
)
from vqrom_hw.memory import ActivationBuffer, ActivationLoader, ActivationStorer, TransferRequest
from vqrom_hw.vector import VectorUnit
from vqrom_hw.weights import weights_command_layout

from .codebook import codebook_sha256, codewords_as_integers
from .config import AcceleratorConfig
from .errors import VqromError

ARRAY_PORT, VECTOR_PORT, STORE_PORT = range(3)
POST_PORT, _, LOAD_PORT = range(3)


class Accelerator(wiring.Component):
    """ROM-codebook inference accelerator.

    Parameters
    ----------
    config:
        Dimensions.
    codewords:
        int8 ``[config.codewords, config.subvector]``: the contents of the ROM. With
        ``codebook_storage = sram`` only the shape matters.

    Members
    -------
    s_axil_*:
        AXI4-Lite subordinate: control, status, counters (:func:`vqrom_hw.isa.registers.csr_map`).
    m_axi_*:
        AXI4 manager: commands, weights, parameters, activations.
    interrupt: ``Out(1)``
        Level: program done or failed.
    active: ``Out(1)``, active_layer: ``Out(12)``
        A program runs, and whose cycle this is: the layer that the array works on or waits for,
        else that of the unit which is the cycle's cause; for tracing, may stay open.

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
            {"interrupt": Out(1), "active": Out(1), "active_layer": Out(12)}
            | axi4lite_members("s_axil_")
            | axi4_read_members("m_axi_", config.bus_width)
            | axi4_write_members("m_axi_", config.bus_width))

    def elaborate(self, platform):
        m = Module()
        config = self._config
        rom = config.codebook_storage == "rom"
        digest = codebook_sha256(self._codewords) if rom else bytes(32).hex()
        m.submodules.csr = self.csr = CsrBlock()
        m.submodules.counter_bank = self.counters = Counters()
        m.submodules.command_processor = self.processor = CommandProcessor(config, digest)
        m.submodules.dma_read = self.dma = ReadDma(config, (
            COMMAND_FIFO_BEATS, config.parameter_fifo_beats, config.vector_fifo_beats,
            config.weight_fifo_beats, config.activation_fifo_beats))
        m.submodules.dma_write = self.write_dma = WriteDma(config)
        m.submodules.activation_buffer = self.buffer = ActivationBuffer(config)

        self._flushed = ResetInserter(self.processor.flush)
        self.compute = ComputeUnit(config, codewords_as_integers(self._codewords))
        self.vector = VectorUnit(config)
        self.load, self.store = ActivationLoader(config), ActivationStorer(config)
        self.load_request, self.store_request = TransferRequest(), TransferRequest()
        for name in ("compute", "vector", "load", "store", "load_request", "store_request"):
            m.submodules[f"{name}_unit"] = self._flushed(getattr(self, name))

        self._connect_bus(m)
        self._control(m)
        self._queues(m)
        self._transfers(m)
        self._buffer_ports(m)
        self._faults(m)
        self._count(m)
        return m

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
        program = getattr(dma, f"request_{COMMANDS}")
        wiring.connect(m, processor.i, getattr(dma, f"o_{COMMANDS}"))
        m.d.comb += [
            processor.start.eq(csr.start), processor.beats.eq(csr.program_beats),
            processor.bases.eq(csr.bases), processor.limits.eq(csr.limits),
            csr.codebook_sha256.eq(processor.codebook_sha256), csr.error.eq(processor.error),
            csr.busy.eq(processor.busy), csr.done.eq(processor.done),
            csr.failed.eq(processor.failed), csr.layer.eq(processor.layer),
            self.interrupt.eq(csr.interrupt),
            program.valid.eq(csr.start), program.payload.address.eq(csr.program_address),
            program.payload.beats.eq(csr.program_beats),
            dma.flush.eq(processor.flush), self.write_dma.flush.eq(processor.flush),
            processor.drained.eq(dma.drained & self.write_dma.idle & ~self.write_dma.wvalid),
        ]
        for channel, stream in CHANNEL_STREAM.items():
            request = getattr(dma, f"request_{stream}")
            m.d.comb += [request.valid.eq(processor.fetch[channel]),
                         request.payload.eq(processor.request),
                         processor.fetch_room[channel].eq(request.ready)]
        wiring.connect(m, self.compute.weights, getattr(dma, f"o_{WEIGHTS}"))
        wiring.connect(m, self.compute.parameters, getattr(dma, f"o_{PARAMETERS}"))
        wiring.connect(m, self.vector.i, getattr(dma, f"o_{VECTOR}"))

    def _queues(self, m):
        """Queues between the processor and the units, and what the units have finished."""
        depth, body = self._config.command_queue, self.processor.command.body
        compute = body.compute
        heads = {
            "weights": (weights_command_layout, {
                "codebook": self.processor.command.header.opcode == Opcode.CODEBOOK,
                "raw": compute.raw, "fills": compute.fills,
                "codewords": body.codebook.codewords}, self.compute.weights_command, False),
            "array": (array_command_layout, {"nest": compute.nest, "pad_value": compute.pad_value},
                      self.compute.array_command, True),
            "post": (post_command_layout, {
                "post": compute.post, "parameter_groups": compute.parameter_groups},
                self.compute.post_command, False),
            "load": (transfer_layout, body.transfer, self.load.command, True),
            "store": (transfer_layout, body.transfer, self.store.command, True),
            "vector": (vector_layout, body.vector, self.vector.command, True),
        }
        self.queues: dict[str, CommandQueue] = {}
        for name, (layout, fields, unit, waits) in heads.items():
            # A COMPUTE's halves are queued apart: the array runs ahead of post-processing.
            queue = CommandQueue(layout, depth, waits)
            self.queues[name] = queue
            m.submodules[f"{name}_queue"] = self._flushed(queue)
            entry = queue.i.payload
            values = fields if isinstance(fields, dict) else {None: fields}
            m.d.comb += [
                entry.position.eq(self.processor.position),
                entry.layer.eq(self.processor.command.header.layer),
                entry.wait.eq(self.processor.command.header.wait),
                queue.i.valid.eq(self.processor.push[name]),
                self.processor.room[name].eq(queue.i.ready),
                unit.payload.eq(queue.o.payload.body), unit.valid.eq(queue.o.valid),
                queue.o.ready.eq(unit.ready),
                *((entry.body if key is None else entry.body[key]).eq(value)
                  for key, value in values.items()),
            ]
        m.d.comb += self.processor.idle.eq(Cat(queue.empty for queue in self.queues.values()).all())
        self._complete(m)

    def _complete(self, m):
        """Count finished commands per unit, and show them to the queues."""
        done = {name: queue.o.valid & queue.o.ready for name, queue in self.queues.items()}
        for unit in Unit:
            name = unit.name.lower()
            finished = Signal(16, name=f"{name}_completed")
            m.d.sync += finished.eq(finished + done[name])
            with m.If(self.processor.start):
                m.d.sync += finished.eq(0)
            m.d.comb += [queue.completed[name].eq(finished) for queue in self.queues.values()]

    def _transfers(self, m):
        """Requests to the DMA when a LOAD or STORE may begin."""
        for name, control, target in (
                ("load", self.load_request, getattr(self.dma, f"request_{ACTIVATIONS}")),
                ("store", self.store_request, self.write_dma.request)):
            head = self.queues[name].o
            body = head.payload.body
            m.d.comb += [
                control.begin.eq(head.valid), control.finish.eq(head.valid & head.ready),
                target.valid.eq(control.request), control.accepted.eq(target.ready),
                target.payload.address.eq(self.csr.bases[body.region] + body.offset),
                target.payload.beats.eq(body.beats),
                target.payload.command.eq(head.payload.position),
            ]
        wiring.connect(m, self.load.i, getattr(self.dma, f"o_{ACTIVATIONS}"))
        wiring.connect(m, self.store.o, self.write_dma.i)
        m.d.comb += self.store.written.eq(self.store_request.requested & self.write_dma.idle)

    def _buffer_ports(self, m):
        readers = ((ARRAY_PORT, self.compute), (VECTOR_PORT, self.vector), (STORE_PORT, self.store))
        for port, unit in readers:
            m.d.comb += [
                self._port("read", port).eq(unit.read),
                self._port("read_address", port).eq(unit.read_address),
                unit.read_word.eq(self._port("read_word", port)),
            ]
            if port != ARRAY_PORT:
                m.d.comb += unit.read_grant.eq(self._port("read_grant", port))
        writers = ((POST_PORT, self.compute), (VECTOR_PORT, self.vector), (LOAD_PORT, self.load))
        for port, unit in writers:
            m.d.comb += [
                self._port("write", port).eq(unit.write),
                self._port("write_address", port).eq(unit.write_address),
                self._port("write_mask", port).eq(unit.write_mask),
                self._port("write_word", port).eq(unit.write_word),
            ]
            if port != POST_PORT:
                m.d.comb += unit.write_grant.eq(self._port("write_grant", port))

    def _port(self, name, number):
        return getattr(self.buffer, f"{name}_{number}")

    def _faults(self, m):
        """The first of several errors in one cycle, bus errors before the units'."""
        # The program itself is read before its commands have positions.
        beats = COMMAND_BYTES // self._config.beat_bytes
        fetched = self.counters.values.command_beats >> exact_log2(beats)
        read = Mux(self.dma.beat[COMMANDS], fetched, self.dma.origin.command)
        faults = [(self.dma.error, ErrorCode.READ_RESPONSE, read),
                  (self.write_dma.error, ErrorCode.WRITE_RESPONSE, self.write_dma.command)]
        for number, name in enumerate(("array", "vector", "store", "post", "vector", "load")):
            faults.append((self.buffer.range_error[number], ErrorCode.BUFFER_RANGE,
                           self.queues[name].o.payload.position))
        for happens, code, position in reversed(faults):
            with m.If(happens):
                m.d.comb += [self.processor.fault.code.eq(code),
                             self.processor.fault.position.eq(position)]

    def _count(self, m):
        processor, compute, dma = self.processor, self.compute, self.dma
        busy = {"post": compute.post_busy, "vector": self.queues["vector"].o.valid,
                "load": self.queues["load"].o.valid, "store": self.queues["store"].o.valid}
        causes = {"compute": compute.issue, "weights": compute.wait_weights,
                  "accumulators": compute.wait_accumulators, "drain": busy["post"],
                  "vector": busy["vector"], "load": busy["load"], "store": busy["store"]}
        events, free = {"cycles": processor.busy}, processor.busy
        for cause, active in causes.items():
            events[f"{cause}_cycles"] = free & active
            free = free & ~active
        events["command_cycles"] = free
        self._show_layer(m, {"array": compute.array_busy} | busy)
        events |= {f"{name}_busy": active for name, active in busy.items()}
        fetched = Cat(dma.beat[stream] for stream in CHANNEL_STREAM.values()).any()
        for stream in Stream:
            events[f"{stream.name.lower()}_beats"] = fetched & (dma.origin.tag == stream)
        events |= {
            "command_beats": dma.beat[COMMANDS],
            "activation_read_beats": dma.beat[ACTIVATIONS],
            "activation_write_beats": self.write_dma.wvalid & self.write_dma.wready,
            "rom_reads": compute.rom_reads,
            "activation_buffer_reads": self.buffer.reads,
            "activation_buffer_writes": self.buffer.writes,
            "accumulator_reads": compute.accumulator_reads,
            "accumulator_writes": compute.accumulator_writes,
        }
        m.d.comb += [self.counters.clear.eq(self.csr.start),
                     self.csr.counters.eq(self.counters.values)]
        m.d.comb += [self.counters.increments[name].eq(event) for name, event in events.items()]

    def _show_layer(self, m, working):
        m.d.comb += [self.active.eq(self.processor.busy),
                     self.active_layer.eq(self.processor.layer)]
        for name, works in reversed(working.items()):
            with m.If(works):
                m.d.comb += self.active_layer.eq(self.queues[name].o.payload.layer)
