"""The requantisation lane against TFLite's scalar definition, written out in Python."""

import random

import pytest
from amaranth.sim import Simulator

from vqrom_hw.requantize import Requantizer


def wrap32(value):
    return (value + (1 << 31)) % (1 << 32) - (1 << 31)


def doubling_high_multiply(a, b):
    """SaturatingRoundingDoublingHighMul, with C's division that truncates."""
    product = a * b
    nudged = product + ((1 << 30) if product >= 0 else 1 - (1 << 30))
    return nudged >> 31 if nudged >= 0 else -(-nudged >> 31)


def rounding_divide(value, exponent):
    """RoundingDivideByPOT: ties away from zero."""
    mask = (1 << exponent) - 1
    return (value >> exponent) + ((value & mask) > ((mask >> 1) + (value < 0)))


def expected(x, bias, multiplier, shift, pre_shift):
    value = wrap32((x << 20 if pre_shift else x) + bias)
    value = wrap32(value << max(shift, 0))
    return rounding_divide(doubling_high_multiply(value, multiplier), max(-shift, 0))


def random_case(rng):
    pre_shift = rng.random() < 0.3
    shift = rng.choice([0, 1, 7, -1, -31, rng.randint(-12, 2)])
    limit = (1 << 31 >> max(shift, 0)) // 2 - 1
    x = rng.randint(-128, 127) if pre_shift else rng.choice(
        [rng.randint(-limit, limit), rng.randint(-300, 300), 0, limit, -limit])
    bias = rng.randint(-(1 << 20), 1 << 20) if shift <= 0 else 0
    multiplier = rng.choice([0, 1 << 30, (1 << 31) - 1, rng.randint(1 << 30, (1 << 31) - 1)])
    return x, bias, multiplier, shift, pre_shift


@pytest.mark.parametrize("seed", range(3))
def test_equals_tflite(seed):
    dut, rng = Requantizer(), random.Random(seed)

    async def bench(ctx):
        for _ in range(150):
            x, bias, multiplier, shift, pre_shift = random_case(rng)
            zero_point, low = rng.randint(-128, 127), rng.randint(-128, 0)
            high = rng.randint(low, 127)
            for port, value in ((dut.i, x), (dut.pre_shift, pre_shift),
                                (dut.zero_point, zero_point), (dut.low, low), (dut.high, high),
                                (dut.parameter.bias, bias), (dut.parameter.shift, shift),
                                (dut.parameter.multiplier, multiplier)):
                ctx.set(port, value)
            await ctx.tick().repeat(Requantizer.LATENCY)
            value = expected(x, bias, multiplier, shift, pre_shift)
            assert ctx.get(dut.value) == value, (x, bias, multiplier, shift, pre_shift)
            assert ctx.get(dut.byte) == min(max(value + zero_point, low), high)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
