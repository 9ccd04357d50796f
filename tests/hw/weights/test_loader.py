"""The weight loader: each PE gets the codeword that its index names, tile by tile."""

import random

import pytest

from tests.hw.simulation import SHAPES, config_of, sender, simulate
from vqrom_hw.weights import WeightLoader

UNEVEN = {
    "three ports of eight": config_of(4, 256, 8, 4, 3),
    "seven ports of eight": config_of(4, 256, 8, 4, 7),
    "five ports of six": config_of(2, 20, 6, 2, 5, 1),
}
"""The last step of a tile does not use every port."""
CONFIGS = SHAPES | UNEVEN


def pack_steps(tiles, ports, width):
    """Items of ``ports`` fields, a tile's last one maybe shorter."""
    return [sum(item << port * width for port, item in enumerate(tile[first:first + ports]))
            for tile in tiles for first in range(0, len(tile), ports)]


def fill(config, raw, tiles=4, seed=0, gaps=True):
    """Load tiles; what each PE's shadow register held when its tile was taken, and the lookups."""
    rng = random.Random(seed)
    codewords = [rng.getrandbits(config.codeword_width) for _ in range(config.codewords)]
    dut = WeightLoader(config, codewords)
    width = config.codeword_width if raw else config.index_width
    limit = (1 << width) if raw else config.codewords
    elements, ports = config.processing_elements, config.decode_ports
    items = [[rng.randrange(limit) for _ in range(elements)] for _ in range(tiles)]
    shadow, seen, cycles, lookups = [None] * elements, [], [], [0]

    async def watch(ctx) -> None:
        ctx.set(dut.raw, raw)
        cycle = 0
        while len(seen) < tiles:
            take = ctx.get(dut.full) and (not gaps or rng.random() < 0.4)
            ctx.set(dut.take, take)
            lookups[0] += ctx.get(dut.lookups)
            step, values = ctx.get(dut.step), ctx.get(dut.codewords)
            for number in range(elements):
                if step >> number // ports & 1:
                    shadow[number] = values[number % ports]
            if take:
                seen.append(list(shadow))
                cycles.append(cycle)
            cycle += 1
            await ctx.tick()

    stream = dut.i_raw if raw else dut.i_index
    simulate(dut, sender(stream, pack_steps(items, ports, width), rng if gaps else None), watch)
    expected = items if raw else [[codewords[index] for index in tile] for tile in items]
    return seen, expected, cycles, lookups[0]


@pytest.mark.parametrize("raw", [False, True], ids=["index", "raw"])
@pytest.mark.parametrize("shape", CONFIGS)
def test_each_pe_gets_its_codeword(shape: str, raw) -> None:
    seen, expected, _, lookups = fill(CONFIGS[shape], raw)
    assert seen == expected
    assert lookups == (0 if raw else 4 * CONFIGS[shape].processing_elements)


@pytest.mark.parametrize("shape", CONFIGS)
def test_a_fill_takes_its_steps(shape: str) -> None:
    """Back to back when the stream keeps up and tiles are taken at once."""
    config = CONFIGS[shape]
    seen, expected, cycles, _ = fill(config, raw=False, tiles=6, gaps=False)
    assert seen == expected
    assert cycles == [config.fill_steps * tile for tile in range(1, 7)]


@pytest.mark.parametrize("shape", ["usual", "five ports of six"])
def test_codebook_in_rams(shape: str) -> None:
    """All ports hold the codebook that was written last."""
    config = CONFIGS[shape].model_copy(update={"codebook_storage": "sram"})
    dut, rng = WeightLoader(config, ()), random.Random(shape)

    async def write(ctx, codewords) -> None:
        ctx.set(dut.codebook_write.valid, 1)
        for index, codeword in enumerate(codewords):
            ctx.set(dut.codebook_write.index, index)
            ctx.set(dut.codebook_write.codeword, codeword)
            await ctx.tick()
        ctx.set(dut.codebook_write.valid, 0)

    async def bench(ctx) -> None:
        for _ in range(2):
            codewords = [rng.getrandbits(config.codeword_width) for _ in range(config.codewords)]
            await write(ctx, codewords)
            tile = [rng.randrange(config.codewords) for _ in range(config.processing_elements)]
            ports, read = config.decode_ports, []
            ctx.set(dut.i_index.valid, 1)
            for item in pack_steps([tile], ports, config.index_width):
                ctx.set(dut.i_index.payload, item)
                await ctx.tick()
                read += [ctx.get(dut.codewords[port]) for port in range(ports)]
            ctx.set(dut.i_index.valid, 0)
            assert read[:len(tile)] == [codewords[index] for index in tile]
            ctx.set(dut.take, 1)
            await ctx.tick()
            ctx.set(dut.take, 0)

    simulate(dut, bench)
