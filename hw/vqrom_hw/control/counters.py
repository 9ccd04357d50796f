"""Event counters: the ground truth of every cycle and traffic figure."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.isa import COUNTERS

INCREMENT_BITS = 16


class Counters(wiring.Component):
    """One 64-bit counter per name of :data:`COUNTERS`.

    Members
    -------
    clear: ``In(1)``
        Set all to zero.
    increments: ``In(StructLayout)``
        What to add in this cycle, 16 bits each.
    values: ``Out(StructLayout)``
        Counters.
    """

    def __init__(self):
        super().__init__({
            "clear": In(1),
            "increments": In(data.StructLayout(dict.fromkeys(COUNTERS, INCREMENT_BITS))),
            "values": Out(data.StructLayout(dict.fromkeys(COUNTERS, 64))),
        })

    def elaborate(self, platform):
        m = Module()
        for name in COUNTERS:
            counter = Signal(64, name=name)
            m.d.sync += counter.eq(counter + self.increments[name])
            with m.If(self.clear):
                m.d.sync += counter.eq(0)
            m.d.comb += self.values[name].eq(counter)
        return m
