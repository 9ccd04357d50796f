"""The sequencer: activations in im2col order, held back at tile boundaries only."""

import itertools
import random

import pytest

from tests.hw.simulation import simulate
from vqrom_hw.sequencer import Sequencer

WIDTH, HEIGHT = 5, 4


def levels_of(counts):
    """Pixels (x, y), then kernel (x, y), channel words, column tiles; one word a pixel."""
    strides = [(1, 0, 1), (WIDTH, 1, 0), (1, 0, 1), (WIDTH, 1, 0), (0, 0, 0), (0, 0, 0)]
    return [(count, *stride) for count, stride in zip(counts, strides, strict=True)]


async def configure(ctx, dut, levels):
    nest = dut.nest
    for number, values in enumerate(levels):
        for field, value in zip(("count", "stride", "dy", "dx"), values, strict=True):
            ctx.set(nest.levels[number][field], value)
    ctx.set(nest.height, HEIGHT)
    ctx.set(nest.width, WIDTH)
    ctx.set(dut.start, 1)
    await ctx.tick()
    ctx.set(dut.start, 0)


@pytest.mark.parametrize("counts", [(3, 2, 3, 3, 2, 2), (1, 1, 1, 1, 1, 1), (5, 4, 1, 1, 1, 3),
                                    (1, 1, 2, 1, 3, 4), (2, 3, 1, 2, 1, 1)])
def test_order_of_a_convolution(counts):
    """Side band and addresses against loops; weights and halves come when they like."""
    dut, rng = Sequencer(32), random.Random(sum(counts))
    levels, beats, reads = levels_of(counts), [], []
    tile = counts[0] * counts[1]
    sums = counts[2] * counts[3] * counts[4]

    async def bench(ctx):
        await configure(ctx, dut, levels)
        address, finished = None, []
        while ctx.get(dut.active) or ctx.get(dut.beat.valid):
            ctx.set(dut.weights_full, rng.random() < 0.6)
            release = finished.pop(0) if finished and rng.random() < 0.3 else None
            ctx.set(dut.release, 0 if release is None else 1 << release)
            if ctx.get(dut.beat.valid):
                beat = {name: ctx.get(dut.beat[name]) for name in (
                    "inside", "first", "set", "finish", "half", "pixel")}
                beats.append((address if beat["inside"] else None, beat))
                if beat["finish"]:
                    finished.append(beat["half"])
            address = ctx.get(dut.read_address) if ctx.get(dut.read) else None
            taken = ctx.get(dut.take)
            assert not taken or ctx.get(dut.weights_full), "a tile began without weights"
            waits = ctx.get(dut.wait_weights), ctx.get(dut.wait_accumulators)
            assert sum(waits) <= 1
            reads.append(taken)
            await ctx.tick()

    simulate(dut, bench)
    expected = []
    for number, index in enumerate(itertools.product(*(range(count) for count in counts[::-1]))):
        _, _, ky, kx, y, x = index
        row, column = y + ky, x + kx
        inside = row < HEIGHT and column < WIDTH
        place = number % tile
        column_tile, step = divmod(number // tile, sums)
        expected.append((row * WIDTH + column if inside else None, {
            "inside": inside, "first": place == 0, "set": step == 0,
            "finish": place == tile - 1 and step == sums - 1, "half": column_tile % 2,
            "pixel": place}))
    assert beats == expected
    assert sum(reads) == sums * counts[5], "one tile of weights for each tile of pixels"


def test_waits_for_a_half_that_is_not_released():
    """The third column tile needs the first one's half."""
    dut = Sequencer(8)

    async def bench(ctx):
        await configure(ctx, dut, levels_of((2, 1, 1, 1, 1, 3)))
        ctx.set(dut.weights_full, 1)
        await ctx.tick().repeat(4)
        for _ in range(5):
            assert ctx.get(dut.active) and ctx.get(dut.wait_accumulators)
            assert not ctx.get(dut.wait_weights)
            await ctx.tick()
        ctx.set(dut.release, 1)
        await ctx.tick()
        ctx.set(dut.release, 0)
        assert not ctx.get(dut.wait_accumulators)
        await ctx.tick().repeat(2)
        assert not ctx.get(dut.active)

    simulate(dut, bench)


def test_pooling_never_waits():
    """Two windows of 2 x 2: eight words in eight cycles, without weights."""
    dut, marks = Sequencer(8), []

    async def bench(ctx):
        ctx.set(dut.pooling, 1)
        await configure(ctx, dut, [(2, 1, 0, 1), (2, WIDTH, 1, 0), (1, 0, 0, 0), (2, 2, 0, 2),
                                   (1, 0, 0, 0), (1, 0, 0, 0)])
        for _ in range(8):
            assert ctx.get(dut.active) and ctx.get(dut.read) and not ctx.get(dut.take)
            marks.append(ctx.get(dut.read_address))
            await ctx.tick()
        assert not ctx.get(dut.active)

    simulate(dut, bench)
    assert marks == [0, 1, 5, 6, 2, 3, 7, 8]
