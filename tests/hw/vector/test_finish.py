"""Rescaled operands against TFLite's definition, and words that pass the lanes without a gap."""

import random

import pytest

from tests.hw.lib.test_requantizer import doubling_high_multiply, expected, rounding_divide
from tests.hw.simulation import config_of, pack_bytes, simulate
from vqrom_hw.isa import VectorOp
from vqrom_hw.lib import OperandRescaler
from vqrom_hw.vector.finish import Finisher, finish_latency


@pytest.mark.parametrize("seed", range(8))
def test_operand_rescaler(seed: int) -> None:
    """All differences that int8 values have, a new one every cycle."""
    dut, rng = OperandRescaler(), random.Random(seed)
    zero_point = rng.choice([-128, 127, rng.randint(-128, 127)])
    multiplier = rng.choice([0, 1 << 30, (1 << 31) - 1, rng.randint(1 << 30, (1 << 31) - 1)])
    shift = rng.choice([0, 1, 31, rng.randint(0, 12)])

    async def bench(ctx) -> None:
        for name, value in (("zero_point", zero_point), ("multiplier", multiplier),
                            ("right_shift", shift)):
            ctx.set(dut.operand[name], value)
        values = range(-128, 128)
        for number, value in enumerate([*values, *[0] * dut.LATENCY]):
            ctx.set(dut.i, value)
            if number >= dut.LATENCY:
                shifted = (values[number - dut.LATENCY] - zero_point) << 20
                assert ctx.get(dut.value) == rounding_divide(
                    doubling_high_multiply(shifted, multiplier), shift)
            await ctx.tick()

    simulate(dut, bench)


@pytest.mark.parametrize(("rows", "lanes"), [(1, 1), (6, 1), (6, 2), (8, 8)])
@pytest.mark.parametrize("operation", [VectorOp.MAX, VectorOp.SUM, VectorOp.DEPTHWISE])
def test_words_follow_each_other(rows: int, lanes: int, operation) -> None:
    config = config_of(1, 2, rows, 1, 1, 1, vector_lanes=lanes)
    dut, rng = Finisher(config), random.Random(rows)
    period = 1 if operation == VectorOp.MAX else rows // lanes
    parameters = [{"bias": rng.randint(-1000, 1000), "shift": rng.randint(-12, -6),
                   "multiplier": rng.randint(1 << 30, (1 << 31) - 1)} for _ in range(rows)]
    common, zero_point = dict(parameters[0]), rng.randint(-30, 30)
    limit = 127 if operation == VectorOp.MAX else 50_000
    results = [[rng.randint(-limit, limit) for _ in range(rows)] for _ in range(12)]
    words = {}

    def byte(total, lane):
        if operation == VectorOp.MAX:
            return total
        own = parameters[lane] if operation == VectorOp.DEPTHWISE else common
        return min(max(expected(total, own["bias"], own["multiplier"], own["shift"])
                       + zero_point, -100), 101)

    async def bench(ctx) -> None:
        for name, value in ({"operation": operation} | common).items():
            ctx.set(dut.command[name], value)
        ctx.set(dut.command.range, {"zero_point": zero_point, "low": -100, "high": 101})
        ctx.set(dut.parameters, parameters)
        latency = finish_latency(config, operation)
        for cycle in range(12 * period + latency):
            ctx.set(dut.load, cycle % period == 0)
            if cycle % period == 0 and cycle // period < 12:
                ctx.set(dut.totals, results[cycle // period])
                words[cycle + latency] = pack_bytes(
                    byte(total, lane) for lane, total in enumerate(results[cycle // period]))
            if cycle in words:
                assert ctx.get(dut.word) == words[cycle]
            await ctx.tick()

    simulate(dut, bench)
