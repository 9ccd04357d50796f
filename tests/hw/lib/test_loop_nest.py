"""The address generator against nested loops."""

import itertools
import random

import pytest

from tests.hw.simulation import simulate
from vqrom_hw.errors import VqromError
from vqrom_hw.isa import LEVELS
from vqrom_hw.lib import LoopNest


def walk(loops, base, y0, x0, height, width):
    """Address, inside, first and last of every iteration, innermost loop first in ``loops``."""
    for counts in itertools.product(*(range(loop[0]) for loop in reversed(loops))):
        counts = counts[::-1]
        address, y, x = base, y0, x0
        for count, (_, stride, dy, dx) in zip(counts, loops, strict=True):
            address, y, x = address + count * stride, y + count * dy, x + count * dx
        first = sum((count == 0) << level for level, count in enumerate(counts))
        last = sum((count == loop[0] - 1) << level
                   for level, (count, loop) in enumerate(zip(counts, loops, strict=True)))
        yield address, 0 <= y < height and 0 <= x < width, first, last


@pytest.mark.parametrize("levels", range(1, LEVELS + 1))
@pytest.mark.parametrize("seed", range(3))
def test_equals_nested_loops(levels: int, seed: int) -> None:
    rng = random.Random(10 * levels + seed)
    loops = [(rng.randint(1, 3), rng.randint(-40, 40), rng.randint(0, 2), rng.randint(0, 2))
             for _ in range(levels)]
    start = (rng.randint(-50, 400), rng.randint(-2, 1), rng.randint(-2, 1), 4, 5)
    dut = LoopNest(levels)

    async def bench(ctx) -> None:
        nest = dut.nest
        for field, value in zip(("base", "y0", "x0", "height", "width"), start, strict=True):
            ctx.set(nest[field], value)
        for level, values in enumerate(loops):
            for field, value in zip(("count", "stride", "dy", "dx"), values, strict=True):
                ctx.set(nest.levels[level][field], value)
        for _ in range(2):  # a second walk begins anew
            assert not ctx.get(dut.active)
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            for address, inside, first, last in walk(loops, *start):
                while rng.random() < 0.3:
                    await ctx.tick()
                assert ctx.get(dut.active)
                assert (ctx.get(dut.inside), ctx.get(dut.first), ctx.get(dut.last)) == (
                    inside, first, last)
                assert not inside or ctx.get(dut.address) == address % (1 << 20)
                ctx.set(dut.step, 1)
                await ctx.tick()
                ctx.set(dut.step, 0)

    simulate(dut, bench)


def test_wrong_levels() -> None:
    for wrong in (0, LEVELS + 1):
        with pytest.raises(VqromError, match=rf"levels must be in 1\.\.{LEVELS}, not {wrong}"):
            LoopNest(wrong)
