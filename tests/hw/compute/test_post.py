"""Post-processing against the requantisation of each channel, and its cycles."""

import random

import pytest

from tests.hw.lib.test_requantizer import expected as requantized
from tests.hw.simulation import SHAPES, sender, signed_bytes, simulate, unpack_bytes
from vqrom_hw.compute import PostProcessor


class Scene:
    """A post-processor between accumulators and words, and what it should make of them."""

    def __init__(self, shape) -> None:
        self.config, self.rng = SHAPES[shape], random.Random(shape)
        self.dut, self.half = PostProcessor(self.config), 0
        config, rng = self.config, self.rng
        self.words = [signed_bytes(rng, config.rows) for _ in range(config.activation_words)]
        self.expected = [list(word) for word in self.words]
        self.sums = {(half, pixel, column): rng.randint(-60_000, 60_000) for half in range(2)
                     for pixel in range(config.accumulator_depth)
                     for column in range(config.columns)}
        self.commands, self.parameters = [], []
        self.issued, self.released = [], []

    def add(self, **fields) -> None:
        """Queue a command with random parameters, and do what it says."""
        output = {"zero_point": self.rng.randint(-128, 127), "low": -100, "high": 90}
        command = {"passes": 1, "pixels": 1, "section": 0, "range": output} | fields
        self.commands.append(command)
        for number in range(command["passes"]):
            for column in range(self.config.columns):
                parameter = {"bias": self.rng.randint(-1000, 1000),
                             "multiplier": self.rng.randint(1 << 30, (1 << 31) - 1),
                             "shift": self.rng.choice([-12, -9, -3, 0])}
                self.parameters.append(parameter)
                self._expect(command, command["section"] * self.config.columns
                             + number * self.config.columns + column, column, parameter)
            self.half ^= 1

    def _expect(self, command, channel, column, parameter) -> None:
        target, output = command["target"], command["range"]
        for pixel in range(command["pixels"]):
            row, place = divmod(pixel, target["width"])
            address = (target["base"] + row * target["row_stride"] + place * target["stride"]
                       + channel // self.config.rows)
            value = requantized(self.sums[self.half, pixel, column], parameter["bias"],
                                parameter["multiplier"], parameter["shift"])
            value = min(max(value + output["zero_point"], output["low"]), output["high"])
            self.expected[address][channel % self.config.rows] = value

    def run(self, rng=None) -> None:
        self.gaps = rng
        lanes = self.config.post_lanes
        items = [self.parameters[first:first + lanes]
                 for first in range(0, len(self.parameters), lanes)]
        simulate(self.dut, sender(self.dut.command, self.commands),
                 sender(self.dut.parameters, items, rng), self._serve)

    async def _serve(self, ctx) -> None:
        """Memories around it, until all commands are done; when it reads and finishes."""
        dut, lanes, cycle, done = self.dut, self.config.post_lanes, 0, 0
        full = 0b11
        while done < len(self.commands):
            ctx.set(dut.half_full, full)
            release, read = ctx.get(dut.release), ctx.get(dut.read)
            if release:
                self.released.append((release.bit_length() - 1, cycle))
            if self.gaps:
                filled = 1 << self.gaps.randrange(2) if self.gaps.random() < 0.2 else 0
                full = full & ~release | filled
            step, half = read.bit_length() - 1, ctx.get(dut.read_half)
            address = ctx.get(dut.read_address)
            if read:
                assert read == 1 << step and ctx.get(dut.busy)
                self.issued.append(cycle)
            if ctx.get(dut.write):
                word, mask = ctx.get(dut.write_word), ctx.get(dut.write_mask)
                for lane, value in enumerate(unpack_bytes(word, self.config.rows)):
                    if mask >> lane & 1:
                        self.words[ctx.get(dut.write_address)][lane] = value
            done += ctx.get(dut.command.ready)
            cycle += 1
            await ctx.tick()
            if read:
                for lane in range(lanes):
                    ctx.set(dut.total[lane], self.sums[half, address, step * lanes + lane])
        assert not ctx.get(dut.busy)


def target_of(base, width, stride, row_stride):
    return {"base": base, "width": width, "stride": stride, "row_stride": row_stride}


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_words(shape: str, gaps: bool) -> None:
    """As many passes as fill two words of every pixel; rows; a start within a word."""
    scene = Scene(shape)
    sections = scene.config.rows // scene.config.columns
    scene.add(passes=2 * sections, pixels=6, target=target_of(7, 3, 2, 9))
    scene.add(passes=1, pixels=1, section=sections - 1, target=target_of(40, 1, 1, 1))
    scene.add(passes=sections + 1, pixels=5, section=sections - 1, target=target_of(45, 2, 2, 5))
    scene.run(scene.rng if gaps else None)
    assert scene.words == scene.expected
    passes = 3 * sections + 2
    assert [half for half, _ in scene.released] == [number % 2 for number in range(passes)]


@pytest.mark.parametrize("shape", SHAPES)
def test_one_pixel_every_cycle(shape: str) -> None:
    """No gap between steps and passes, one drain and one cycle between commands."""
    scene = Scene(shape)
    steps = scene.config.post_steps
    sizes = [(4, 3), (1, 1), (3, 1)]
    for passes, pixels in sizes:
        scene.add(passes=passes, pixels=pixels, target=target_of(0, 8, 8, 8))
    scene.run()
    cycle, expected, released = 0, [], []
    for passes, pixels in sizes:
        expected += range(cycle + 1, cycle + 1 + passes * steps * pixels)
        released += range(cycle + steps * pixels, expected[-1] + 1, steps * pixels)
        cycle = expected[-1] + PostProcessor.LATENCY + 1
    assert scene.issued == expected
    assert [cycle for _, cycle in scene.released] == released


def test_waits_for_its_half() -> None:
    scene = Scene("usual")
    dut, commands = scene.dut, [{"passes": 1, "pixels": 1, "target": target_of(0, 1, 1, 1)}]

    async def bench(ctx) -> None:
        ctx.set(dut.half_full, 0b10)
        ctx.set(dut.parameters.valid, 1)
        for _ in range(20):
            await ctx.tick()
            assert not ctx.get(dut.read) and not ctx.get(dut.parameters.ready)
        ctx.set(dut.half_full, 0b01)
        assert ctx.get(dut.read) and ctx.get(dut.parameters.ready)
        await ctx.tick().until(dut.command.ready)

    simulate(dut, sender(dut.command, commands), bench)
