"""The activation buffer: byte enables, latency, and what a collision reads."""

import random

import pytest

from tests.hw.simulation import simulate
from vqrom_hw.activation_buffer import ActivationBuffer


@pytest.mark.parametrize(("words", "rows"), [(16, 1), (17, 6), (64, 16)])
def test_equals_a_list(words, rows):
    dut, rng = ActivationBuffer(words, rows), random.Random(words)
    content = [[0] * rows for _ in range(words)]

    async def bench(ctx):
        shown = 0
        for _ in range(400):
            read, write = rng.randrange(words), rng.randrange(words)
            reads, writes, mask = rng.random() < 0.7, rng.random() < 0.7, rng.getrandbits(rows)
            value = [rng.getrandbits(8) for _ in range(rows)]
            for port, driven in ((dut.read, reads), (dut.read_address, read),
                                 (dut.write, writes), (dut.write_address, write),
                                 (dut.write_mask, mask),
                                 (dut.write_word, int.from_bytes(bytes(value), "little"))):
                ctx.set(port, driven)
            if reads:
                shown = int.from_bytes(bytes(content[read]), "little")
            if writes:
                content[write] = [new if mask >> lane & 1 else old for lane, (new, old)
                                  in enumerate(zip(value, content[write], strict=True))]
            await ctx.tick()
            assert ctx.get(dut.read_word) == shown

    simulate(dut, bench)
