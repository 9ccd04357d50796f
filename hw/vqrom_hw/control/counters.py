"""Event counters: the ground truth of every cycle and traffic figure."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.isa import COUNTERS

INCREMENT_BITS = 16
"""Width of what one cycle may add to a counter: more than any unit does at once."""


class Counters(wiring.Component):
    """A 64-bit counter for each kind of event that reports speak of.

    Reports take cycles, bus traffic and memory accesses from these counters and from nothing else,
    and the cycle model is held to them one by one. An event is counted at the end of its cycle.

    Members
    -------
    clear: ``In(1)``
        Set all counters to zero; wins over increments.
    increments: ``In(StructLayout)``
        What to add to each counter of :data:`vqrom_hw.isa.COUNTERS` in this cycle, 16 bits each.
    values: ``Out(StructLayout)``
        The counters, 64 bits each.
    """

    clear: Signal
    increments: data.View
    values: data.View

    def __init__(self) -> None:
        super().__init__({
            "clear": In(1),
            "increments": In(data.StructLayout(dict.fromkeys(COUNTERS, INCREMENT_BITS))),
            "values": Out(data.StructLayout(dict.fromkeys(COUNTERS, 64))),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for name in COUNTERS:
            counter = Signal(64, name=name)
            m.d.sync += counter.eq(counter + self.increments[name])
            with m.If(self.clear):
                m.d.sync += counter.eq(0)
            m.d.comb += self.values[name].eq(counter)
        return m
