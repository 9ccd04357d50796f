"""Combinational cycles are found as Amaranth finds them, by name and nowhere else."""

from types import SimpleNamespace

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Module, Signal
from amaranth.hdl import _nir as nir  # pyright: ignore[reportAttributeAccessIssue]
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.export.fast_conversion import fast_conversion


class Loop(wiring.Component):
    """Words whose bits depend on each other as a test says."""

    a: Signal
    b: Signal
    o: Signal

    def __init__(self, build) -> None:
        self._build = build
        super().__init__({"a": In(4), "b": In(4), "o": Out(4)})

    def elaborate(self, platform):
        m = Module()
        x, y = Signal(4), Signal(4)
        self._build(m, SimpleNamespace(a=self.a, b=self.b, o=self.o, x=x, y=y))
        m.d.comb += self.o.eq(x ^ y)
        return m


def _late(m, s):
    m.d.comb += [s.x.eq(s.y), s.y.eq(s.x)]


def _sum(m, s):
    m.d.comb += [s.x.eq(s.y + s.a), s.y.eq(s.x & s.b)]


def _high_bit_of_a_sum(m, s):
    m.d.comb += [s.x.eq(s.a + s.y), s.y[0].eq(s.x[3])]


def _choice(m, s):
    with m.If(s.x[0]):
        m.d.comb += s.x[0].eq(s.a[0])
    m.d.comb += s.y.eq(s.b)


def _shift(m, s):
    m.d.comb += [s.x.eq(s.a >> s.y[:2]), s.y[1].eq(s.x[0])]


CYCLES = (_late, _sum, _high_bit_of_a_sum, _choice, _shift)


def _register(m, s):
    m.d.sync += s.x.eq(s.y + s.a)
    m.d.comb += s.y.eq(s.x & s.b)


def _bits_in_a_row(m, s):
    """Each bit depends on the one below: the word on itself, no bit on itself."""
    m.d.comb += [s.x[0].eq(s.a[0]), *(s.x[bit].eq(s.x[bit - 1] ^ s.a[bit]) for bit in (1, 2, 3)),
                 s.y.eq(s.b)]


def _crossed_fields(m, s):
    with m.If(s.a[0]):
        m.d.comb += [s.x[:2].eq(s.y[2:]), s.y[:2].eq(s.x[2:])]
    m.d.comb += [s.x[2:].eq(s.a[2:]), s.y[2:].eq(s.b[2:])]


@pytest.mark.parametrize("build", CYCLES)
def test_cycle_is_found(build):
    with pytest.raises(nir.CombinationalCycle) as plain:
        rtlil.convert(Loop(build))
    with pytest.raises(nir.CombinationalCycle, match="cycle detected, path") as fast, \
            fast_conversion():
        rtlil.convert(Loop(build))
    # The path begins wherever the search does, which hashes of signals decide.
    assert sorted(str(fast.value).splitlines()) == sorted(str(plain.value).splitlines())


@pytest.mark.parametrize("build", [_register, _bits_in_a_row, _crossed_fields])
def test_same_text_without_cycle(build):
    plain = rtlil.convert(Loop(build), emit_src=False)
    with fast_conversion():
        assert rtlil.convert(Loop(build), emit_src=False) == plain
