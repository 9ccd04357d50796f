"""The codebook ROM: every codeword, one cycle later, and only when asked."""

import random

import pytest

from tests.hw.simulation import simulate
from vqrom_hw.codebook_rom import CodebookRom
from vqrom_hw.errors import VqromError


@pytest.mark.parametrize(("count", "width"), [(2, 8), (3, 16), (20, 32), (256, 32), (300, 128)])
def test_every_codeword(count, width):
    rng = random.Random(count)
    codewords = [rng.getrandbits(width) for _ in range(count)]
    dut = CodebookRom(codewords, width)

    async def bench(ctx):
        ctx.set(dut.enable, 1)
        for number, codeword in enumerate(codewords):
            ctx.set(dut.index, number)
            await ctx.tick()
            assert ctx.get(dut.codeword) == codeword

    simulate(dut, bench)


def test_keeps_its_codeword_without_enable():
    dut = CodebookRom([5, 9], 8)

    async def bench(ctx):
        ctx.set(dut.enable, 1)
        await ctx.tick()
        ctx.set(dut.enable, 0)
        ctx.set(dut.index, 1)
        await ctx.tick().repeat(3)
        assert ctx.get(dut.codeword) == 5

    simulate(dut, bench)


def test_wrong_codewords():
    with pytest.raises(VqromError, match="codewords must be at least 2, not 1"):
        CodebookRom([1], 8)
    for wrong in (256, -1):
        with pytest.raises(VqromError, match=f"codeword must fit in 8 bits, not {wrong}"):
            CodebookRom([0, wrong], 8)
