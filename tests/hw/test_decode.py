"""The weight loader: each PE gets the codeword that its index names, tile by tile."""

import random

import pytest

from tests.hw.simulation import SHAPES, sender, simulate
from vqrom_hw.decode import WeightLoader


def fill(config, raw, tiles=4, seed=0, gaps=True):
    """Load tiles; what each PE's shadow register held when its tile was taken, and the lookups."""
    rng = random.Random(seed)
    codewords = [rng.getrandbits(config.codeword_width) for _ in range(config.codewords)]
    dut = WeightLoader(config, codewords)
    width = config.codeword_width if raw else config.index_width
    limit = (1 << width) if raw else config.codewords
    elements = config.processing_elements
    items = [[rng.randrange(limit) for _ in range(elements)] for _ in range(tiles)]
    ports = config.decode_ports
    steps = [sum(item << port * width for port, item in enumerate(tile[first:first + ports]))
             for tile in items for first in range(0, elements, ports)]
    shadow, seen, cycles, lookups = [None] * elements, [], [], [0]

    async def watch(ctx):
        ctx.set(dut.raw, raw)
        waited = 0
        while len(seen) < tiles:
            take = ctx.get(dut.full) and (not gaps or rng.random() < 0.4)
            ctx.set(dut.take, take)
            lookups[0] += ctx.get(dut.lookup)
            if take:
                seen.append(list(shadow))
                cycles.append(waited)
                waited = 0
            waited += 1
            step, values = ctx.get(dut.step), ctx.get(dut.codewords)
            for number in range(elements):
                if step >> number // ports & 1:
                    shadow[number] = values[number % ports]
            await ctx.tick()

    stream = dut.i_raw if raw else dut.i_index
    simulate(dut, sender(stream, steps, rng if gaps else None), watch)
    expected = items if raw else [[codewords[index] for index in tile] for tile in items]
    return seen, expected, cycles, lookups[0]


@pytest.mark.parametrize("raw", [False, True], ids=["index", "raw"])
@pytest.mark.parametrize("shape", SHAPES)
def test_each_pe_gets_its_codeword(shape, raw):
    seen, expected, _, lookups = fill(SHAPES[shape], raw)
    assert seen == expected
    assert lookups == (0 if raw else 4 * SHAPES[shape].fill_steps)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_fill_takes_its_steps_and_one(shape):
    """Back to back when the stream keeps up and tiles are taken at once."""
    config = SHAPES[shape]
    seen, expected, cycles, _ = fill(config, raw=False, tiles=6, gaps=False)
    assert seen == expected
    assert set(cycles[1:]) == {config.fill_steps + 1}
