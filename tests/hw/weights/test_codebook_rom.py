"""The codebook ROM: every codeword, one cycle later, and only when asked; its Verilog forms."""

import random
import re

import pytest

from tests.hw.simulation import simulate
from vqrom_hw.errors import VqromError
from vqrom_hw.export.verilog import to_verilog
from vqrom_hw.weights.codebook_rom import CodebookRom


@pytest.mark.parametrize("form", ["readmemh", "logic"])
@pytest.mark.parametrize(("count", "width"), [(2, 8), (3, 16), (20, 32), (256, 32), (300, 128)])
def test_every_codeword(count: int, width: int, form) -> None:
    rng = random.Random(count)
    codewords = [rng.getrandbits(width) for _ in range(count)]
    dut = CodebookRom(codewords, width, form)

    async def bench(ctx) -> None:
        ctx.set(dut.enable, 1)
        for number, codeword in enumerate(codewords):
            ctx.set(dut.index, number)
            await ctx.tick()
            assert ctx.get(dut.codeword) == codeword

    simulate(dut, bench)


def test_keeps_its_codeword_without_enable() -> None:
    dut = CodebookRom([5, 9], 8)

    async def bench(ctx) -> None:
        ctx.set(dut.enable, 1)
        await ctx.tick()
        ctx.set(dut.enable, 0)
        ctx.set(dut.index, 1)
        await ctx.tick().repeat(3)
        assert ctx.get(dut.codeword) == 5

    simulate(dut, bench)


def test_reads_a_file() -> None:
    text = to_verilog(CodebookRom([5, 9, 3], 8), "codebook_rom", "words.hex")
    assert '$readmemh("words.hex", codebook);' in text


@pytest.mark.parametrize(("count", "width"), [(2, 8), (5, 16), (300, 128)])
def test_case_statement(count: int, width: int) -> None:
    rng = random.Random(count)
    codewords = [rng.getrandbits(width) for _ in range(count)]
    text = to_verilog(CodebookRom(codewords, width, "logic"), "codebook_rom", "words.hex")
    assert "words.hex" not in text
    assert not re.search(r"reg \[\d+:0\] \w+ \[", text), "no memory"
    cases = re.findall(r"^ +(\d+)'d(\d+): lookup = (\d+)'h([0-9a-f]+);$", text, re.MULTILINE)
    bits = (count - 1).bit_length()
    assert [(int(index_bits), int(index), int(word_bits), int(word, 16))
            for index_bits, index, word_bits, word in cases] == [
        (bits, index, width, codeword) for index, codeword in enumerate(codewords)]
    assert len(re.findall(r"<= lookup\(\w+\);", text)) == 1


def test_black_box() -> None:
    text = to_verilog(CodebookRom([5, 9, 3], 8, "macro"), "codebook_rom", "words.hex")
    instance = re.search(r"vqrom_codebook_rom macro \((.*?)\);", text, re.DOTALL)
    assert instance
    assert sorted(re.findall(r"\.(\w+)\((\w+)\)", instance[1])) == [
        (name, name) for name in ("clk", "codeword", "enable", "index")]
    assert "module vqrom_codebook_rom" not in text


def test_wrong_codewords() -> None:
    with pytest.raises(VqromError, match="codewords must be at least 2, not 1"):
        CodebookRom([1], 8)
    for wrong in (256, -1):
        with pytest.raises(VqromError, match=f"codeword must fit in 8 bits, not {wrong}"):
            CodebookRom([0, wrong], 8)
