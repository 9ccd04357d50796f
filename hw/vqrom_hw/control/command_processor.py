"""The command processor: assembles commands, checks them, hands them to the units' queues."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.bus import ADDRESS_BITS, request_layout
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import (
    COMMAND_BYTES,
    POSITION,
    TARGETS,
    Channel,
    ErrorCode,
    Opcode,
    Region,
    command_layout,
    fault_layout,
    queue_layout,
)


class CommandProcessor(wiring.Component):
    """One command at a time: its beats are assembled, then it is dispatched when there is room.

    At END it waits until every unit is idle. There, and after an error, it flushes the units and
    the DMA until nothing is under way on the bus, and then reports.

    Members
    -------
    start: ``In(1)``, busy: ``Out(1)``, done: ``Out(1)``, failed: ``Out(1)``
        Run a program; pulses at its end.
    beats: ``In(24)``
        Length of the program.
    i: ``In(stream.Signature(bus_width))``
        Its beats.
    bases, limits: ``In(ArrayLayout(32, regions))``
        Byte address and size of each DRAM region.
    command: ``Out(command_layout)``, position: ``Out(24)``
        The command in hand.
    push: ``Out(queue_layout)``, room: ``In(queue_layout)``
        Put the command into these queues; they have room for it.
    fetch: ``Out(channels)``, fetch_room: ``In(channels)``, request: ``Out(request_layout)``
        Queue this DMA request.
    codebook_sha256: ``Out(256)``
        Identity of the codebook in use.
    idle: ``In(1)``, drained: ``In(1)``, flush: ``Out(1)``
        All units are; nothing is under way on the bus; forget everything.
    fault: ``In(fault_layout)``
        An error of a unit or of the bus.
    error: ``Out(fault_layout)``
        Why the last program failed.
    layer: ``Out(12)``
        Of the command that was handed out last; 0 at the start.
    """

    def __init__(self, config: AcceleratorConfig, codebook_sha256: str):
        self._config = config
        self._sha256 = int.from_bytes(bytes.fromhex(codebook_sha256), "little")
        regions = data.ArrayLayout(ADDRESS_BITS, len(Region))
        super().__init__({
            "start": In(1), "busy": Out(1), "done": Out(1), "failed": Out(1), "beats": In(24),
            "i": In(stream.Signature(config.bus_width)), "bases": In(regions),
            "limits": In(regions), "command": Out(command_layout), "position": Out(POSITION),
            "push": Out(queue_layout), "room": In(queue_layout),
            "fetch": Out(len(Channel)), "fetch_room": In(len(Channel)),
            "request": Out(request_layout), "codebook_sha256": Out(256),
            "idle": In(1), "drained": In(1), "flush": Out(1),
            "fault": In(fault_layout), "error": Out(fault_layout), "layer": Out(12),
        })

    def elaborate(self, platform):
        m = Module()
        header, transfer = self.command.header, self.command.body.transfer
        count = 8 * COMMAND_BYTES // self._config.bus_width
        beat, left = Signal(range(count)), Signal(24)
        own_fault, fault = Signal(fault_layout), Signal(fault_layout)
        end, accepted, illegal = Signal(33), Signal(), Signal(4)
        rom = Const(self._sha256, 256)
        # An SRAM holds no codebook until a program has loaded one.
        loaded = Signal(256) if self._config.codebook_storage == "sram" else rom
        m.d.comb += [
            self.codebook_sha256.eq(loaded),
            end.eq(transfer.offset + transfer.beats * self._config.beat_bytes),
            self.request.address.eq(self.bases[transfer.region] + transfer.offset),
            self.request.beats.eq(transfer.beats), self.request.tag.eq(transfer.stream),
            self.request.command.eq(self.position),
            own_fault.position.eq(self.position),
            fault.eq(Mux(self.fault.code != 0, self.fault, own_fault)),
        ]
        self._check(m, header, transfer, end, loaded, illegal)

        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [beat.eq(0), left.eq(self.beats), self.position.eq(0),
                             self.layer.eq(0)]
                with m.If(self.start):
                    m.d.sync += self.error.eq(0)
                    m.next = "ASSEMBLE"
            with m.State("ASSEMBLE"):
                m.d.comb += [self.busy.eq(1), self.i.ready.eq(left != 0),
                             own_fault.code.eq(Mux(left == 0, ErrorCode.OPCODE, 0))]
                with m.If(self.i.valid & self.i.ready):
                    self._store_beat(m, beat, count)
                    m.d.sync += [beat.eq(beat + 1), left.eq(left - 1)]
                    with m.If(beat == count - 1):
                        m.d.sync += beat.eq(0)
                        m.next = "DISPATCH"
                self._stop_at(m, fault)
            with m.State("DISPATCH"):
                m.d.comb += [self.busy.eq(1), own_fault.code.eq(illegal)]
                with m.If(illegal == 0):
                    self._dispatch(m, header, transfer, accepted)
                with m.If(accepted):
                    m.d.sync += [self.position.eq(self.position + 1),
                                 self.layer.eq(header.layer)]
                    m.next = "ASSEMBLE"
                    with m.If(header.opcode == Opcode.END):
                        m.next = "DRAIN"
                    if self._config.codebook_storage == "sram":
                        with m.If(header.opcode == Opcode.CODEBOOK):
                            m.d.sync += loaded.eq(self.command.body.codebook.sha256)
                self._stop_at(m, fault)
            with m.State("DRAIN"):
                m.d.comb += [self.busy.eq(1), self.flush.eq(1)]
                with m.If(self.drained):
                    m.d.comb += [self.done.eq(self.error.code == 0),
                                 self.failed.eq(self.error.code != 0)]
                    m.next = "IDLE"
        return m

    def _stop_at(self, m, fault):
        with m.If(fault.code != 0):
            m.d.sync += self.error.eq(fault)
            m.next = "DRAIN"

    def _check(self, m, header, transfer, end, loaded, illegal):
        opcode = header.opcode
        moves = Cat(opcode == move for move in (Opcode.FETCH, Opcode.LOAD, Opcode.STORE)).any()
        known = [Opcode.END, Opcode.CHECK, Opcode.FETCH, *TARGETS]
        if self._config.codebook_storage == "rom":
            known.remove(Opcode.CODEBOOK)
        with m.If(~Cat(opcode == code for code in known).any()
                  | ((opcode == Opcode.FETCH) & (transfer.channel >= len(Channel)))):
            m.d.comb += illegal.eq(ErrorCode.OPCODE)
        with m.Elif(moves & (end > self.limits[transfer.region])):
            m.d.comb += illegal.eq(ErrorCode.DRAM_RANGE)
        with m.Elif((opcode == Opcode.CHECK) & (self.command.body.check.sha256 != loaded)):
            m.d.comb += illegal.eq(ErrorCode.CODEBOOK)

    def _dispatch(self, m, header, transfer, accepted):
        with m.Switch(header.opcode):
            with m.Case(Opcode.END):
                m.d.comb += accepted.eq(self.idle)
            with m.Case(Opcode.CHECK):
                m.d.comb += accepted.eq(1)
            with m.Case(Opcode.FETCH):
                m.d.comb += [accepted.eq(self.fetch_room.bit_select(transfer.channel, 1)),
                             self.fetch.eq(Mux(accepted, 1 << transfer.channel, 0))]
            for opcode, queues in TARGETS.items():
                with m.Case(opcode):
                    m.d.comb += accepted.eq(Cat(self.room[queue] for queue in queues).all())
                    m.d.comb += [self.push[queue].eq(accepted) for queue in queues]

    def _store_beat(self, m, beat, count):
        width = self._config.bus_width
        with m.Switch(beat):
            for number in range(min(count, -(-command_layout.size // width))):
                with m.Case(number):
                    part = self.command.as_value()[number * width:(number + 1) * width]
                    m.d.sync += part.eq(self.i.payload)
