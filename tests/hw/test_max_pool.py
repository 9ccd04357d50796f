"""Max pooling against Python's max."""

import random

import pytest

from tests.hw.simulation import pack_bytes, signed_bytes, simulate, unpack_bytes
from vqrom_hw.max_pool import MaxPool


@pytest.mark.parametrize("rows", [1, 3, 16])
def test_windows(rows):
    dut, rng = MaxPool(rows), random.Random(rows)

    async def bench(ctx):
        for _ in range(30):
            size = rng.randint(1, 9)
            pixels = [(signed_bytes(rng, rows), rng.random() < 0.7) for _ in range(size)]
            for number, (word, inside) in enumerate(pixels):
                while rng.random() < 0.2:
                    await ctx.tick()
                    assert not ctx.get(dut.o_valid)
                for port, value in ((dut.valid, 1), (dut.word, pack_bytes(word)),
                                    (dut.inside, inside), (dut.first, number == 0),
                                    (dut.last, number == size - 1)):
                    ctx.set(port, value)
                await ctx.tick()
                ctx.set(dut.valid, 0)
                assert ctx.get(dut.o_valid) == (number == size - 1)
            best = [max([-128] + [word[lane] for word, inside in pixels if inside])
                    for lane in range(rows)]
            assert unpack_bytes(ctx.get(dut.o_word), rows) == best

    simulate(dut, bench)
