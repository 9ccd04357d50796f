"""PEs, columns and the whole array against matrix products."""

import random

import numpy as np
import pytest

from tests.hw.simulation import pack_bytes, signed_bytes, simulate
from tests.hw.weights.test_loader import CONFIGS
from vqrom_hw.compute import ProcessingArray
from vqrom_hw.compute.array import ColumnAdder, ProcessingElement, product_width


@pytest.mark.parametrize("length", [1, 2, 4, 8, 16])
def test_element_is_a_dot_product(length: int) -> None:
    dut, rng = ProcessingElement(length), random.Random(length)

    async def bench(ctx) -> None:
        for extreme in (True, False, False):
            weights = [-128] * length if extreme else signed_bytes(rng, length)
            ctx.set(dut.codeword, pack_bytes(weights))
            ctx.set(dut.load, 1)
            await ctx.tick()
            ctx.set(dut.load, 0)
            ctx.set(dut.codeword, 0)
            ctx.set(dut.swap, 1)
            await ctx.tick()
            ctx.set(dut.swap, 0)
            for _ in range(20):
                word = [-128] * length if extreme else signed_bytes(rng, length)
                ctx.set(dut.activations.as_value(), pack_bytes(word))
                await ctx.tick()
                assert ctx.get(dut.product) == np.dot(word, weights)

    simulate(dut, bench)


@pytest.mark.parametrize("pe_rows", [1, 2, 3, 8])
def test_adder_never_overflows(pe_rows: int) -> None:
    dut, width = ColumnAdder(pe_rows, product_width(4)), product_width(4)

    async def bench(ctx) -> None:
        for value in (-(1 << width - 1), (1 << width - 1) - 1, -1, 0):
            for row in range(pe_rows):
                ctx.set(dut.products[row], value)
            await ctx.tick()
            assert ctx.get(dut.total) == pe_rows * value

    simulate(dut, bench)


@pytest.mark.parametrize("shape", CONFIGS)
def test_array_is_a_matrix_product(shape: str) -> None:
    """Tiles back to back, each loaded in the last cycles before its first word."""
    config, rng = CONFIGS[shape], random.Random(1)
    ports, steps, d = config.decode_ports, config.fill_steps, config.subvector
    tiles = np.random.default_rng(2).integers(-128, 128, (5, config.pe_rows, config.columns, d))
    # The first cycle of each tile; the shortest tiles run exactly as long as a fill takes.
    starts = np.cumsum([steps] + [steps + rng.randint(0, 2) for _ in tiles]).tolist()
    words = [signed_bytes(rng, config.rows) for _ in range(starts[-1])]
    dut = ProcessingArray(config)

    async def bench(ctx) -> None:
        for cycle in range(starts[-1] + ProcessingArray.LATENCY):
            for tile, start in zip(tiles, starts, strict=False):
                if start - steps <= cycle < start:
                    step = cycle - (start - steps)
                    ctx.set(dut.step, 1 << step)
                    loaded = tile.reshape(-1, d)[step * ports:][:ports].tolist()
                    for port, codeword in enumerate(loaded):
                        ctx.set(dut.codewords[port], pack_bytes(codeword))
            if cycle < starts[-1]:
                ctx.set(dut.swap, cycle in starts)
                ctx.set(dut.activations, pack_bytes(words[cycle]))
            shown = cycle - ProcessingArray.LATENCY
            if shown >= steps:
                tile = tiles[np.searchsorted(starts, shown, "right") - 1]
                expected = np.einsum("gd,gcd->c", np.reshape(words[shown], (-1, d)), tile)
                totals = [ctx.get(dut.totals[column]) for column in range(config.columns)]
                assert totals == expected.tolist()
            await ctx.tick()
            ctx.set(dut.step, 0)

    simulate(dut, bench)
