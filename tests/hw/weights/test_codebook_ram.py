"""The codebook RAM: what was written, one cycle after it was asked for; nothing built in."""

import random

import pytest

from tests.hw.simulation import simulate
from vqrom_hw.export.verilog import to_verilog
from vqrom_hw.weights.codebook_ram import CodebookRam


@pytest.mark.parametrize(("count", "width"), [(2, 8), (20, 32), (300, 128)])
def test_every_codeword_twice(count: int, width: int) -> None:
    dut, rng = CodebookRam(count, width), random.Random(count)

    async def bench(ctx) -> None:
        for _ in range(2):
            codewords = [rng.getrandbits(width) for _ in range(count)]
            for number, codeword in enumerate(codewords):
                ctx.set(dut.write, 1)
                ctx.set(dut.write_index, number)
                ctx.set(dut.write_codeword, codeword)
                await ctx.tick()
            ctx.set(dut.write, 0)
            ctx.set(dut.enable, 1)
            for number, codeword in enumerate(codewords):
                ctx.set(dut.index, number)
                await ctx.tick()
                assert ctx.get(dut.codeword) == codeword
            ctx.set(dut.enable, 0)
            ctx.set(dut.index, 0)
            await ctx.tick()
            assert ctx.get(dut.codeword) == codewords[-1]

    simulate(dut, bench)


def test_verilog_has_no_contents() -> None:
    text = to_verilog(CodebookRam(20, 32), "codebook_ram", "words.hex")
    assert "initial" not in text and "reg [31:0] codewords [19:0];" in text
