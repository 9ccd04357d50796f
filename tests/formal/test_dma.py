"""Bursts cover their requests exactly: proofs for all time, of the splitter at its real size."""

import pytest
from amaranth.hdl import Assert, Assume, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In
from amaranth.utils import exact_log2

from tests.formal.prover import first_violation, mutant
from vqrom_hw.bus import ADDRESS_BITS, BOUNDARY
from vqrom_hw.bus.bursts import BurstSplitter, origin_layout


class Harness(wiring.Component):
    """Any requests, any bus; a model holds the address and the beats that must come next."""

    address: Signal
    beats: Signal
    origin: data.View
    valid: Signal
    ready: Signal

    def __init__(self, splitter: type[BurstSplitter], beat_bytes: int, max_beats: int) -> None:
        super().__init__({"address": In(ADDRESS_BITS), "beats": In(24), "origin": In(origin_layout),
                          "valid": In(1), "ready": In(1)})
        self._dut = splitter(beat_bytes, max_beats)
        self._beat_bytes, self._max_beats = beat_bytes, max_beats

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.dut = dut = self._dut
        shift = exact_log2(self._beat_bytes)
        page = exact_log2(BOUNDARY)
        place, left, origin = Signal(ADDRESS_BITS), Signal(24), Signal(origin_layout)
        burst = dut.o.payload
        last = Signal(page + 1)
        m.d.comb += [
            Assume(self.address[:shift] == 0),
            dut.i.payload.address.eq(self.address), dut.i.payload.beats.eq(self.beats),
            dut.i.payload.command.eq(self.origin.command),
            dut.i.payload.tag.eq(self.origin.tag),
            dut.i.valid.eq(self.valid), dut.o.ready.eq(self.ready),
            last.eq(burst.address[:page] + (burst.beats << shift) - 1),
            Assert(dut.i.ready == (left == 0)),
            # Registers alone decide on valid and payload: they are held until ready.
            Assert(dut.o.valid == (left != 0)),
        ]
        with m.If(dut.i.valid & dut.i.ready):
            m.d.sync += [place.eq(self.address), left.eq(self.beats),
                         origin.eq(self.origin)]
        with m.If(dut.o.valid):
            m.d.comb += [
                Assert(burst.address == place),
                Assert((burst.command == origin.command) & (burst.tag == origin.tag)),
                Assert((burst.beats != 0) & (burst.beats <= left)),
                Assert(burst.beats <= self._max_beats), Assert(last < BOUNDARY),
                # As long as it may be.
                Assert((burst.beats == left) | (burst.beats == self._max_beats)
                       | (last == BOUNDARY - 1)),
            ]
            with m.If(dut.o.ready):
                m.d.sync += [place.eq(place + (burst.beats << shift)),
                             left.eq(left - burst.beats)]
        return m


@pytest.mark.parametrize(("beat_bytes", "max_beats"), [(8, 16), (16, 16), (16, 256), (64, 5),
                                                       (32, 1), (8, 8)])
def test_bursts_cover_the_request(beat_bytes: int, max_beats: int) -> None:
    assert first_violation(Harness(BurstSplitter, beat_bytes, max_beats)) is None


@pytest.mark.parametrize(("old", "new"), [
    ("to_boundary < self._max_beats", "to_boundary <= self._max_beats + 1"),
    ("BOUNDARY - current", "2 * BOUNDARY - current"),
    ("current.beats < limit", "current.beats == limit"),
    ("self.o.valid.eq(current.beats != 0)", "self.o.valid.eq(current.beats > 1)"),
    ("current.address + (beats", "current.address + (self._max_beats"),
    ("current.beats - beats", "current.beats - limit"),
    ("self.o.valid & self.o.ready", "self.o.valid"),
    ("self.i.ready.eq(current.beats == 0)", "self.i.ready.eq(current.beats < 2)"),
])
def test_defects_are_found(old: str, new: str) -> None:
    assert first_violation(Harness(mutant(BurstSplitter, old, new), 8, 16)) is not None
