"""The sequencer: activations in im2col order, held back at tile boundaries only."""

import itertools
import math
import random

import pytest

from tests.hw.simulation import sender, simulate
from vqrom_hw.compute.sequencer import Sequencer

WIDTH, HEIGHT = 5, 4


def levels_of(counts):
    """Pixels (x, y), then kernel (x, y), channel words, column tiles; one word a pixel."""
    strides = [(1, 0, 1), (WIDTH, 1, 0), (1, 0, 1), (WIDTH, 1, 0), (0, 0, 0), (0, 0, 0)]
    return [(count, *stride) for count, stride in zip(counts, strides, strict=True)]


COUNTS = [(3, 2, 3, 3, 2, 2), (1, 1, 1, 1, 1, 1), (5, 4, 1, 1, 1, 3), (1, 1, 2, 1, 3, 4),
          (2, 3, 1, 2, 1, 1)]
NAMES = ("inside", "first", "set", "finish", "half", "pixel", "pad_value")


def command_of(counts, pad_value=0):
    names = ("count", "stride", "dy", "dx")
    return {"pad_value": pad_value, "nest": {
        "levels": [dict(zip(names, values, strict=True)) for values in levels_of(counts)],
        "base": 0, "y0": 0, "x0": 0, "height": HEIGHT, "width": WIDTH}}


def beats_of(counts, pad_value, half):
    """Address and side band of each word, from loops; the half of the next command."""
    tile, sums = counts[0] * counts[1], counts[2] * counts[3] * counts[4]
    expected = []
    for number, index in enumerate(itertools.product(*(range(count) for count in counts[::-1]))):
        _, _, ky, kx, y, x = index
        row, column = y + ky, x + kx
        inside = row < HEIGHT and column < WIDTH
        place = number % tile
        column_tile, step = divmod(number // tile, sums)
        expected.append((row * WIDTH + column if inside else None, {
            "inside": inside, "first": place == 0, "set": step == 0,
            "finish": place == tile - 1 and step == sums - 1, "half": (half + column_tile) % 2,
            "pixel": place, "pad_value": pad_value}))
    return expected, (half + counts[5]) % 2


def run(dut, commands, rng=None):
    """Addresses with beats; per cycle: issue, take, waits for weights and accumulators."""
    beats, trace = [], []
    count = sum(math.prod(counts) for counts, _ in commands)

    async def watch(ctx) -> None:
        address, finished = None, []
        while len(beats) < count:
            ctx.set(dut.weights_full, rng is None or rng.random() < 0.6)
            freed = finished.pop(0) if finished and (not rng or rng.random() < 0.3) else None
            ctx.set(dut.release, 0 if freed is None else 1 << freed)
            if ctx.get(dut.beat.valid):
                beat = {name: ctx.get(dut.beat[name]) for name in NAMES}
                beats.append((address if beat["inside"] else None, beat))
                if beat["finish"]:
                    finished.append(beat["half"])
            address = ctx.get(dut.read_address) if ctx.get(dut.read) else None
            assert not ctx.get(dut.take) or ctx.get(dut.weights_full)
            signals = dut.issue, dut.take, dut.wait_weights, dut.wait_accumulators
            trace.append(tuple(ctx.get(signal) for signal in signals))
            assert ctx.get(dut.active) == sum(trace[-1]) - trace[-1][1]
            await ctx.tick()

    simulate(dut, sender(dut.command, [command_of(*command) for command in commands]), watch)
    return beats, trace


@pytest.mark.parametrize("seed", range(2))
def test_order_of_convolutions(seed: int) -> None:
    """Side band and addresses against loops; weights and halves come when they like."""
    rng = random.Random(seed)
    commands = [(counts, rng.randint(-128, 127)) for counts in rng.choices(COUNTS, k=6)]
    expected, half = [], 0
    for counts, pad_value in commands:
        beats, half = beats_of(counts, pad_value, half)
        expected += beats
    beats, trace = run(Sequencer(32), commands, rng)
    assert beats == expected
    assert sum(take for _, take, _, _ in trace) == sum(
        math.prod(counts[2:]) for counts, _ in commands), "one tile of weights per tile of pixels"


def test_a_word_every_cycle_and_one_cycle_between_commands() -> None:
    commands = [((2, 2, 2, 1, 1, 2), 0), ((1, 1, 1, 1, 2, 3), 0), ((1, 1, 1, 1, 1, 1), 0)]
    _, trace = run(Sequencer(32), commands)
    issued = [word for word, _, _, _ in trace]
    assert issued == [0, *[1] * 16, 0, *[1] * 6, 0, 1, 0]


def test_waits_for_a_half_that_is_not_released() -> None:
    """The third column tile needs the first one's half."""
    dut = Sequencer(8)

    async def bench(ctx) -> None:
        ctx.set(dut.weights_full, 1)
        await ctx.tick().repeat(5)
        for _ in range(5):
            assert ctx.get(dut.active) and ctx.get(dut.wait_accumulators)
            assert not ctx.get(dut.wait_weights) and not ctx.get(dut.issue)
            await ctx.tick()
        ctx.set(dut.release, 1)
        await ctx.tick()
        ctx.set(dut.release, 0)
        assert not ctx.get(dut.wait_accumulators)
        await ctx.tick()
        assert ctx.get(dut.command.ready)
        await ctx.tick()
        assert not ctx.get(dut.active)

    simulate(dut, sender(dut.command, [command_of((2, 1, 1, 1, 1, 3))]), bench)
