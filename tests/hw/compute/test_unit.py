"""The compute unit: whole convolutions from beats to bytes, and the cycles they take."""

import itertools
import math
import random
import re
import subprocess

import numpy as np
import pytest

from tests.hw.lib.test_requantizer import expected as requantized
from tests.hw.lib.test_unpacker import beats_of
from tests.hw.simulation import (
    SHAPES,
    config_of,
    pack_bytes,
    sender,
    signed_bytes,
    simulate,
    unpack_bytes,
)
from tests.hw.weights.test_loader import UNEVEN
from vqrom_hw.compute import ComputeUnit
from vqrom_hw.export.verilog import to_verilog
from vqrom_sim.engines import require_tools
from vqrom_sim.engines.rtl.tools import tool_environment

CONFIGS = SHAPES | UNEVEN
HEIGHT, WIDTH, CHANNEL_WORDS = 4, 5, 2
PITCH = WIDTH * CHANNEL_WORDS
TARGET = HEIGHT * PITCH
RANGE = {"zero_point": -7, "low": -120, "high": 100}


class Bench:
    """A compute unit, its buffer, and the commands and beats of what it will do."""

    def __init__(self, config, seed) -> None:
        self.config, self.rng = config, random.Random(seed)
        self.codebook = self.random_codebook()
        self.dut = ComputeUnit(config, [pack_bytes(word) for word in self.codebook])
        self.words = [signed_bytes(self.rng, config.rows) for _ in range(TARGET + 200)]
        self.expected = [list(word) for word in self.words]
        self.weights, self.arrays, self.posts = [], [], []
        self.weight_beats, self.parameter_beats = [], []
        self.target, self.trace, self.codebooks = TARGET, [], 0

    def random_codebook(self):
        return [signed_bytes(self.rng, self.config.subvector)
                for _ in range(self.config.codewords)]

    def add_codebook(self) -> None:
        config, self.codebook = self.config, self.random_codebook()
        self.weights.append({"codebook": 1, "codewords": config.codewords})
        self.weight_beats += beats_of(config.bus_width, [config.codeword_width] * config.codewords,
                                      [pack_bytes(word) for word in self.codebook])

    def add_convolution(self, out=(2, 3), kernel=(3, 2), padding=1, stride=1, tiles=3, raw=False,
                        words=CHANNEL_WORDS) -> None:
        """One COMPUTE and what it should write."""
        weights = self._weights(tiles * words * math.prod(kernel), raw)
        shape = (tiles, words, *kernel, self.config.pe_rows, self.config.columns, -1)
        pad_value = self.rng.randint(-128, 127)
        sums = self._sums(out, kernel, padding, stride, weights.reshape(shape), pad_value)
        self._array_command(out, kernel, padding, stride, tiles, words, pad_value)
        self._post_command(out, tiles, sums)

    def _weights(self, count, raw):
        """Random fields of all tiles as a packet; the int8 weights that they stand for."""
        config, rng = self.config, self.rng
        fields = count * config.processing_elements
        if raw:
            weights = [signed_bytes(rng, config.subvector) for _ in range(fields)]
            items, width = [pack_bytes(word) for word in weights], config.codeword_width
        else:
            items = [rng.randrange(config.codewords) for _ in range(fields)]
            weights, width = [self.codebook[index] for index in items], config.index_width
        self.weight_beats += beats_of(config.bus_width, [width] * fields, items)
        self.weights.append({"raw": raw, "fills": count * config.fill_steps})
        return np.array(weights)

    def _sums(self, out, kernel, padding, stride, weights, pad_value):
        """``[tile, pixel, column]`` by definition."""
        tiles, words, _, _, pe_rows, columns, subvector = weights.shape
        sums = np.zeros((tiles, math.prod(out), columns), np.int64)
        for word, ky, kx in itertools.product(range(words), *map(range, kernel)):
            for pixel, (y, x) in enumerate(itertools.product(*map(range, out))):
                row, column = y * stride + ky - padding, x * stride + kx - padding
                inside = 0 <= row < HEIGHT and 0 <= column < WIDTH
                lanes = (self.words[row * PITCH + column * CHANNEL_WORDS + word] if inside
                         else [pad_value] * self.config.rows)
                sums[:, pixel] += np.einsum("gd,tgcd->tc", np.reshape(lanes, (pe_rows, subvector)),
                                            weights[:, word, ky, kx])
        return sums

    def _array_command(self, out, kernel, padding, stride, tiles, words, pad_value) -> None:
        step = stride * CHANNEL_WORDS
        loops = [(out[1], step, 0, stride), (out[0], stride * PITCH, stride, 0),
                 (kernel[1], CHANNEL_WORDS, 0, 1), (kernel[0], PITCH, 1, 0), (words, 1, 0, 0),
                 (tiles, 0, 0, 0)]
        names = ("count", "stride", "dy", "dx")
        self.arrays.append({"pad_value": pad_value, "nest": {
            "levels": [dict(zip(names, loop, strict=True)) for loop in loops],
            "base": -padding * (PITCH + CHANNEL_WORDS), "y0": -padding, "x0": -padding,
            "height": HEIGHT, "width": WIDTH}})

    def _post_command(self, out, tiles, sums) -> None:
        config, rng = self.config, self.rng
        sections = config.rows // config.columns
        section = rng.randrange(sections)
        pixel_words = -(-(section + tiles) // sections)
        target = {"base": self.target, "width": out[1], "stride": pixel_words,
                  "row_stride": out[1] * pixel_words + 1}
        self.target += out[0] * target["row_stride"]
        self.posts.append({"parameter_groups": tiles * config.post_steps, "post": {
            "passes": tiles, "pixels": math.prod(out), "section": section, "range": RANGE,
            "target": target}})
        items = []
        for tile, column in itertools.product(range(tiles), range(config.columns)):
            bias, shift = rng.randint(-1000, 1000), rng.choice([-12, -9, -3, 0])
            multiplier = rng.randint(1 << 30, (1 << 31) - 1)
            items += [bias % (1 << 32), multiplier, shift % 256]
            channel = (section + tile) * config.columns + column
            for pixel, (y, x) in enumerate(itertools.product(*map(range, out))):
                address = target["base"] + y * target["row_stride"] + x * pixel_words
                value = requantized(int(sums[tile, pixel, column]), bias, multiplier, shift)
                value = min(max(value + RANGE["zero_point"], RANGE["low"]), RANGE["high"])
                self.expected[address + channel // config.rows][channel % config.rows] = value
        self.parameter_beats += beats_of(
            config.bus_width, [32, 32, 8] * (len(items) // 3), items)

    def run(self, gaps) -> None:
        dut, rng = self.dut, self.rng if gaps else None
        simulate(dut, sender(dut.weights_command, self.weights),
                 sender(dut.array_command, self.arrays), sender(dut.post_command, self.posts),
                 sender(dut.weights, self.weight_beats, rng),
                 sender(dut.parameters, self.parameter_beats, rng), self._serve)
        assert self.words == self.expected

    async def _serve(self, ctx) -> None:
        dut, done = self.dut, 0
        signals = (dut.issue, dut.array_busy, dut.wait_weights, dut.wait_accumulators,
                   dut.rom_reads, dut.accumulator_reads, dut.accumulator_writes)
        while done < len(self.posts):
            word = self.words[ctx.get(dut.read_address)] if ctx.get(dut.read) else None
            if ctx.get(dut.write):
                mask = ctx.get(dut.write_mask)
                for lane, value in enumerate(
                        unpack_bytes(ctx.get(dut.write_word), self.config.rows)):
                    if mask >> lane & 1:
                        self.words[ctx.get(dut.write_address)][lane] = value
            done += ctx.get(dut.post_command.ready)
            self.codebooks += ctx.get(dut.codebook_done)
            self.trace.append([ctx.get(signal) for signal in signals])
            await ctx.tick()
            if word is not None:
                ctx.set(dut.read_word, pack_bytes(word))


def add_all(bench) -> None:
    bench.add_convolution()
    bench.add_convolution(raw=True, out=(1, 1), kernel=(1, 1), padding=0, tiles=4)
    bench.add_convolution(out=(2, 2), kernel=(2, 2), stride=2, tiles=2)
    bench.add_convolution(out=(1, 4), kernel=(1, 3), tiles=1, raw=True)
    bench.add_convolution(out=(1, 1), kernel=(2, 1), padding=0, tiles=5)


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("shape", CONFIGS)
def test_convolutions_back_to_back(shape: str, gaps: bool) -> None:
    """Odd and even numbers of column tiles, indices and raw weights, padding and strides."""
    bench = Bench(CONFIGS[shape], shape)
    add_all(bench)
    bench.run(gaps)
    issued, _, _, _, rom, reads, writes = map(sum, zip(*bench.trace, strict=True))
    config, words, sums, lookups = bench.config, 0, 0, 0
    for array, weights in zip(bench.arrays, bench.weights, strict=True):
        counts = [level["count"] for level in array["nest"]["levels"]]
        words += math.prod(counts)
        sums += counts[0] * counts[1] * counts[5]
        lookups += 0 if weights["raw"] else math.prod(counts[2:]) * config.processing_elements
    assert (issued, rom) == (words, lookups)
    assert reads == config.post_steps * words, "all updates but the first, and post-processing"
    assert writes == config.post_steps * words
    assert sums


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("shape", CONFIGS)
def test_codebooks_from_the_weight_stream(shape: str, gaps: bool) -> None:
    """Two codebooks; the second one comes between two commands."""
    bench = Bench(CONFIGS[shape].model_copy(update={"codebook_storage": "sram"}), shape)
    for _ in range(2):
        bench.add_codebook()
        bench.add_convolution()
        bench.add_convolution(raw=True, out=(1, 1), kernel=(1, 1), padding=0)
    bench.run(gaps)
    assert bench.codebooks == 2


def issue_cycles(bench):
    return [cycle for cycle, (issue, *_) in enumerate(bench.trace) if issue]


@pytest.mark.parametrize("shape", CONFIGS)
def test_a_tile_of_one_pixel_every_fill(shape: str) -> None:
    """GEMV: the decoder alone decides, across column tiles too."""
    config, tiles = CONFIGS[shape], 3
    bench = Bench(config.model_copy(update={"bus_width": 512}), shape)
    # Enough words in a column tile that post-processing, whose parameters need beats, keeps up.
    bench.add_convolution(out=(1, 1), kernel=(4, 5), padding=0, tiles=tiles)
    bench.run(gaps=False)
    first = config.fill_steps + 1
    assert issue_cycles(bench) == list(
        range(first, first + 40 * tiles * config.fill_steps, config.fill_steps))


def test_a_word_every_cycle_in_long_tiles() -> None:
    """No gap within a command and one cycle between commands, whose first tile is prefetched."""
    bench = Bench(config_of(decode_ports=3, bus_width=512), 0)
    for raw in (False, True, False):
        bench.add_convolution(out=(2, 3), kernel=(2, 2), tiles=3, raw=raw)
    bench.run(gaps=False)
    words, start = 6 * 8 * 3, bench.config.fill_steps + 1
    assert issue_cycles(bench) == [start + command * (words + 1) + word
                                   for command in range(3) for word in range(words)]
    # The array's pipeline, the last pass, the lanes.
    assert len(bench.trace) == start + 3 * (words + 1) - 2 + 5 + 6 * 2 + 7


STYLE = ("UNUSEDSIGNAL", "PROCASSINIT", "WIDTHEXPAND", "WIDTHTRUNC", "CASEOVERLAP", "DECLFILENAME",
         "SYMRSVDWORD", "MULTITOP")


@pytest.mark.parametrize("storage", ["readmemh", "logic", "macro", "sram"])
@pytest.mark.parametrize("shape", ["one PE, one bit", "usual", "five ports of six"])
def test_verilog(shape: str, storage, tmp_path) -> None:
    """Clean for each form of the codebook; only a ROM's memory has contents."""
    form = {"codebook_storage": "sram"} if storage == "sram" else {"codebook_rom": storage}
    bench = Bench(CONFIGS[shape].model_copy(update=form), shape)
    text = to_verilog(bench.dut, "compute", "codebook.hex")
    assert ("initial" in text) == (storage == "readmemh")
    width, index = bench.config.codeword_width, bench.config.index_width
    macro = (f"module vqrom_codebook_rom(input clk, input enable, input [{index - 1}:0] index, "
             f"output reg [{width - 1}:0] codeword);\nalways @(posedge clk) if (enable) "
             f"codeword <= {{{width}{{^index}}}};\nendmodule\n") if storage == "macro" else ""
    (tmp_path / "compute.v").write_text(text + macro)
    ran = subprocess.run(
        [require_tools("verilator")["verilator"], "--lint-only", "-Wall",
         *(f"-Wno-{name}" for name in STYLE), "--top-module", "compute", "compute.v"],
        cwd=tmp_path, env=tool_environment(), capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    modules = re.findall(r"^module (\w+)", text, re.MULTILINE)
    assert not [name for name in modules if re.search(r"_v\d+$", name)], "one per component"
