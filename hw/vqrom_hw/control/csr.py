"""Control and status registers behind AXI4-Lite."""

from amaranth.hdl import Array, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.bus import ADDRESS_BITS, axi4lite_members
from vqrom_hw.isa import (
    BASE,
    CONTROL,
    COUNTER,
    COUNTERS,
    DONE,
    ERROR,
    ERROR_CODE,
    ERROR_COMMAND,
    HASH,
    ID,
    IDENTIFIER,
    INTERRUPT_CLEAR,
    INTERRUPT_ENABLE,
    LAYER,
    LIMIT,
    PROGRAM_ADDRESS,
    PROGRAM_BEATS,
    START,
    STATUS,
    VERSION,
    VERSION_CSR,
    Region,
    fault_layout,
)


class CsrBlock(wiring.Component):
    """The AXI4-Lite subordinate; one access in two cycles, always an OKAY response.

    Members
    -------
    start: ``Out(1)``
        Pulse: run the program.
    program_address, program_beats: ``Out(32)``, bases, limits: ``Out(ArrayLayout(32, regions))``
        Where things are.
    busy, done, failed: ``In(1)``, layer: ``In(12)``, error: ``In(fault_layout)``
        State; ``done`` and ``failed`` are pulses.
    codebook_sha256: ``In(256)``
        Identity of the codebook in use.
    interrupt: ``Out(1)``
        Done or error since the last clear or start, if enabled.
    counters: ``In(StructLayout)``
        Counter values.
    awvalid ... rresp:
        AXI4-Lite.
    """

    def __init__(self):
        regions = data.ArrayLayout(ADDRESS_BITS, len(Region))
        super().__init__({
            "start": Out(1), "program_address": Out(ADDRESS_BITS), "program_beats": Out(24),
            "bases": Out(regions), "limits": Out(regions), "codebook_sha256": In(256),
            "busy": In(1), "done": In(1), "failed": In(1), "layer": In(12),
            "error": In(fault_layout), "interrupt": Out(1),
            "counters": In(data.StructLayout(dict.fromkeys(COUNTERS, 64))),
        } | axi4lite_members(""))

    def elaborate(self, platform):
        m = Module()
        enable, finished, error = Signal(), Signal(), Signal()
        with m.If(self.done):
            m.d.sync += finished.eq(1)
        with m.If(self.failed):
            m.d.sync += error.eq(1)
        m.d.comb += self.interrupt.eq(enable & (finished | error))
        self._write(m, enable, finished, error)
        self._read(m, enable, finished, error)
        return m

    def _write(self, m, enable, finished, error):
        take = Signal()
        m.d.comb += [
            take.eq(self.awvalid & self.wvalid & ~self.bvalid),
            self.awready.eq(take), self.wready.eq(take),
        ]
        with m.If(self.bready):
            m.d.sync += self.bvalid.eq(0)
        m.d.sync += self.start.eq(0)
        with m.If(take):
            m.d.sync += self.bvalid.eq(1)
            with m.Switch(self.awaddr):
                with m.Case(CONTROL):
                    m.d.sync += [enable.eq(self.wdata[INTERRUPT_ENABLE]),
                                 self.start.eq(self.wdata[START] & ~self.busy)]
                    with m.If(self.wdata[INTERRUPT_CLEAR] | self.wdata[START]):
                        m.d.sync += [finished.eq(0), error.eq(0)]
                with m.Case(PROGRAM_ADDRESS):
                    m.d.sync += self.program_address.eq(self.wdata)
                with m.Case(PROGRAM_BEATS):
                    m.d.sync += self.program_beats.eq(self.wdata)
                for region in Region:
                    with m.Case(BASE + 4 * region):
                        m.d.sync += self.bases[region].eq(self.wdata)
                    with m.Case(LIMIT + 4 * region):
                        m.d.sync += self.limits[region].eq(self.wdata)

    def _read(self, m, enable, finished, error):
        words = {ID: IDENTIFIER, VERSION_CSR: VERSION, CONTROL: enable << INTERRUPT_ENABLE,
                 STATUS: self.busy | (finished << DONE) | (error << ERROR), LAYER: self.layer,
                 PROGRAM_ADDRESS: self.program_address, PROGRAM_BEATS: self.program_beats}
        words |= {ERROR_CODE: self.error.code, ERROR_COMMAND: self.error.position}
        words |= {HASH + 4 * word: self.codebook_sha256.word_select(word, 32) for word in range(8)}
        words |= {BASE + 4 * region: self.bases[region] for region in Region}
        words |= {LIMIT + 4 * region: self.limits[region] for region in Region}
        values = Array(half for name in COUNTERS
                       for half in (self.counters[name][:32], self.counters[name][32:]))
        counter = Signal(range(len(values)))
        m.d.comb += [self.arready.eq(~self.rvalid),
                     counter.eq((self.araddr - COUNTER) >> 2)]
        with m.If(self.rready):
            m.d.sync += self.rvalid.eq(0)
        with m.If(self.arvalid & self.arready):
            m.d.sync += [self.rvalid.eq(1), self.rdata.eq(0)]
            with m.Switch(self.araddr):
                for address, value in words.items():
                    with m.Case(address):
                        m.d.sync += self.rdata.eq(value)
                with m.Default():
                    last = COUNTER + 4 * len(values)
                    with m.If((self.araddr >= COUNTER) & (self.araddr < last)):
                        m.d.sync += self.rdata.eq(values[counter])
