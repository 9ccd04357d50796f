"""The command processor: assembles commands, checks them, hands them to the units' queues."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
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

from .checks import WAITING, command_error, program_error


class CommandProcessor(wiring.Component):
    """Reads a program and hands each command to the queues of the units that carry it out.

    One command is in hand at a time. Its beats are assembled, one a cycle; then it is checked, and
    handed out in a cycle in which every queue that it goes to has room. FETCH goes to the read
    DMA, CHECK is carried out here, and END waits until every unit is idle. At END, and at the
    first error, the processor flushes the units and the DMA until nothing is under way on the bus,
    and then reports.

    Every program ends, whatever is in it: commands are as many as its beats, and where none is
    handed out or finished for ``watchdog`` cycles, the processor ends it with an error. A bus that
    does not answer is not waited for any longer either; the next program then waits until it has.

    Parameters
    ----------
    config:
        The accelerator's dimensions; the bus width, how the codebook is stored and what the vector
        unit can do matter here.
    codebook_sha256:
        SHA-256 of the codebook in the ROM, as hexadecimal digits.

    Members
    -------
    start: ``In(1)``
        Run a program; seen only while ``busy`` is low.
    abort: ``In(1)``
        End the program that runs, with an error.
    address: ``In(32)``, beats: ``In(24)``, limit: ``In(32)``
        Where the program is, its length in bus beats, and the most bytes that it may have; steady
        from ``start`` on while ``busy`` is high.
    watchdog: ``In(32)``, progress: ``In(1)``
        Cycles without progress after which a program fails, 0 for no end; a unit has finished a
        command in this cycle.
    settled: ``In(1)``
        Nothing can arrive any more that was asked for before a reset.
    launch: ``Out(1)``
        The program begins in this cycle: its first beats are to be read.
    busy: ``Out(1)``, done: ``Out(1)``, failed: ``Out(1)``
        A program runs or waits to be launched; in its last cycle one of the other two is high,
        ``failed`` after an error.
    running: ``Out(1)``
        A program has been launched and has not ended.
    i: ``In(stream.Signature(bus_width))``
        The program's beats.
    bases, limits: ``In(ArrayLayout(32, len(Region)))``
        Byte address and size in bytes of each DRAM region.
    command: ``Out(command_layout)``, position: ``Out(24)``
        The command in hand, and its position in the program, from 0.
    push: ``Out(queue_layout)``, room: ``In(queue_layout)``
        Queues that take the command in hand in this cycle; queues that have room for one.
    fetch: ``Out(len(Channel))``, fetch_room: ``In(len(Channel))``
        The read channel, one-hot, that takes ``request`` in this cycle; channels that have room.
    request: ``Out(request_layout)``
        What the DMA is to read for the FETCH in hand.
    codebook_sha256: ``Out(256)``
        SHA-256 of the codebook in use, byte 0 lowest; 0 while a codebook SRAM holds none.
    idle: ``In(1)``, drained: ``In(1)``
        No unit has a command; nothing is under way on the bus.
    flush: ``Out(1)``
        Units, queues and DMA forget everything that they have begun.
    fault: ``In(fault_layout)``
        An error of a unit or of the bus, which goes before one of the command in hand.
    error: ``Out(fault_layout)``
        Why the last program failed; code 0 if it did not.
    layer: ``Out(12)``
        Layer of the command that was handed out last; 0 until there is one.
    """

    start: Signal
    abort: Signal
    address: Signal
    beats: Signal
    limit: Signal
    watchdog: Signal
    progress: Signal
    settled: Signal
    launch: Signal
    busy: Signal
    done: Signal
    failed: Signal
    running: Signal
    i: stream.Interface
    bases: data.View
    limits: data.View
    command: data.View
    position: Signal
    push: data.View
    room: data.View
    fetch: Signal
    fetch_room: Signal
    request: data.View
    codebook_sha256: Signal
    idle: Signal
    drained: Signal
    flush: Signal
    fault: data.View
    error: data.View
    layer: Signal

    def __init__(self, config: AcceleratorConfig, codebook_sha256: str) -> None:
        self._config = config
        self._sha256 = int.from_bytes(bytes.fromhex(codebook_sha256), "little")
        regions = data.ArrayLayout(ADDRESS_BITS, len(Region))
        super().__init__({
            "start": In(1), "abort": In(1), "address": In(ADDRESS_BITS), "beats": In(24),
            "limit": In(32), "watchdog": In(32), "progress": In(1), "settled": In(1),
            "launch": Out(1), "busy": Out(1), "done": Out(1), "failed": Out(1),
            "running": Out(1),
            "i": In(stream.Signature(config.bus_width)), "bases": In(regions),
            "limits": In(regions), "command": Out(command_layout), "position": Out(POSITION),
            "push": Out(queue_layout), "room": In(queue_layout),
            "fetch": Out(len(Channel)), "fetch_room": In(len(Channel)),
            "request": Out(request_layout), "codebook_sha256": Out(256),
            "idle": In(1), "drained": In(1), "flush": Out(1),
            "fault": In(fault_layout), "error": Out(fault_layout), "layer": Out(12),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        header, transfer = self.command.header, self.command.body.transfer
        count = 8 * COMMAND_BYTES // self._config.bus_width
        beat, left = Signal(range(count)), Signal(24)
        own_fault, impatience, fault = (Signal(fault_layout, name=name)
                                        for name in ("own_fault", "impatience", "fault_in_turn"))
        accepted, stuck, settling = Signal(), Signal(), Signal()
        rom = Const(self._sha256, 256)
        # An SRAM holds no codebook until a program has loaded one.
        loaded = Signal(256) if self._config.codebook_storage == "sram" else rom
        handed = {opcode: Signal(16, name=f"handed_{opcode.name.lower()}") for opcode in WAITING}
        base = self.bases[transfer.region]
        illegal = command_error(m, self._config, self.command, base=base,
                                limit=self.limits[transfer.region], codebook=loaded, handed=handed)
        m.d.comb += [
            self.codebook_sha256.eq(loaded), self.running.eq(self.busy & ~settling),
            self.request.address.eq(base + transfer.offset),
            self.request.beats.eq(transfer.beats), self.request.tag.eq(transfer.stream),
            self.request.command.eq(self.position), own_fault.position.eq(self.position),
        ]
        m.d.comb += impatience.code.eq(Mux(stuck, ErrorCode.WATCHDOG, Mux(
            self.abort, ErrorCode.ABORTED, ErrorCode.NONE)))
        m.d.comb += impatience["position"].eq(self.position)
        self._choose_fault(m, own_fault, impatience, fault)
        self._watch(m, accepted, stuck)
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.flush.eq(~self.launch)
                m.d.sync += [beat.eq(0), left.eq(self.beats), self.position.eq(0),
                             self.layer.eq(0), *(number.eq(0) for number in handed.values())]
                with m.If(self.start):
                    self._begin(m)
            with m.State("SETTLE"):
                m.d.comb += [self.busy.eq(1), settling.eq(1), self.flush.eq(~self.launch),
                             self.launch.eq(self._quiet())]
                with m.If(self.launch):
                    m.next = "ASSEMBLE"
                # Errors of the bus belong to what was asked before.
                self._stop_at(m, impatience)
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
                    m.d.sync += [number.eq(number + (header.opcode == opcode))
                                 for opcode, number in handed.items()]
                    m.next = "ASSEMBLE"
                    with m.If(header.opcode == Opcode.END):
                        m.next = "DRAIN"
                    if self._config.codebook_storage == "sram":
                        with m.If(header.opcode == Opcode.CODEBOOK):
                            m.d.sync += loaded.eq(self.command.body.codebook.sha256)
                self._stop_at(m, fault)
            with m.State("DRAIN"):
                m.d.comb += [self.busy.eq(1), self.flush.eq(1)]
                self._report(m, stuck)
        return m

    def _quiet(self) -> Value:
        """Nothing is under way on the bus, of this reset or of an earlier one."""
        return self.drained & self.settled

    def _begin(self, m: Module) -> None:
        """Refuse a program that cannot be read, launch it, or wait until the bus is quiet."""
        refused = program_error(self._config, self.address, self.beats, self.limit)
        m.d.sync += [self.error.code.eq(refused), self.error["position"].eq(0)]
        with m.If(refused != 0):
            m.next = "DRAIN"
        with m.Elif(self._quiet()):
            m.d.comb += self.launch.eq(1)
            m.next = "ASSEMBLE"
        with m.Else():
            m.next = "SETTLE"

    def _choose_fault(self, m: Module, own: data.View, impatience: data.View,
                      fault: data.View) -> None:
        """What ends the program: an error of a unit or the bus before that of the command in hand,
        and only then impatience: the watchdog's or the driver's."""
        with m.If(self.fault.code != 0):
            m.d.comb += fault.eq(self.fault)
        with m.Elif(own.code != 0):
            m.d.comb += fault.eq(own)
        with m.Else():
            m.d.comb += fault.eq(impatience)

    def _watch(self, m: Module, accepted: Value, stuck: Signal) -> None:
        """Find out when nothing has gone on for too long."""
        still = Signal(32)
        m.d.comb += stuck.eq((still == self.watchdog) & (self.watchdog != 0))
        m.d.sync += still.eq(still + 1)
        with m.If(~self.busy | accepted | self.progress | stuck):
            m.d.sync += still.eq(0)

    def _report(self, m: Module, stuck: Value) -> None:
        """End the program as soon as the bus is quiet, or at once if it never gets so."""
        with m.If(self.drained):
            m.d.comb += [self.done.eq(self.error.code == 0), self.failed.eq(self.error.code != 0)]
            m.next = "IDLE"
        with m.Elif(stuck):
            m.d.comb += self.failed.eq(1)
            m.next = "IDLE"
            with m.If(self.error.code == 0):
                m.d.sync += [self.error.code.eq(ErrorCode.WATCHDOG),
                             self.error["position"].eq(self.position)]

    def _stop_at(self, m: Module, fault: data.View) -> None:
        with m.If(fault.code != 0):
            m.d.sync += self.error.eq(fault)
            m.next = "DRAIN"

    def _dispatch(self, m: Module, header: data.View, transfer: data.View,
                  accepted: Signal) -> None:
        """Hand the command out as soon as all that take it have room."""
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

    def _store_beat(self, m: Module, beat: Signal, count: int) -> None:
        """Put a beat at its place in the command; beats beyond the longest command are dropped."""
        width = self._config.bus_width
        with m.Switch(beat):
            for number in range(min(count, -(-command_layout.size // width))):
                with m.Case(number):
                    part = self.command.as_value()[number * width:(number + 1) * width]
                    m.d.sync += part.eq(self.i.payload)
