"""FIFOs keep order, and a read channel never asks for more than it can hold: proofs for all time.

Depths are small: pointers wrap after a few cycles at 4 and 5 (a power of two, and not), and the
control is the same modulo counter at any depth. Of the data one bit is looked at, as FIFOs do not
look at data.
"""

from typing import Any

import pytest
from amaranth.hdl import Assert, Assume, Module, Mux, Signal, Value
from amaranth.lib import fifo, wiring
from amaranth.lib.wiring import In

from tests.formal.prover import first_violation, mutant
from vqrom_hw.bus.prefetch_fifo import PrefetchFifo
from vqrom_hw.lib import HeadFifo

FifoKind = type[fifo.SyncFIFO] | type[fifo.SyncFIFOBuffered]

LATENCY: dict[FifoKind, int] = {fifo.SyncFIFO: 0, fifo.SyncFIFOBuffered: 1}
"""Cycles from the one after a write until the item can be read."""


def check_order(m: Module, put: Value, mark: Value, take: Value, first: Value, stored: Value,
                bits: int) -> tuple[Signal, Any]:
    """Items are zeros but for at most one at a time, any: it comes out exactly in its place.

    ``stored`` counts what lies inside. A lost, doubled or overtaken item would bring the one to
    the wrong place, or a zero to its place.
    """
    inside, ahead = Signal(), Signal(bits)
    item = Signal()
    m.d.comb += item.eq(mark & ~inside)
    with m.If(put & item):
        m.d.sync += [inside.eq(1), ahead.eq(stored - take)]
    with m.Elif(take & (ahead == 0)):
        m.d.sync += inside.eq(0)
    with m.Elif(take):
        m.d.sync += ahead.eq(ahead - 1)
    return item, Assert(first == (inside & (ahead == 0)))


class FifoHarness(wiring.Component):
    """Anyone writes and reads at any time."""

    write: Signal
    read: Signal
    mark: Signal

    def __init__(self, kind: FifoKind, depth: int, checked_depth: int | None = None) -> None:
        super().__init__(dict.fromkeys(("write", "read", "mark"), In(1)))
        self._kind = kind
        self._depth = depth
        self._checked_depth = checked_depth or depth

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.dut = dut = self._kind(width=1, depth=self._depth)
        stored, waiting = Signal(range(self._checked_depth + 2)), Signal(2)
        put, take = dut.w_en & dut.w_rdy, dut.r_en & dut.r_rdy
        m.d.sync += [stored.eq(stored + put - take),
                     waiting.eq(Mux((stored == 0) | dut.r_rdy, 0, waiting + 1))]
        item, in_order = check_order(m, put, self.mark, take, dut.r_data, stored, len(stored))
        m.d.comb += [
            dut.w_en.eq(self.write), dut.r_en.eq(self.read), dut.w_data.eq(item),
            Assert(stored <= self._checked_depth),
            Assert(dut.w_rdy | (stored == self._checked_depth)),
            Assert(~dut.r_rdy | (stored != 0)),
            Assert(waiting <= LATENCY[self._kind]),
        ]
        with m.If(dut.r_rdy):
            m.d.comb += in_order
        return m


@pytest.mark.parametrize(("kind", "depth"), [
    (fifo.SyncFIFO, 1), (fifo.SyncFIFO, 4), (fifo.SyncFIFO, 5),
    (fifo.SyncFIFOBuffered, 4), (fifo.SyncFIFOBuffered, 5)])
def test_fifo_keeps_order(kind: FifoKind, depth: int) -> None:
    assert first_violation(FifoHarness(kind, depth)) is None


@pytest.mark.parametrize("kind", LATENCY)
def test_another_depth_is_found(kind: FifoKind) -> None:
    assert first_violation(FifoHarness(kind, 4, 3)) is not None


class TwinHarness(wiring.Component):
    """The same is put into a queue and into Amaranth's, and both are read at the same times."""

    valid: Signal
    ready: Signal
    word: Signal

    def __init__(self, kind: type[HeadFifo], depth: int) -> None:
        super().__init__({"valid": In(1), "ready": In(1), "word": In(2)})
        self._kind = kind
        self._depth = depth

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.dut = dut = self._kind(2, self._depth)
        m.submodules.twin = twin = fifo.SyncFIFO(width=2, depth=self._depth)
        m.d.comb += [
            dut.i.valid.eq(self.valid), dut.i.payload.eq(self.word), dut.o.ready.eq(self.ready),
            twin.w_en.eq(self.valid), twin.w_data.eq(self.word), twin.r_en.eq(self.ready),
            Assert(dut.i.ready == twin.w_rdy), Assert(dut.o.valid == twin.r_rdy),
            Assert(dut.level == twin.level),
            Assert(~dut.o.valid | (dut.o.payload == twin.r_data)),
        ]
        return m


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_queue_is_as_amaranths(depth: int) -> None:
    assert first_violation(TwinHarness(HeadFifo, depth)) is None


@pytest.mark.parametrize(("old", "new"), [
    ("put & (tail.r_rdy | ~free)", "put & ~free"),
    ("put & (tail.r_rdy | ~free)", "put"),
    ("full.eq(tail.r_rdy | put)", "full.eq(tail.r_rdy)"),
    ("Mux(tail.r_rdy, tail.r_data, self.i.payload)", "tail.r_data"),
    ("free.eq(~full | self.o.ready)", "free.eq(self.o.ready)"),
    ("tail.level + full", "tail.level + 1"),
])
def test_defects_of_the_queue_are_found(old: str, new: str) -> None:
    assert first_violation(TwinHarness(mutant(HeadFifo, old, new), 3)) is not None


class ChannelHarness(wiring.Component):
    """Any requests at address 0, any consumer, and a bus that delivers what was asked for when it
    likes."""

    beats: Signal
    request_valid: Signal
    burst_ready: Signal
    beat_valid: Signal
    ready: Signal
    mark: Signal

    def __init__(self, channel: type[PrefetchFifo], depth: int, max_beats: int) -> None:
        super().__init__({"beats": In(2)} | dict.fromkeys(
            ("request_valid", "burst_ready", "beat_valid", "ready", "mark"), In(1)))
        self._depth = depth
        self._dut = channel(8, depth, max_beats)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.dut = dut = self._dut
        # Asked for but not here, and here but not taken.
        coming, stored = Signal(4), Signal(4)
        waiting, idle = Signal(2), Signal(2)
        issue = dut.burst.valid & dut.burst.ready
        take = dut.o.valid & dut.o.ready
        item, in_order = check_order(m, self.beat_valid, self.mark, take, dut.o.payload[0], stored,
                                     len(stored))
        m.d.sync += [
            coming.eq(coming + Mux(issue, dut.burst.payload.beats, 0) - self.beat_valid),
            stored.eq(stored + self.beat_valid - take),
            waiting.eq(Mux((stored == 0) | dut.o.valid, 0, waiting + 1)),
        ]
        m.d.comb += [
            dut.request.valid.eq(self.request_valid), dut.request.payload.beats.eq(self.beats),
            dut.burst.ready.eq(self.burst_ready), dut.beat.valid.eq(self.beat_valid),
            dut.beat.payload.eq(item), dut.o.ready.eq(self.ready),
            Assume(~self.beat_valid | (coming != 0)),
            Assert(dut.beat.ready), Assert(coming + stored <= self._depth),
            Assert(~dut.o.valid | (stored != 0)), Assert(waiting <= 1),
        ]
        with m.If(dut.o.valid):
            m.d.comb += in_order
        self._offers(m, dut, issue, idle, (coming == 0) & (stored == 0))
        return m

    def _offers(self, m: Module, dut: PrefetchFifo, issue: Value, idle: Signal,
                empty: Value) -> None:
        """An offered burst stays as it is; with room for all, one is offered if any is asked for.
        """
        offered, beats = Signal(), Signal(9)
        m.d.sync += [
            offered.eq(dut.burst.valid & ~issue), beats.eq(dut.burst.payload.beats),
            idle.eq(Mux(empty & ~dut.request.ready & ~dut.burst.valid, idle + 1, 0)),
        ]
        m.d.comb += [
            Assert(~offered | (dut.burst.valid & (dut.burst.payload.beats == beats))),
            Assert(idle <= 1),
        ]


@pytest.mark.parametrize(("depth", "max_beats"), [(4, 3), (5, 2)])
def test_channel_reserves_room_and_keeps_order(depth: int, max_beats: int) -> None:
    assert first_violation(ChannelHarness(PrefetchFifo, depth, max_beats)) is None


@pytest.mark.parametrize(("old", "new"), [
    ("free >= splitter.o.payload.beats", "free != 0"),
    ("+ pop)", "+ self.o.valid)"),
    ("free - Mux(issue, ", "free - Mux(self.burst.valid, "),
    ("beats.w_en.eq(self.beat.valid)", "beats.w_en.eq(self.beat.valid & (free != 3))"),
    ("beats.r_en.eq(self.o.ready)", "beats.r_en.eq(1)"),
    ("self._depth + 1), init=self._depth", "self._depth + 2), init=self._depth + 1"),
])
def test_defects_are_found(old: str, new: str) -> None:
    assert first_violation(ChannelHarness(mutant(PrefetchFifo, old, new), 4, 3)) is not None
