"""The weight feed: packets of three forms from one stream of beats, in order."""

import random

import pytest

from tests.hw.lib.test_unpacker import beats_of
from tests.hw.simulation import SHAPES, receiver, sender, simulate
from tests.hw.weights.test_loader import UNEVEN
from vqrom_hw.weights import WeightFeed

CONFIGS = {name: config.model_copy(update={"codebook_storage": "sram"})
           for name, config in (SHAPES | UNEVEN).items()}


def tile_steps(config, width, tiles, rng):
    """Random fields of whole tiles, and the items and their widths that they make."""
    steps = []
    for _ in range(tiles):
        left = config.processing_elements
        while left:
            fields = min(left, config.decode_ports)
            steps.append((rng.getrandbits(fields * width), fields * width))
            left -= fields
    return steps


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("shape", CONFIGS)
def test_packets_in_order(shape: str, gaps: bool) -> None:
    config, rng = CONFIGS[shape], random.Random(shape)
    dut = WeightFeed(config)
    commands, beats, indices, raws, codebooks = [], [], [], [], []
    for kind in (*"cirirric", *rng.choices("cir", k=4), "i"):
        if kind == "c":
            steps = [(rng.getrandbits(config.codeword_width), config.codeword_width)
                     for _ in range(config.codewords)]
            codebooks.append([item for item, _ in steps])
        else:
            width = config.codeword_width if kind == "r" else config.index_width
            steps = tile_steps(config, width, rng.randint(1, 4), rng)
            (raws if kind == "r" else indices).extend(steps)
        commands.append({"codebook": kind == "c", "raw": kind == "r", "fills": len(steps),
                         "codewords": len(steps)})
        beats += beats_of(config.bus_width, [width for _, width in steps],
                          [item for item, _ in steps])
    out_indices, out_raws, written = [], [], []

    async def watch(ctx) -> None:
        words, done = [], 0
        while done < len(codebooks):
            if ctx.get(dut.codebook_write.valid):
                assert ctx.get(dut.codebook_write.index) == len(words)
                words.append(ctx.get(dut.codebook_write.codeword))
            if ctx.get(dut.codebook_done):
                written.append(words)
                words, done = [], done + 1
            await ctx.tick()

    random_gaps = rng if gaps else None
    simulate(dut, sender(dut.command, commands), sender(dut.weights, beats, random_gaps),
             receiver(dut.o_index, len(indices), out_indices, random_gaps),
             receiver(dut.o_raw, len(raws), out_raws, random_gaps), watch)
    for steps, out in ((indices, out_indices), (raws, out_raws)):
        assert [item & ((1 << width) - 1) for item, (_, width) in zip(out, steps, strict=True)] \
            == [item for item, _ in steps]
    assert written == codebooks
