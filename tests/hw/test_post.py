"""Post-processing passes against the requantisation of each channel, and their cycles."""

import random
from dataclasses import dataclass

import pytest

from tests.hw.simulation import SHAPES, pack_bytes, sender, signed_bytes, simulate, unpack_bytes
from tests.hw.test_requantize import expected as requantized
from vqrom_hw.commands import Destination, Source
from vqrom_hw.post import PostProcessor


@dataclass
class Scene:
    """A post-processor with its memories and the parameters of all channels it will see."""

    config: object
    dut: object
    rng: random.Random
    words: list
    sums: dict
    parameters: list


def scene_of(shape, channels):
    config, rng = SHAPES[shape], random.Random(shape)
    words = [signed_bytes(rng, config.rows) for _ in range(config.activation_words)]
    sums = {(half, pixel, column): rng.randint(-60_000, 60_000) for half in range(2)
            for pixel in range(config.accumulator_depth) for column in range(config.columns)}
    parameters = [(rng.randint(-1000, 1000), rng.randint(1 << 30, (1 << 31) - 1),
                   rng.choice([-12, -9, -3, 0])) for _ in range(channels)]
    return Scene(config, PostProcessor(config), rng, words, sums, parameters)


def parameter_items(scene):
    """The stream's payloads: ``post_lanes`` channels each."""
    lanes = scene.config.post_lanes
    names = ("bias", "multiplier", "shift")
    return [[dict(zip(names, one, strict=True)) for one in scene.parameters[first:first + lanes]]
            for first in range(0, len(scene.parameters), lanes)]


async def command(ctx, dut, **fields):
    ctx.set(dut.source_base, fields.pop("source_base", 0))
    for name, value in fields.items():
        ctx.set(dut.post[name], value)
    ctx.set(dut.start, 1)
    await ctx.tick()
    ctx.set(dut.start, 0)


async def memories(ctx, scene, released, updates):
    """Serve the read ports and apply writes until done; the number of cycles."""
    dut, lanes, cycles = scene.dut, scene.config.post_lanes, 0
    while True:
        done = ctx.get(dut.done)
        released += [half for half in range(2) if ctx.get(dut.release) >> half & 1]
        total = [scene.sums[ctx.get(dut.read_half), ctx.get(dut.read_address),
                            ctx.get(dut.read_group) * lanes + lane] for lane in range(lanes)] \
            if ctx.get(dut.read) else None
        word = scene.words[ctx.get(dut.act_read_address)] if ctx.get(dut.act_read) else None
        if ctx.get(dut.write):
            values = unpack_bytes(ctx.get(dut.write_bytes), lanes)
            target = scene.words[ctx.get(dut.write_address)]
            for lane in range(scene.config.rows):
                if ctx.get(dut.write_mask) >> lane & 1:
                    target[lane] = values[lane % lanes]
        for group in range(scene.config.post_groups):
            if ctx.get(dut.update) >> group & 1:
                updates.append((ctx.get(dut.update_address), group, ctx.get(dut.update_first),
                                [ctx.get(dut.update_values[lane]) for lane in range(lanes)]))
        cycles += 1
        await ctx.tick()
        if total is not None:
            for lane in range(lanes):
                ctx.set(dut.total[lane], total[lane])
        if word is not None:
            ctx.set(dut.act_word, pack_bytes(word))
        if done:
            return cycles


def byte(value, zero_point, low, high):
    return min(max(value + zero_point, low), high)


@pytest.mark.parametrize("shape", SHAPES)
def test_accumulators_to_activations(shape):
    """As many passes as fill two words of every pixel; halves alternate and are released."""
    config = SHAPES[shape]
    sections = config.rows // config.columns
    passes, pixels, stride, base = 2 * sections, 5, 3, 7
    scene = scene_of(shape, passes * config.columns)
    before = [list(word) for word in scene.words]
    released, counted = [], []

    async def bench(ctx):
        ctx.set(scene.dut.half_full, 0b11)
        await command(ctx, scene.dut, source=Source.ACCUMULATOR, destination=Destination.ACTIVATION,
                      pixels=pixels, passes=passes, accumulator_stride=1, out_base=base,
                      out_stride=stride, zero_point=-3, low=-100, high=90)
        counted.append(await memories(ctx, scene, released, []))

    simulate(scene.dut, sender(scene.dut.parameters, parameter_items(scene)), bench)
    for number in range(passes):
        for pixel in range(pixels):
            for column in range(config.columns):
                bias, multiplier, shift = scene.parameters[number * config.columns + column]
                value = requantized(scene.sums[number % 2, pixel, column], bias, multiplier, shift,
                                    False)
                address = base + number // sections + pixel * stride
                lane = number % sections * config.columns + column
                before[address][lane] = byte(value, -3, -100, 90)
    assert scene.words == before
    assert released == [number % 2 for number in range(passes)]
    assert counted == [passes * config.post_groups * (pixels + PostProcessor.LATENCY + 2)]


@pytest.mark.parametrize("shape", SHAPES)
def test_activations_to_accumulators(shape):
    """What ADD does with an input: shifted, scaled, set or added, one section of the word."""
    config = SHAPES[shape]
    section, pixels = config.rows // config.columns - 1, 4
    for destination in (Destination.ACCUMULATOR_SET, Destination.ACCUMULATOR_ADD):
        scene, updates = scene_of(shape, config.columns), []

        async def bench(ctx, scene=scene, updates=updates, destination=destination):
            await command(ctx, scene.dut, source=Source.ACTIVATION, destination=destination,
                          pixels=pixels, passes=1, source_base=11, source_stride=2,
                          accumulator_stride=1, pre_shift=1, section=section)
            await memories(ctx, scene, [], updates)

        simulate(scene.dut, sender(scene.dut.parameters, parameter_items(scene)), bench)
        expected = []
        for group in range(config.post_groups):
            for pixel in range(pixels):
                values = []
                for lane in range(config.post_lanes):
                    column = group * config.post_lanes + lane
                    x = scene.words[11 + 2 * pixel][section * config.columns + column]
                    bias, multiplier, shift = scene.parameters[column]
                    values.append(requantized(x, bias, multiplier, shift, True))
                expected.append((pixel, group, destination == Destination.ACCUMULATOR_SET, values))
        assert updates == expected


def test_one_accumulator_collects_all_pixels():
    """Average pooling: stride 0, set by the first pixel and added to by the others."""
    scene, updates = scene_of("usual", 4), []

    async def bench(ctx):
        await command(ctx, scene.dut, source=Source.ACTIVATION,
                      destination=Destination.ACCUMULATOR_ADD, pixels=3, passes=1, source_stride=1)
        await memories(ctx, scene, [], updates)

    simulate(scene.dut, sender(scene.dut.parameters, parameter_items(scene)), bench)
    assert [(address, group, first) for address, group, first, _ in updates] == [
        (0, 0, 1), (0, 0, 0), (0, 0, 0), (0, 1, 1), (0, 1, 0), (0, 1, 0)]


def test_waits_for_its_half():
    scene = scene_of("one group", 4)
    dut = scene.dut

    async def bench(ctx):
        await command(ctx, dut, source=Source.ACCUMULATOR, destination=Destination.ACTIVATION,
                      pixels=1, passes=1)
        for _ in range(20):
            assert not ctx.get(dut.read) and not ctx.get(dut.parameters.ready)
            await ctx.tick()
        ctx.set(dut.half_full, 1)
        await memories(ctx, scene, [], [])

    simulate(dut, sender(dut.parameters, parameter_items(scene)), bench)
