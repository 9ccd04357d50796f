"""The requantisation lane against TFLite's scalar definition, written out in Python."""

import random

import pytest

from tests.hw.simulation import simulate
from vqrom_hw.lib import Requantizer


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


def expected(x, bias, multiplier, shift, pre_shift=0):
    value = wrap32((x << pre_shift) + bias)
    value = wrap32(value << max(shift, 0))
    return rounding_divide(doubling_high_multiply(value, multiplier), max(-shift, 0))


def random_case(rng, shifting):
    """Accumulator, bias, multiplier, shift, pre-shift; sums that wrap around among them."""
    shift = rng.choice([0, 1, 7, -1, -31, rng.randint(-12, 2)])
    x = rng.choice([rng.randint(-(1 << 31), (1 << 31) - 1), rng.randint(-300, 300), 0,
                    rng.randint(-(1 << 20), 1 << 20), (1 << 31) - 1, -(1 << 31)])
    bias = rng.choice([0, rng.randint(-(1 << 20), 1 << 20), rng.randint(-(1 << 31), (1 << 31) - 1)])
    multiplier = rng.choice([0, 1 << 30, (1 << 31) - 1, rng.randint(1 << 30, (1 << 31) - 1)])
    pre_shift = rng.choice([0, 20, 31, rng.randint(0, 31)]) if shifting else 0
    return x, bias, multiplier, shift, pre_shift


def drive(ctx, dut, case, shifting) -> None:
    x, bias, multiplier, shift, pre_shift = case
    for port, value in ((dut.i, x), (dut.parameter.bias, bias), (dut.parameter.shift, shift),
                        (dut.parameter.multiplier, multiplier)):
        ctx.set(port, value)
    if shifting:
        ctx.set(dut.pre_shift, pre_shift)


@pytest.mark.parametrize("shifting", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_equals_tflite(seed: int, shifting) -> None:
    """A new value with parameters of its own in every cycle."""
    dut, rng = Requantizer(shifting), random.Random(seed)
    cases = [random_case(rng, shifting) for _ in range(150)]
    zero_point, low = rng.randint(-128, 127), rng.randint(-128, 0)
    high = rng.randint(low, 127)

    async def bench(ctx) -> None:
        for port, value in ((dut.zero_point, zero_point), (dut.low, low), (dut.high, high)):
            ctx.set(port, value)
        for cycle in range(len(cases) + Requantizer.LATENCY):
            if cycle < len(cases):
                drive(ctx, dut, cases[cycle], shifting)
            await ctx.tick()
            shown = cycle + 2 - Requantizer.LATENCY
            if 0 <= shown < len(cases):
                assert ctx.get(dut.value) == expected(*cases[shown]), cases[shown]
            if 1 <= shown <= len(cases):
                value = expected(*cases[shown - 1]) + zero_point
                assert ctx.get(dut.byte) == min(max(value, low), high)

    simulate(dut, bench)
