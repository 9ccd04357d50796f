"""Control and status registers behind AXI4-Lite."""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_

from amaranth.hdl import Array, Module, Mux, Signal, Value, ValueLike
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.bus import ADDRESS_BITS, axi4lite_members
from vqrom_hw.isa import (
    ABORT,
    COUNTERS,
    DECLARED,
    IDENTIFIER,
    INTERRUPT_CLEAR,
    INTERRUPT_ENABLE,
    REGISTERS,
    START,
    VERSION,
    WATCHDOG_CYCLES,
    Region,
    fault_layout,
)

COUNTER = next(array for array in DECLARED if array.name == "counter")
"""The registers of the counters, the only ones that are wider than an access."""


class CsrBlock(wiring.Component):
    """The registers through which a driver sets up a program, starts it and learns how it ended.

    The block is an AXI4-Lite subordinate that holds the registers of
    :data:`vqrom_hw.isa.registers.DECLARED` or shows values of other components in them. A read
    takes two cycles, a write three; bytes without a strobe keep what they are. The answer is always
    OKAY: an address without a register reads 0, and a write to it or to a read-only register is
    ignored. So is any write but one of ``control`` while a program runs, which would pull the rug
    from under it.

    Address and data of a write are taken whenever they come, in either order: no input of the bus
    reaches an output within a cycle, as the specification demands (AXI4, A3.2.1).

    Members
    -------
    start: ``Out(1)``
        One pulse in the cycle after a write of ``control.start``; none while ``busy``.
    abort: ``Out(1)``
        One pulse in the cycle after a write of ``control.abort``.
    program_address: ``Out(32)``, program_beats: ``Out(24)``, program_limit: ``Out(32)``
        Byte address of the first command, length of the program in bus beats, and the most bytes
        that it may have.
    watchdog: ``Out(32)``
        Cycles without progress after which a program fails, 0 for no end.
    bases, limits: ``Out(ArrayLayout(32, len(Region)))``
        Byte address and size in bytes of each DRAM region.
    busy: ``In(1)``, settling: ``In(1)``, layer: ``In(12)``, error: ``In(fault_layout)``
        What the registers ``status``, ``layer``, ``error_code`` and ``error_command`` show.
    done, failed: ``In(1)``
        Pulses at the end of a program; ``status`` remembers them until a clear or a start.
    codebook_sha256: ``In(256)``
        Identity of the codebook in use, byte 0 of the digest lowest.
    interrupt: ``Out(1)``
        High while ``status`` remembers done or error, if the interrupt is enabled.
    counters: ``In(StructLayout)``
        Value of each counter of :data:`vqrom_hw.isa.COUNTERS`, 64 bits.
    awvalid ... rresp:
        AXI4-Lite, 32 bits of data, as :func:`vqrom_hw.bus.axi4lite_members` lists it.
    """

    start: Signal
    abort: Signal
    program_address: Signal
    program_beats: Signal
    program_limit: Signal
    watchdog: Signal
    bases: data.View
    limits: data.View
    codebook_sha256: Signal
    busy: Signal
    settling: Signal
    done: Signal
    failed: Signal
    layer: Signal
    error: data.View
    interrupt: Signal
    counters: data.View
    awvalid: Signal
    awready: Signal
    awaddr: Signal
    wvalid: Signal
    wready: Signal
    wdata: Signal
    wstrb: Signal
    bvalid: Signal
    bready: Signal
    bresp: Signal
    arvalid: Signal
    arready: Signal
    araddr: Signal
    rvalid: Signal
    rready: Signal
    rdata: Signal
    rresp: Signal

    def __init__(self) -> None:
        regions = data.ArrayLayout(ADDRESS_BITS, len(Region))
        super().__init__({
            "start": Out(1), "abort": Out(1), "program_address": Out(ADDRESS_BITS),
            "program_beats": Out(24), "program_limit": Out(32),
            "watchdog": Out(32, init=WATCHDOG_CYCLES),
            "bases": Out(regions), "limits": Out(regions), "codebook_sha256": In(256),
            "busy": In(1), "settling": In(1), "done": In(1), "failed": In(1), "layer": In(12),
            "error": In(fault_layout), "interrupt": Out(1),
            "counters": In(data.StructLayout(dict.fromkeys(COUNTERS, 64))),
        } | axi4lite_members(""))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        enable, finished, error = Signal(), Signal(), Signal()
        with m.If(self.done):
            m.d.sync += finished.eq(1)
        with m.If(self.failed):
            m.d.sync += error.eq(1)
        m.d.comb += self.interrupt.eq(enable & (finished | error))
        self._write(m, enable, finished, error)
        self._read(m, self._sources(enable, finished, error))
        return m

    def _write(self, m: Module, enable: Signal, finished: Signal, error: Signal) -> None:
        """Hold address and data until both are there; then write, and answer."""
        address, word, strobes = (Signal.like(port, name=f"held_{port.name}")
                                  for port in (self.awaddr, self.wdata, self.wstrb))
        has_address, has_word, write = Signal(), Signal(), Signal()
        m.d.comb += [self.awready.eq(~has_address), self.wready.eq(~has_word),
                     write.eq(has_address & has_word & ~self.bvalid)]
        with m.If(self.awvalid & self.awready):
            m.d.sync += [address.eq(self.awaddr), has_address.eq(1)]
        with m.If(self.wvalid & self.wready):
            m.d.sync += [word.eq(self.wdata), strobes.eq(self.wstrb), has_word.eq(1)]
        with m.If(self.bready):
            m.d.sync += self.bvalid.eq(0)
        m.d.sync += [self.start.eq(0), self.abort.eq(0)]
        with m.If(write):
            m.d.sync += [self.bvalid.eq(1), has_address.eq(0), has_word.eq(0)]
            with m.If((address == REGISTERS["control"].offset) & strobes[0]):
                self._control(m, word, enable, finished, error)
            with m.If(~self.busy):
                self._store(m, address, word, strobes)

    def _store(self, m: Module, address: Signal, word: Signal, strobes: Signal) -> None:
        """Change the bytes with a strobe of the register that is addressed."""
        targets = {name: getattr(self, name) for name in
                   ("program_address", "program_beats", "program_limit", "watchdog")}
        for region in Region:
            targets[f"base_{region.name.lower()}"] = self.bases[region]
            targets[f"limit_{region.name.lower()}"] = self.limits[region]
        written = (register for register in REGISTERS.values()
                   if register.access == "rw" and register.name != "control")
        with m.Switch(address):
            for register in written:
                target = targets[register.name]
                with m.Case(register.offset):
                    m.d.sync += [
                        target[bit:bit + 8].eq(Mux(strobes[bit // 8], word[bit:bit + 8],
                                                   target[bit:bit + 8]))
                        for bit in range(0, len(target), 8)]

    def _control(self, m: Module, word: Signal, enable: Signal, finished: Signal,
                 error: Signal) -> None:
        m.d.sync += [enable.eq(word[INTERRUPT_ENABLE]), self.abort.eq(word[ABORT]),
                     self.start.eq(word[START] & ~self.busy)]
        with m.If(word[INTERRUPT_CLEAR] | word[START]):
            m.d.sync += [finished.eq(0), error.eq(0)]

    def _sources(self, enable: Signal, finished: Signal,
                 error: Signal) -> dict[str, Sequence[ValueLike]]:
        """The values that each declaration's registers read, in order; the counters' apart."""
        return {
            "id": [IDENTIFIER], "version": [VERSION],
            "control": [_fields_of("control", {"interrupt_enable": enable})],
            "status": [_fields_of("status", {"busy": self.busy, "done": finished,
                                             "error": error, "settling": self.settling})],
            "layer": [self.layer],
            "program_address": [self.program_address], "program_beats": [self.program_beats],
            "program_limit": [self.program_limit], "watchdog": [self.watchdog],
            "error_code": [self.error.code], "error_command": [self.error.position],
            "codebook_sha256": [self.codebook_sha256.word_select(word, 32) for word in range(8)],
            "base": [self.bases[region] for region in Region],
            "limit": [self.limits[region] for region in Region],
        }

    def _read(self, m: Module, sources: Mapping[str, Sequence[ValueLike]]) -> None:
        values = Array(half for name in COUNTERS
                       for half in (self.counters[name][:32], self.counters[name][32:]))
        counter = Signal(range(2 * len(COUNTERS)))
        m.d.comb += [self.arready.eq(~self.rvalid),
                     counter.eq((self.araddr - COUNTER.offset) >> 2)]
        with m.If(self.rready):
            m.d.sync += self.rvalid.eq(0)
        with m.If(self.arvalid & self.arready):
            m.d.sync += [self.rvalid.eq(1), self.rdata.eq(0)]
            with m.Switch(self.araddr):
                for declared in DECLARED:
                    if declared is COUNTER:
                        continue
                    for register, value in zip(declared.registers, sources[declared.name],
                                               strict=True):
                        with m.Case(register.offset):
                            m.d.sync += self.rdata.eq(value)
                with m.Default():
                    last = COUNTER.offset + 8 * len(COUNTERS)
                    with m.If((self.araddr >= COUNTER.offset) & (self.araddr < last)):
                        m.d.sync += self.rdata.eq(values[counter])


def _fields_of(register: str, values: Mapping[str, Signal]) -> Value:
    """A register's word from the values of its fields; the others read 0."""
    shifted = ((value, REGISTERS[register].field(name).bit) for name, value in values.items())
    return reduce(or_, (value << bit if bit else value for value, bit in shifted))
