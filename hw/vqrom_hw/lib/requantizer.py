"""Requantisation: from int32 sums to int8 results, in TFLite's fixed-point arithmetic."""

from amaranth.hdl import Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.isa import operand_layout

parameter_layout = data.StructLayout({
    "bias": signed(32),
    "multiplier": unsigned(32),
    "shift": signed(8),
})
"""What one output channel needs: 9 bytes in a parameter packet."""


class Requantizer(wiring.Component):
    """One requantisation lane: ``clamp(MBQM(i + bias, multiplier, shift) + zero_point)``.

    A sum of int8 products is an int32 in the product of two scales; the result must be an int8 in
    the output's scale. Integer networks multiply by the ratio of the scales without floating
    point: MBQM is ``MultiplyByQuantizedMultiplier``, a multiplication by ``multiplier / 2**31``
    and a shift by ``shift`` places (left if positive), with the roundings of the TensorFlow Lite
    int8 specification. It is bit-exact: ``SaturatingRoundingDoublingHighMul`` (ties towards plus
    infinity; its one saturating case needs a negative multiplier) and then ``RoundingDivideByPOT``
    (ties away from zero). Sums and left shifts wrap around as int32.

    A pipeline that takes a value in every cycle; ``byte`` follows :attr:`LATENCY` cycles later.

    Parameters
    ----------
    pre_shift:
        Whether there is a shift in front of the bias, as an average over a window needs it.

    Members
    -------
    i: ``In(signed(32))``
        The sum to requantise.
    pre_shift: ``In(5)``
        Shift ``i`` left by so much before the bias; only with the parameter ``pre_shift``.
    parameter: ``In(parameter_layout)``
        Bias, multiplier below ``2**31`` and shift in -31..7, all of this cycle's ``i``; they may
        change every cycle.
    zero_point: ``In(signed(8))``
        The output byte that stands for 0; steady while values are under way.
    low, high: ``In(signed(8))``
        Bounds of the output byte; steady while values are under way.
    value: ``Out(signed(32))``
        The result before zero point and clamp, a cycle before ``byte``.
    byte: ``Out(signed(8))``
        The result.
    """

    LATENCY = 6
    """Cycles from ``i`` to ``byte``."""

    i: Signal
    pre_shift: Signal
    parameter: data.View
    zero_point: Signal
    low: Signal
    high: Signal
    value: Signal
    byte: Signal

    def __init__(self, pre_shift: bool = False) -> None:
        self._pre_shift = pre_shift
        super().__init__({
            "i": In(signed(32)), **({"pre_shift": In(5)} if pre_shift else {}),
            "parameter": In(parameter_layout),
            "zero_point": In(signed(8)), "low": In(signed(8)), "high": In(signed(8)),
            "value": Out(signed(32)), "byte": Out(signed(8)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        biased, scaled, high = (Signal(signed(32), name=name)
                                for name in ("biased", "scaled", "high_half"))
        product = Signal(signed(64))
        left, right = Signal(3), Signal(5)
        shift = self._delayed(m, self.parameter.shift, 4, "shift")
        multiplier = self._delayed(m, self.parameter.multiplier[:31], 2, "multiplier")
        i = self.i << self.pre_shift if self._pre_shift else self.i
        m.d.comb += [left.eq(Mux(shift[1] > 0, shift[1], 0)),
                     right.eq(Mux(shift[4] < 0, -shift[4], 0))]
        m.d.sync += [
            biased.eq(i + self.parameter.bias),
            scaled.eq(biased << left),
            product.eq(scaled * multiplier[2]),
            high.eq((product + (1 << 30)) >> 31),
        ]
        # RoundingDivideByPOT: round up if what is shifted out is above half, where half itself
        # rounds away from zero.
        mask, remainder = Signal(31), Signal(31)
        m.d.comb += [mask.eq((1 << right) - 1), remainder.eq(high & mask)]
        m.d.sync += self.value.eq((high >> right) + (remainder > ((mask >> 1) + (high < 0))))
        shifted = Signal(signed(33))
        m.d.comb += shifted.eq(self.value + self.zero_point)
        m.d.sync += self.byte.eq(Mux(shifted < self.low, self.low,
                                     Mux(shifted > self.high, self.high, shifted)))
        return m

    def _delayed(self, m: Module, value: Value, stages: int, name: str) -> list[Value]:
        """``value`` as this and each later pipeline stage sees it."""
        values = [value]
        for stage in range(1, stages + 1):
            values.append(Signal.like(value, name=f"{name}_{stage}"))
            m.d.sync += values[-1].eq(values[-2])
        return values


OPERAND_SHIFT = 20
"""Left shift of the operands of an int8 ADD in TFLite's reference kernel, which keeps the fraction
that rescaling would lose."""


class OperandRescaler(wiring.Component):
    """Bring one operand of an addition to the scale in which both are added.

    The operands of a residual addition, or of another operation on two maps, have scales of their
    own. TFLite brings each to a common, finer one before it adds:
    ``RDBP(SRDHM((i - zero_point) << 20, multiplier), right_shift)``, with the two roundings that
    :class:`Requantizer` names.

    A pipeline that takes a value in every cycle; ``value`` follows :attr:`LATENCY` cycles later.

    Members
    -------
    i: ``In(signed(8))``
        The operand.
    operand: ``In(operand_layout)``
        Zero point, multiplier below ``2**31`` and shift; steady while values are under way.
    difference: ``Out(signed(9))``
        ``i - zero_point``, in the same cycle.
    value: ``Out(signed(32))``
        The operand in the common scale.
    """

    LATENCY = 3
    """Cycles from ``i`` to ``value``."""

    i: Signal
    operand: data.View
    difference: Signal
    value: Signal

    def __init__(self) -> None:
        super().__init__({
            "i": In(signed(8)), "operand": In(operand_layout), "difference": Out(signed(9)),
            "value": Out(signed(32)),
        })

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # The shift by 20 leaves eleven places of the 31 that SRDHM rounds off.
        places = 31 - OPERAND_SHIFT
        product = Signal(signed(40))
        high = Signal(signed(30))
        mask, remainder = (Signal(31, name=name) for name in ("mask", "remainder"))
        shift = self.operand.right_shift
        m.d.comb += [
            self.difference.eq(self.i - self.operand.zero_point),
            mask.eq((1 << shift) - 1), remainder.eq(high & mask),
        ]
        m.d.sync += [
            product.eq(self.difference * self.operand.multiplier[:31]),
            high.eq((product + (1 << places - 1)) >> places),
            self.value.eq((high >> shift) + (remainder > ((mask >> 1) + (high < 0)))),
        ]
        return m
