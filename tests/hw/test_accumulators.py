"""Accumulators against a dictionary: back-to-back updates of one word, halves side by side."""

import random

import pytest

from tests.hw.simulation import simulate
from vqrom_hw.accumulators import AccumulatorBank, AccumulatorMemory


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_memory_reads_what_is_written_in_the_same_cycle(depth):
    dut, rng, words = AccumulatorMemory(16, depth), random.Random(depth), [0] * depth

    async def bench(ctx):
        shown = 0
        for _ in range(200):
            read, write = rng.randrange(depth), rng.randrange(depth)
            enables = rng.random() < 0.7, rng.random() < 0.7
            value = rng.getrandbits(16)
            for port, driven in ((dut.read_address, read), (dut.write_address, write),
                                 (dut.read_enable, enables[0]), (dut.write_enable, enables[1]),
                                 (dut.write_data, value)):
                ctx.set(port, driven)
            if enables[1]:
                words[write] = value
            if enables[0]:
                shown = words[read]
            await ctx.tick()
            assert ctx.get(dut.read_data) == shown

    simulate(dut, bench)


@pytest.mark.parametrize(("lanes", "depth"), [(1, 1), (1, 4), (3, 2), (4, 7)])
def test_sums_while_the_other_half_is_read(lanes, depth):
    """Half 0 and half 1 change roles; updates come in any order and every cycle."""
    dut, rng = AccumulatorBank(lanes, depth, 20), random.Random(lanes)
    sums = [[[0] * lanes for _ in range(depth)] for _ in range(2)]

    async def run(ctx, half):
        for number in range(6 * depth):
            first = number < depth
            address = number if first else rng.randrange(depth)
            ctx.set(dut.update, 1)
            ctx.set(dut.update_half, half)
            ctx.set(dut.update_address, address)
            ctx.set(dut.first, first)
            for lane in range(lanes):
                value = rng.randint(-(1 << 19), (1 << 19) - 1)
                ctx.set(dut.partial[lane], value)
                sums[half][address][lane] = value + (0 if first else sums[half][address][lane])
            await read(ctx, 1 - half, rng.randrange(depth))
        ctx.set(dut.update, 0)
        await ctx.tick().repeat(2)

    async def read(ctx, half, address):
        ctx.set(dut.read, 1)
        ctx.set(dut.read_half, half)
        ctx.set(dut.read_address, address)
        await ctx.tick()
        ctx.set(dut.read, 0)
        assert [ctx.get(dut.total[lane]) for lane in range(lanes)] == sums[half][address]

    async def bench(ctx):
        for half in (0, 1, 0, 1):
            await run(ctx, half)
        for half in range(2):
            for address in range(depth):
                await read(ctx, half, address)

    simulate(dut, bench)
