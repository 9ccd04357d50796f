"""A command waits for what it waits for, no longer and no shorter: proofs for all time."""

import pytest
from amaranth.hdl import Assert, Assume, Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In

from tests.formal.prover import first_violation, mutant
from vqrom_hw.control import CommandQueue
from vqrom_hw.isa import Unit

COUNT = 18
"""Bits of the model's counters, two more than the hardware's, so that those wrap."""

WINDOW = 1 << 15
"""How far a count that is waited for may lie from the present one."""


class Harness(wiring.Component):
    """One command after the other, with full counts in the model and modulo 2**16 in the queue.

    Counts begin anywhere. Assumed is what a program must keep: a count waited for lies less than
    2**15 from the count of finished commands, from when the command is queued until it leaves.
    """

    put: Signal
    ready: Signal
    finish: Signal
    mark: Signal
    position: Signal
    wait: data.View
    start: data.View

    def __init__(self, queue: type[CommandQueue], waits: bool = True) -> None:
        self._dut = queue(data.StructLayout({"mark": 1}), 1, waits)
        self._waits = waits
        super().__init__({"put": In(1), "ready": In(1), "finish": In(len(Unit)), "mark": In(1),
                          "position": In(24), "wait": In(data.ArrayLayout(COUNT, len(Unit))),
                          "start": In(data.ArrayLayout(COUNT, len(Unit)))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.dut = dut = self._dut
        entry = dut.i.payload
        inside, mark, position = Signal(), Signal(), Signal(24)
        reached = Signal(len(Unit))
        begun = Signal()
        m.d.sync += begun.eq(1)
        for unit in Unit:
            name = unit.name.lower()
            target, done = Signal(COUNT), Signal(COUNT, name=f"done_{name}")
            wanted = Mux(inside, target, self.wait[unit])
            m.d.sync += [done.eq(Mux(begun, done + self.finish[unit], self.start[unit])),
                         target.eq(wanted)]
            m.d.comb += [
                entry.wait[name].eq(self.wait[unit]), dut.completed[name].eq(done),
                reached[unit].eq((done >= target) | (not self._waits)),
                Assume(done != (1 << COUNT) - 1),
                Assume((done < wanted + WINDOW) & (wanted < done + WINDOW)),
            ]
        put, take = dut.i.valid & dut.i.ready, dut.o.valid & dut.o.ready
        with m.If(put):
            m.d.sync += [inside.eq(1), mark.eq(self.mark), position.eq(self.position)]
        with m.Elif(take):
            m.d.sync += inside.eq(0)
        m.d.comb += [
            entry.body.mark.eq(self.mark), entry.position.eq(self.position),
            dut.i.valid.eq(self.put & begun), dut.o.ready.eq(self.ready),
            Assert(dut.i.ready == ~inside), Assert(dut.empty == ~inside),
            # Counts only grow: once valid, it stays so until ready.
            Assert(dut.o.valid == (inside & reached.all())),
            Assert(~dut.o.valid | (Cat(dut.o.payload.body.mark, dut.o.payload.position)
                                   == Cat(mark, position))),
        ]
        return m


@pytest.mark.parametrize("waits", [True, False])
def test_a_command_begins_when_it_may(waits: bool) -> None:
    assert first_violation(Harness(CommandQueue, waits)) is None


@pytest.mark.parametrize(("old", "new"), [
    ("distance < 0", "distance < 1"),
    ("distance < 0", "distance <= -2"),
    ("Signal(signed(16)", "Signal(signed(17)"),
    ("behind.any()", "behind.all()"),
    ("self.completed[name]", "self.completed['load']"),
    ("self.o.valid & self.o.ready", "entries.o.valid & self.o.ready"),
    ("self.empty.eq(~entries.o.valid)", "self.empty.eq(~self.o.valid)"),
])
def test_defects_are_found(old: str, new: str) -> None:
    assert first_violation(Harness(mutant(CommandQueue, old, new))) is not None
