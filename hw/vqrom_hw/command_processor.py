"""The command processor: one command after the other, prefetches queued on the way."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .axi import ADDRESS_BITS
from .commands import COMMAND_BYTES, Opcode, Region, Stream, command_layout
from .dma import request_layout


class CommandProcessor(wiring.Component):
    """Assemble commands from beats, start units, wait for them, stop at END or at an error.

    Members
    -------
    start: ``In(1)``, busy: ``Out(1)``, done: ``Out(1)``, failed: ``Out(1)``
        Run a program; pulses at END and after a bus error or an unknown opcode.
    i: ``In(stream.Signature(bus_width))``
        The program's beats.
    bases: ``In(ArrayLayout(32, regions))``
        DRAM base addresses.
    command: ``Out(command_layout)``
        The command in progress.
    begin: ``Out(1)``, running: ``Out(1)``, finished: ``In(1)``
        Pulse to the units; from the next cycle on ``running`` until they say ``finished``.
    request: ``Out(request_layout)``
        DMA request of the command, absolute.
    fetch_weights, fetch_parameters: ``Out(1)`` with ``*_ready: In(1)``
        Queue ``request`` at that stream.
    retire: ``Out(1)``
        ``command`` is finished in this cycle.
    bus_error: ``In(1)``
        A response reported an error.
    """

    def __init__(self, bus_width: int):
        self._bus_width = bus_width
        super().__init__({
            "start": In(1), "busy": Out(1), "done": Out(1), "failed": Out(1),
            "i": In(stream.Signature(bus_width)),
            "bases": In(data.ArrayLayout(ADDRESS_BITS, len(Region))),
            "command": Out(command_layout),
            "begin": Out(1), "running": Out(1), "finished": In(1),
            "request": Out(request_layout),
            "fetch_weights": Out(1), "fetch_weights_ready": In(1),
            "fetch_parameters": Out(1), "fetch_parameters_ready": In(1),
            "retire": Out(1), "bus_error": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        command = self.command
        beats = 8 * COMMAND_BYTES // self._bus_width
        beat, error = Signal(range(beats)), Signal()
        is_parameter = command.stream == Stream.PARAMETER
        m.d.comb += [
            self.request.address.eq(self.bases[command.region] + command.offset),
            self.request.beats.eq(command.beats),
            self.request.tag.eq(command.stream == Stream.RAW_WEIGHT),
        ]
        with m.If(self.bus_error):
            m.d.sync += error.eq(1)

        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += error.eq(0)
                with m.If(self.start):
                    m.next = "ASSEMBLE"
            with m.State("ASSEMBLE"):
                m.d.comb += [self.busy.eq(1), self.i.ready.eq(~error)]
                with m.If(error):
                    m.d.comb += self.failed.eq(1)
                    m.next = "IDLE"
                with m.Elif(self.i.valid):
                    self._store_beat(m, beat, beats)
                    m.d.sync += beat.eq(beat + 1)
                    with m.If(beat == beats - 1):
                        m.d.sync += beat.eq(0)
                        m.next = "DISPATCH"
            with m.State("DISPATCH"):
                m.d.comb += self.busy.eq(1)
                with m.Switch(command.opcode):
                    with m.Case(Opcode.END):
                        m.d.comb += [self.retire.eq(1), self.done.eq(1)]
                        m.next = "IDLE"
                    with m.Case(Opcode.FETCH):
                        m.d.comb += [self.fetch_parameters.eq(is_parameter),
                                     self.fetch_weights.eq(~is_parameter)]
                        with m.If((self.fetch_parameters & self.fetch_parameters_ready)
                                  | (self.fetch_weights & self.fetch_weights_ready)):
                            m.d.comb += self.retire.eq(1)
                            m.next = "ASSEMBLE"
                    with m.Case(Opcode.LOAD, Opcode.STORE, Opcode.COMPUTE, Opcode.MAXPOOL,
                                Opcode.VECTOR):
                        m.d.comb += self.begin.eq(1)
                        m.next = "RUN"
                    with m.Default():
                        m.d.comb += self.failed.eq(1)
                        m.next = "IDLE"
            with m.State("RUN"):
                m.d.comb += [self.busy.eq(1), self.running.eq(1)]
                with m.If(self.finished):
                    m.d.comb += self.retire.eq(1)
                    m.next = "ASSEMBLE"
        return m

    def _store_beat(self, m, beat, beats):
        width = self._bus_width
        with m.Switch(beat):
            for number in range(min(beats, -(-command_layout.size // width))):
                with m.Case(number):
                    part = self.command.as_value()[number * width:(number + 1) * width]
                    m.d.sync += part.eq(self.i.payload)
