"""One requantisation lane: TFLite's fixed-point arithmetic as a pipeline."""

from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from vqrom_hw.isa import operand_layout

MAX_LEFT_SHIFT = 7
"""Largest positive shift; multipliers above ``2**7`` do not occur in int8 inference."""

parameter_layout = data.StructLayout({
    "bias": signed(32),
    "multiplier": unsigned(32),
    "shift": signed(8),
})
"""What one output channel needs: 9 bytes of the parameter stream."""


class Requantizer(wiring.Component):
    """``MultiplyByQuantizedMultiplier(i + bias, multiplier, shift)``, zero point, clamp.

    Bit-exact with the TensorFlow Lite int8 specification: ``SaturatingRoundingDoublingHighMul``
    (ties towards plus infinity; its one saturating case needs a negative multiplier) and then
    ``RoundingDivideByPOT`` (ties away from zero). Sums and left shifts wrap around as int32. One
    value per cycle, latency :attr:`LATENCY`.

    Parameters
    ----------
    pre_shift:
        Whether there is a shift in front of the bias.

    Members
    -------
    i: ``In(signed(32))``
        Accumulator.
    pre_shift: ``In(5)``
        Shift ``i`` left by so much before the bias; only with the parameter ``pre_shift``.
    parameter: ``In(parameter_layout)``
        Bias, multiplier below ``2**31``, shift in -31..7, all of this cycle's ``i``; they may
        change every cycle.
    zero_point, low, high: ``In(signed(8))``
        Of the output byte; steady while values are under way.
    value: ``Out(signed(32))``
        Before zero point and clamp, a cycle before ``byte``.
    byte: ``Out(signed(8))``
        After them.
    """

    LATENCY = 6

    def __init__(self, pre_shift: bool = False):
        self._pre_shift = pre_shift
        super().__init__({
            "i": In(signed(32)), **({"pre_shift": In(5)} if pre_shift else {}),
            "parameter": In(parameter_layout),
            "zero_point": In(signed(8)), "low": In(signed(8)), "high": In(signed(8)),
            "value": Out(signed(32)), "byte": Out(signed(8)),
        })

    def elaborate(self, platform):
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
        mask, remainder = Signal(31), Signal(31)
        m.d.comb += [mask.eq((1 << right) - 1), remainder.eq(high & mask)]
        m.d.sync += self.value.eq((high >> right) + (remainder > ((mask >> 1) + (high < 0))))
        shifted = Signal(signed(33))
        m.d.comb += shifted.eq(self.value + self.zero_point)
        m.d.sync += self.byte.eq(Mux(shifted < self.low, self.low,
                                     Mux(shifted > self.high, self.high, shifted)))
        return m

    def _delayed(self, m, value, stages, name):
        """``value`` as each pipeline stage sees it, from now on."""
        values = [value]
        for stage in range(1, stages + 1):
            values.append(Signal.like(value, name=f"{name}_{stage}"))
            m.d.sync += values[-1].eq(values[-2])
        return values

OPERAND_SHIFT = 20
"""Left shift of the operands of an int8 ADD in TFLite's reference kernel."""


class OperandRescaler(wiring.Component):
    """``RDBP(SRDHM((i - zero_point) << 20, multiplier), right_shift)``; latency 3 cycles.

    Members
    -------
    i: ``In(signed(8))``
        One value per cycle.
    operand: ``In(operand_layout)``
        Multiplier below ``2**31``; steady while values are under way.
    value: ``Out(signed(32))``
        Rescaled.
    """

    LATENCY = 3

    def __init__(self):
        super().__init__({
            "i": In(signed(8)), "operand": In(operand_layout), "value": Out(signed(32)),
        })

    def elaborate(self, platform):
        m = Module()
        # The shift by 20 leaves eleven places of the 31 that SRDHM rounds off.
        places = 31 - OPERAND_SHIFT
        difference = Signal(signed(9))
        product = Signal(signed(40))
        high = Signal(signed(30))
        mask, remainder = (Signal(31, name=name) for name in ("mask", "remainder"))
        shift = self.operand.right_shift
        m.d.comb += [
            difference.eq(self.i - self.operand.zero_point),
            mask.eq((1 << shift) - 1), remainder.eq(high & mask),
        ]
        m.d.sync += [
            product.eq(difference * self.operand.multiplier[:31]),
            high.eq((product + (1 << places - 1)) >> places),
            self.value.eq((high >> shift) + (remainder > ((mask >> 1) + (high < 0)))),
        ]
        return m
