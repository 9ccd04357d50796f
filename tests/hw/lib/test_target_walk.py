"""Addresses of results against the formula, with pauses."""

import random

import pytest

from tests.hw.simulation import simulate
from vqrom_hw.lib import TargetWalk

STEPS = 13


@pytest.mark.parametrize(("base", "width", "stride", "row_stride"), [
    (0, 1, 1, 1), (7, 5, 3, 20), (100, 4, 1, 4), (9, 1, 8, 2)])
def test_rows_of_words(base: int, width: int, stride: int, row_stride) -> None:
    dut, rng, seen = TargetWalk(), random.Random(width), []

    async def bench(ctx) -> None:
        for name, value in (("width", width), ("stride", stride), ("row_stride", row_stride)):
            ctx.set(getattr(dut, name), value)
        for start in (base, base + 50):
            ctx.set(dut.base, start)
            ctx.set(dut.start, 1)
            ctx.set(dut.step, 1)  # a start wins
            await ctx.tick()
            ctx.set(dut.start, 0)
            taken = 0
            while taken < STEPS:
                step = rng.random() < 0.6
                ctx.set(dut.step, step)
                if step:
                    seen.append(ctx.get(dut.address))
                    taken += 1
                await ctx.tick()

    simulate(dut, bench)
    assert seen == [start + place % width * stride + place // width * row_stride
                    for start in (base, base + 50) for place in range(STEPS)]
