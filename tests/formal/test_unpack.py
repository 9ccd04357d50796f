"""The unpacker loses and duplicates no bit: proofs without a bound on time.

Every unpacker of every preset, for every index width 1..16, and with short last items. Widths are
divided by their greatest common divisor, as the unpacker does itself (``unit``): it moves whole
units only, so one bit stands for all bits of its unit. Packets are 1..3 periods long: their length
only counts down, so longer ones pass through the same states again.
"""

from __future__ import annotations

from math import gcd

import pytest
from amaranth.hdl import Assert, Assume, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from tests.formal.prover import first_violation, mutant
from vqrom_hw.config import PRESETS, load_config
from vqrom_hw.lib import Unpacker

PERIODS = 3
"""Longest packet in periods."""
INDEX_WIDTHS = range(1, 17)

SHORT = [(8, 6, 2, 2), (8, 6, 2, 4), (8, 9, 2, 6), (4, 7, 3, 1), (8, 15, 3, 5)]
"""Beat, item, period, last item: ports do not divide the PEs, e.g. 5 PEs on 3 ports."""


def preset_widths() -> list[tuple[int, int]]:
    """Beat and item of the index and raw-weight unpackers of all presets, in units."""
    widths = set()
    for config in map(load_config, PRESETS):
        for field in (*INDEX_WIDTHS, config.codeword_width):
            item = config.decode_ports * field
            unit = gcd(config.bus_width, item)
            widths.add((config.bus_width // unit, item // unit))
    return sorted(widths)


class Harness(wiring.Component):
    """Any packets, any gaps on both sides, and a model that counts bits.

    ``mark`` picks any one bit of any beat; until that bit leaves, ``ahead`` is the number of bits
    that must leave before it. As it is any bit, what holds for it holds for all: each leaves once,
    in its place, with its value, and so is held while the item waits.
    """

    periods: Signal
    length_valid: Signal
    beat: Signal
    beat_valid: Signal
    ready: Signal
    mark: Signal
    place: Signal

    def __init__(self, unpacker: type[Unpacker], in_width: int, out_width: int, period: int = 1,
                 last_width: int | None = None) -> None:
        self._widths = in_width, out_width, period, last_width or out_width
        self._dut = unpacker(*self._widths)
        super().__init__({
            "periods": In(range(PERIODS + 1)), "length_valid": In(1), "beat": In(in_width),
            "beat_valid": In(1), "ready": In(1), "mark": In(1), "place": In(range(in_width)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.dut = dut = self._dut
        in_width, out_width, period, last_width = self._widths
        left, phase = Signal(range(PERIODS * period + 1)), Signal(range(period))
        held, now = Signal(range(in_width + out_width)), Signal(range(in_width + out_width))
        width, finish = Signal(range(out_width + 1)), Signal()
        begin = dut.length.valid & dut.length.ready
        take, emit = dut.i.valid & dut.i.ready, dut.o.valid & dut.o.ready
        m.d.comb += [
            dut.length.payload.eq(self.periods * period), dut.length.valid.eq(self.length_valid),
            dut.i.payload.eq(self.beat), dut.i.valid.eq(self.beat_valid),
            dut.o.ready.eq(self.ready),
            Assume(self.periods != 0), Assume(self.place < in_width),
            width.eq(Mux(phase == period - 1, last_width, out_width)),
            now.eq(Mux(emit, held - width, held)), finish.eq(emit & (left == 1)),
        ]
        m.d.sync += held.eq(Mux(finish, 0, now + Mux(take, in_width, 0)))
        with m.If(begin):
            m.d.sync += left.eq(dut.length.payload)
        with m.Elif(emit):
            m.d.sync += left.eq(left - 1)
        if period > 1:
            with m.If(emit):
                m.d.sync += phase.eq(Mux(phase == period - 1, 0, phase + 1))
        m.d.comb += [
            Assert(dut.length.ready == (left == 0)),
            # Registers alone decide on valid, so it cannot wait for ready; it stays until then.
            Assert(dut.o.valid == ((left != 0) & (held >= width))),
            Assert(~dut.o.valid | (dut.last == (left == 1))),
            Assert((left == 0) | dut.o.valid | dut.i.ready),
            # No beat outside a packet; the last beat taken holds a bit of the packet.
            Assert(~take | begin | ((left != 0) & ~finish)),
            Assert(~finish | (now < in_width)),
        ]
        self._mark(m, dut, now, width, take, emit, finish)
        return m

    def _mark(self, m: Module, dut: Unpacker, now: Signal, width: Value, take: Value, emit: Value,
              finish: Value) -> None:
        """Follow the one bit, and assert that it leaves in its place."""
        marked, value, ahead = Signal(), Signal(), Signal.like(now)
        m.d.comb += Assert(~(dut.o.valid & marked & (ahead < width))
                           | (dut.o.payload.bit_select(ahead, 1) == value))
        with m.If(finish | (emit & (ahead < width))):
            m.d.sync += marked.eq(0)
        with m.Elif(emit & marked):
            m.d.sync += ahead.eq(ahead - width)
        with m.If(take & self.mark & ~marked):
            m.d.sync += [marked.eq(1), ahead.eq(now + self.place),
                         value.eq(self.beat.bit_select(self.place, 1))]


@pytest.mark.parametrize("widths", [*preset_widths(), *SHORT], ids=str)
def test_every_bit_leaves_once_in_its_place(widths: tuple[int, ...]) -> None:
    assert first_violation(Harness(Unpacker, *widths)) is None


@pytest.mark.parametrize(("old", "new"), [
    ("rest | beat", "rest"),
    ("(place * unit)", "(place * unit + (place == 3))"),
    ("level.eq(Mux(finish, 0, ", "level.eq(Mux(0, 0, "),
    ("(kept < last_units) & ~finish", "kept < out_units"),
    ("(level >= needed)", "(level >= needed) & self.o.ready"),
    ("self.last.eq(remaining == 1)", "self.last.eq(remaining == 2)"),
    ("(level >= needed)", "(level > needed)"),
    ("buffer >> self._out_width", "buffer >> (self._out_width - 1)"),
    ("Mux(short, 0, phase + 1)", "phase + 1"),
])
def test_defects_are_found(old: str, new: str) -> None:
    assert first_violation(Harness(mutant(Unpacker, old, new), 8, 5, 3, 2)) is not None
