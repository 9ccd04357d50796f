"""Feature maps between beats and words, for words smaller and larger than a beat."""

import random

import pytest

from tests.hw.simulation import config_of, receiver, simulate
from vqrom_hw.transfer import ActivationLoader, ActivationStorer

CONFIGS = {
    "word of a byte": config_of(1, 2, 1, 1, 1, 1),
    "word of six bytes": config_of(2, 20, 6, 3, 3, 1, bus_width=128),
    "word of a beat": config_of(),
    "word of four beats": config_of(8, 3, 32, 4, 4, 2),
}


def words_and_beats(config, count, rng):
    """Random words, and the beats that hold them."""
    words = [rng.getrandbits(8 * config.rows) for _ in range(count)]
    number = sum(word << 8 * config.rows * place for place, word in enumerate(words))
    beats = -(-count * config.rows // config.beat_bytes)
    mask = (1 << config.bus_width) - 1
    return words, [number >> beat * config.bus_width & mask for beat in range(beats)]


@pytest.mark.parametrize("name", CONFIGS)
def test_load(name):
    config, rng, memory = CONFIGS[name], random.Random(name), {}
    dut = ActivationLoader(config)
    maps = [(base, *words_and_beats(config, count, rng)) for base, count in ((3, 1), (20, 17))]

    async def bench(ctx):
        for base, words, beats in maps:
            ctx.set(dut.base, base)
            ctx.set(dut.words, len(words))
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            while ctx.get(dut.busy):
                offered = bool(beats) and rng.random() < 0.7
                ctx.set(dut.i.valid, offered)
                ctx.set(dut.i.payload, beats[0] if offered else 0)
                if ctx.get(dut.write):
                    memory[ctx.get(dut.write_address)] = ctx.get(dut.write_word)
                if offered and ctx.get(dut.i.ready):
                    beats.pop(0)
                await ctx.tick()
            assert not beats

    expected = {base + place: word for base, words, _ in maps for place, word in enumerate(words)}
    simulate(dut, bench)
    assert memory == expected


@pytest.mark.parametrize("name", CONFIGS)
def test_store(name):
    config, rng, out = CONFIGS[name], random.Random(name), []
    dut = ActivationStorer(config)
    per_beat = max(1, config.beat_bytes // config.rows)
    maps = []
    for base, count in ((3, 3 * per_beat), (30, 8 * per_beat)):
        words, beats = words_and_beats(config, count, rng)
        maps.append((base, words, beats[:len(words) * config.rows // config.beat_bytes]))
    memory = {base + place: word for base, words, _ in maps for place, word in enumerate(words)}

    async def buffer(ctx):
        while len(out) < sum(len(beats) for _, _, beats in maps):
            shown = memory.get(ctx.get(dut.read_address)) if ctx.get(dut.read) else None
            await ctx.tick()
            if shown is not None:
                ctx.set(dut.word, shown)

    async def start(ctx):
        done = 0
        for base, words, beats in maps:
            for port, value in ((dut.base, base), (dut.words, len(words)),
                                (dut.beats, len(beats)), (dut.start, 1)):
                ctx.set(port, value)
            await ctx.tick()
            ctx.set(dut.start, 0)
            done += len(beats)
            while len(out) < done:
                await ctx.tick()
            await ctx.tick().repeat(2)

    total = sum(len(beats) for _, _, beats in maps)
    simulate(dut, start, buffer, receiver(dut.o, total, out, rng))
    assert out == [beat for _, _, beats in maps for beat in beats]
