"""Event counters: the ground truth of every cycle and traffic figure."""

from collections.abc import Mapping

from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.isa import COUNTERS


class Counters(wiring.Component):
    """A 64-bit counter for each kind of event that reports speak of.

    Reports take cycles, bus traffic and memory accesses from these counters and from nothing else,
    and the cycle model is held to them one by one. An event is counted :attr:`LATENCY` cycles after
    the one in which it happens: what happens is held in registers first, since the sums are long
    and events come from deep within the units.

    Parameters
    ----------
    widths:
        Bits of what a cycle may add to a counter, by its name; 1 for those that are not named.

    Members
    -------
    clear: ``In(1)``
        Set all counters to zero, and forget the events of this cycle.
    increments: ``In(StructLayout)``
        What to add to each counter of :data:`vqrom_hw.isa.COUNTERS` in this cycle.
    values: ``Out(StructLayout)``
        The counters, 64 bits each.
    """

    LATENCY = 1
    """Cycles from an event to its count."""

    clear: Signal
    increments: data.View
    values: data.View

    def __init__(self, widths: Mapping[str, int]) -> None:
        super().__init__({
            "clear": In(1),
            "increments": In(data.StructLayout({name: widths.get(name, 1) for name in COUNTERS})),
            "values": Out(data.StructLayout(dict.fromkeys(COUNTERS, 64))),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for name in COUNTERS:
            counter = Signal(64, name=name)
            events = Signal.like(self.increments[name], name=f"{name}_events")
            m.d.sync += [events.eq(self.increments[name]), counter.eq(counter + events)]
            with m.If(self.clear):
                m.d.sync += [events.eq(0), counter.eq(0)]
            m.d.comb += self.values[name].eq(counter)
        return m
