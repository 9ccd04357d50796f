"""Accumulators against a dictionary: back-to-back updates of one word, halves side by side."""

import random

import pytest

from tests.hw.simulation import SHAPES, simulate
from vqrom_hw.compute.accumulators import AccumulatorBank, AccumulatorBanks, AccumulatorMemory


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_memory_reads_what_is_written_in_the_same_cycle(depth: int) -> None:
    dut, rng, words = AccumulatorMemory(16, depth), random.Random(depth), [0] * depth

    async def bench(ctx) -> None:
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
def test_sums_while_the_other_half_is_read(lanes: int, depth: int) -> None:
    """Half 0 and half 1 change roles; updates come in any order and every cycle."""
    dut, rng = AccumulatorBank(lanes, depth, 20), random.Random(lanes)
    sums = [[[0] * lanes for _ in range(depth)] for _ in range(2)]

    async def run(ctx, half) -> None:
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

    async def read(ctx, half, address) -> None:
        ctx.set(dut.read, 1)
        ctx.set(dut.read_half, half)
        ctx.set(dut.read_address, address)
        await ctx.tick()
        ctx.set(dut.read, 0)
        assert [ctx.get(dut.total[lane]) for lane in range(lanes)] == sums[half][address]

    async def bench(ctx) -> None:
        for half in (0, 1, 0, 1):
            await run(ctx, half)
        for half in range(2):
            for address in range(depth):
                await read(ctx, half, address)

    simulate(dut, bench)


@pytest.mark.parametrize("shape", SHAPES)
def test_banks_hold_all_columns(shape: str) -> None:
    """A half is full with its last update, readable at once, and until it is released."""
    config, rng = SHAPES[shape], random.Random(shape)
    dut, steps, lanes = AccumulatorBanks(config, 20), config.post_steps, config.post_lanes

    async def fill(ctx, half, pixels):
        sums = [[0] * config.columns for _ in range(pixels)]
        for number in range(2 * pixels):
            pixel, first = number % pixels, number < pixels
            for port, value in ((dut.update, 1), (dut.half, half), (dut.address, pixel),
                                (dut.first, first), (dut.finish, number == 2 * pixels - 1)):
                ctx.set(port, value)
            for column in range(config.columns):
                value = rng.randint(-(1 << 19), (1 << 19) - 1)
                ctx.set(dut.partial[column], value)
                sums[pixel][column] += value
            assert ctx.get(dut.writes) == steps and ctx.get(dut.reads) == (not first) * steps
            assert not ctx.get(dut.half_full)
            await ctx.tick()
        ctx.set(dut.update, 0)
        return sums

    async def bench(ctx) -> None:
        for half in (0, 1, 0):
            pixels = rng.randint(1, config.accumulator_depth)
            sums = await fill(ctx, half, pixels)
            ctx.set(dut.read_half, half)
            for pixel in reversed(range(pixels)):
                for step in range(steps):
                    ctx.set(dut.read, 1 << step)
                    ctx.set(dut.read_address, pixel)
                    assert ctx.get(dut.half_full) == 1 << half
                    assert ctx.get(dut.reads) == 1 and not ctx.get(dut.writes)
                    await ctx.tick()
                    ctx.set(dut.read, 0)
                    assert [ctx.get(dut.total[lane]) for lane in range(lanes)] \
                        == sums[pixel][step * lanes:(step + 1) * lanes]
            ctx.set(dut.release, 1 << half)
            await ctx.tick()
            ctx.set(dut.release, 0)

    simulate(dut, bench)
