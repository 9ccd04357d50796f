"""One requantisation lane: TFLite's fixed-point arithmetic as a pipeline."""

from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

PRE_SHIFT = 20
"""Left shift of the inputs of an int8 ADD in TFLite's reference kernel."""

MAX_LEFT_SHIFT = 7
"""Largest positive shift; multipliers above ``2**7`` do not occur in int8 inference."""

parameter_layout = data.StructLayout({
    "bias": signed(32),
    "multiplier": unsigned(32),
    "shift": signed(8),
})
"""What one output channel needs: 9 bytes of the parameter stream."""


class Requantizer(wiring.Component):
    """``MultiplyByQuantizedMultiplier(x + bias, multiplier, shift)``, zero point, clamp.

    Bit-exact with the TensorFlow Lite int8 specification: ``SaturatingRoundingDoublingHighMul``
    (ties towards plus infinity; its one saturating case needs a negative multiplier) and then
    ``RoundingDivideByPOT`` (ties away from zero). One value per cycle, latency :attr:`LATENCY`.

    Members
    -------
    i: ``In(signed(32))``
        Accumulator or activation.
    pre_shift: ``In(1)``
        Shift ``i`` left by 20 before the bias, as ADD does with its inputs.
    parameter: ``In(parameter_layout)``
        Bias, multiplier below ``2**31``, shift in -31..7; steady while values are under way.
    zero_point, low, high: ``In(signed(8))``
        Of the output byte.
    value: ``Out(signed(32))``
        Before zero point and clamp.
    byte: ``Out(signed(8))``
        After them.
    """

    LATENCY = 6

    def __init__(self):
        super().__init__({
            "i": In(signed(32)), "pre_shift": In(1), "parameter": In(parameter_layout),
            "zero_point": In(signed(8)), "low": In(signed(8)), "high": In(signed(8)),
            "value": Out(signed(32)), "byte": Out(signed(8)),
        })

    def elaborate(self, platform):
        m = Module()
        shift = self.parameter.shift
        left, right = Signal(3), Signal(5)
        biased, scaled, high, divided = (Signal(signed(32), name=name) for name in
                                         ("biased", "scaled", "high_half", "divided"))
        product = Signal(signed(64))
        m.d.comb += [left.eq(Mux(shift > 0, shift, 0)), right.eq(Mux(shift < 0, -shift, 0))]
        m.d.sync += [
            biased.eq(Mux(self.pre_shift, self.i << PRE_SHIFT, self.i) + self.parameter.bias),
            scaled.eq(biased << left),
            product.eq(scaled * self.parameter.multiplier[:31]),
            high.eq((product + (1 << 30)) >> 31),
        ]
        mask, remainder = Signal(31), Signal(31)
        m.d.comb += [mask.eq((1 << right) - 1), remainder.eq(high & mask)]
        m.d.sync += divided.eq((high >> right) + (remainder > ((mask >> 1) + (high < 0))))
        shifted = Signal(signed(33))
        m.d.comb += shifted.eq(divided + self.zero_point)
        m.d.sync += [
            self.value.eq(divided),
            self.byte.eq(Mux(shifted < self.low, self.low,
                             Mux(shifted > self.high, self.high, shifted))),
        ]
        return m
