"""Feature maps between beats and words, for words smaller and larger than a beat."""

import random

import pytest

from tests.hw.simulation import config_of, sender, simulate
from vqrom_hw.memory import ActivationLoader, ActivationStorer

CONFIGS = {
    "word of a byte": config_of(1, 2, 1, 1, 1, 1),
    "word of six bytes": config_of(2, 20, 6, 3, 3, 1, bus_width=128),
    "word of a beat": config_of(),
    "word of four beats": config_of(8, 3, 32, 4, 4, 2),
    "sixteen words a beat": config_of(8, 3, 8, 4, 4, 2, bus_width=1024),
}


def beats_of(config, packet):
    """The beats of a packet of bytes; what fills the last one up is not zero."""
    size = config.beat_bytes
    filled = packet + bytes([0xA5]) * (-len(packet) % size)
    return [int.from_bytes(filled[first:first + size], "little")
            for first in range(0, len(filled), size)]


def load_of(config, rng, base, words, packets, window, hop):
    """A command, its beats, and what it writes."""
    pad = rng.randint(-128, 127)
    beats, expected = [], {}
    for packet in range(packets):
        content = rng.randbytes((words - 1) * hop + window)
        beats += beats_of(config, content)
        for word in range(words):
            lanes = content[word * hop:word * hop + window]
            lanes += bytes([pad & 0xFF]) * (config.rows - window)
            expected[base + packet * words + word] = int.from_bytes(lanes, "little")
    return {"base": base, "words": words, "packets": packets, "window": window, "hop": hop,
            "pad_value": pad, "beats": len(beats)}, beats, expected


def random_loads(config, rng):
    loads, base = [], 5
    for _ in range(8):
        words, packets = rng.choice([1, 2, rng.randint(1, 20)]), rng.choice([1, 1, 2, 3])
        window, hop = (rng.choice([1, config.rows, rng.randint(1, config.rows)])
                       for _ in range(2))
        loads.append(load_of(config, rng, base, words, packets, window, hop))
        base += words * packets
    return loads


def run_loads(config, loads, rng=None):
    """Run loads; writes in order, and in which cycle each write and each command's end was."""
    dut, written, cycles, ends = ActivationLoader(config), [], [], []
    count = sum(len(expected) for _, _, expected in loads)

    async def monitor(ctx) -> None:
        cycle = 0
        while len(ends) < len(loads):
            ctx.set(dut.write_grant, not rng or rng.random() < 0.7)
            _, _, write, grant, address, word, mask, done, valid, busy, mismatch = \
                await ctx.tick().sample(
                    dut.write, dut.write_grant, dut.write_address, dut.write_word, dut.write_mask,
                    dut.command.ready, dut.command.valid, dut.busy, dut.mismatch)
            assert busy == valid and not mismatch
            cycle += 1
            if write and grant:
                assert mask == (1 << config.rows) - 1
                written.append((address, word))
                cycles.append(cycle)
            if done:
                assert write and grant and valid
                ends.append(cycle)

    beats = sender(dut.i, [beat for _, beats, _ in loads for beat in beats], rng)
    simulate(dut, sender(dut.command, [command for command, _, _ in loads], rng), beats, monitor)
    assert len(written) == count
    return written, cycles, ends


@pytest.mark.parametrize("name", CONFIGS)
def test_load(name: str) -> None:
    config, rng = CONFIGS[name], random.Random(name)
    loads = random_loads(config, rng)
    written, _, _ = run_loads(config, loads, rng)
    assert written == [item for _, _, expected in loads for item in expected.items()]


@pytest.mark.parametrize(("rows", "bus_width", "window", "hop", "cycles"), [
    (8, 64, 8, 8, 60), (8, 512, 8, 8, 60), (8, 1024, 8, 8, 60), (6, 64, 6, 6, 60),
    (8, 64, 5, 1, 60), (8, 128, 8, 3, 60), (1, 64, 1, 1, 60), (32, 64, 32, 32, 240),
    (32, 128, 4, 32, 120), (32, 256, 27, 6, 60), (32, 64, 8, 8, 60)])
def test_load_takes_a_cycle_a_word_or_a_beat(rows: int, bus_width: int, window: int, hop: int,
                                             cycles: int) -> None:
    """Three packets of 20 words, without a gap, and commands two cycles apart."""
    config = config_of(1, 2, rows, 1, 1, 1, bus_width=bus_width)
    rng = random.Random(rows)
    loads = [load_of(config, rng, base, 20, 3, window, hop) for base in (0, 60)]
    written, at, ends = run_loads(config, loads)
    assert written == [item for _, _, expected in loads for item in expected.items()]
    beats = len(loads[0][1])
    first_beats = -(-max(window, hop) // config.beat_bytes)
    assert at[0] == 2 + first_beats
    # A packet's last word comes with its last beat, the next packet's first word after its own.
    assert ends[0] - at[0] + 1 == max(60, beats - first_beats + 1)
    assert max(60, beats) <= cycles
    assert at[60] - ends[0] == 2 + first_beats


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("change", [-1, 1, 7])
def test_load_of_other_beats_is_an_error(name: str, change: int) -> None:
    """Too few: none of the next command's beats is taken. Too many: noticed with the last word."""
    config, rng = CONFIGS[name], random.Random(name)
    command, beats, expected = load_of(config, rng, 3, 40, 2, config.rows, config.rows)
    dut, taken, written = ActivationLoader(config), [0], []

    async def bench(ctx) -> None:
        ctx.set(dut.command.payload, command | {"beats": len(beats) + change})
        for port in (dut.command.valid, dut.i.valid, dut.write_grant):
            ctx.set(port, 1)
        while not ctx.get(dut.mismatch):
            await ctx.tick()
            taken[0] += ctx.get(dut.i.ready)
            written.append(ctx.get(dut.write))
        assert ctx.get(dut.command.ready) == (change > 0)

    simulate(dut, bench)
    assert taken[0] == len(beats) + min(change, 0)
    assert sum(written) <= len(expected)


def run_stores(config, stores, memory, rng=None, latency=5):
    """Run stores into a bus that acknowledges late; beats, cycles of beats, commands' ends."""
    dut, out, cycles, ends = ActivationStorer(config), [], [], []
    reads = []

    async def monitor(ctx) -> None:
        cycle, pending, word = 0, [], None
        while len(ends) < len(stores):
            ctx.set(dut.read_word, rng.getrandbits(8 * config.rows) if word is None and rng
                    else word or 0)
            ctx.set(dut.read_grant, not rng or rng.random() < 0.7)
            ctx.set(dut.o.ready, not rng or rng.random() < 0.7)
            ctx.set(dut.written, not pending)
            _, _, read, grant, address, valid, ready, beat, done, last = await ctx.tick().sample(
                dut.read, dut.read_grant, dut.read_address, dut.o.valid, dut.o.ready,
                dut.o.payload, dut.command.ready, dut.done_reading)
            cycle += 1
            word = memory[address] if read and grant else None
            reads.extend([address] if read and grant else [])
            assert not last or sum(command["words"] for command, _ in stores[:len(ends) + 1]) \
                == len(reads)
            pending = [time for time in pending if time > cycle]
            if valid and ready:
                out.append(beat)
                cycles.append(cycle)
                pending.append(cycle + latency)
            if done:
                assert not pending
                ends.append(cycle)

    simulate(dut, sender(dut.command, [command for command, _ in stores], rng), monitor)
    return out, cycles, ends


def store_of(config, memory, base, words):
    content = b"".join(word.to_bytes(config.rows, "little") for word in memory[base:base + words])
    beats = beats_of(config, content)
    return {"base": base, "words": words, "beats": len(beats)}, beats


@pytest.mark.parametrize("name", CONFIGS)
def test_store(name: str) -> None:
    config, rng = CONFIGS[name], random.Random(name)
    memory = [rng.getrandbits(8 * config.rows) for _ in range(100)]
    stores = [store_of(config, memory, base, words)
              for base, words in ((3, 1), (0, 64), (30, rng.randint(1, 30)), (17, 16))]
    out, _, ends = run_stores(config, stores, memory, rng)
    assert len(out) == sum(len(beats) for _, beats in stores) and len(ends) == len(stores)
    for command, beats in stores:
        # What lies in the last beat beyond the last word is arbitrary.
        used = 8 * config.rows * command["words"] - config.bus_width * (len(beats) - 1)
        mask = (1 << used) - 1
        assert out[:len(beats) - 1] == beats[:-1]
        assert out[len(beats) - 1] & mask == beats[-1] & mask
        out = out[len(beats):]


@pytest.mark.parametrize(("rows", "bus_width"),
                         [(8, 64), (1, 64), (6, 64), (32, 64), (32, 128), (8, 512), (8, 1024)])
def test_store_takes_a_cycle_a_word_or_a_beat(rows: int, bus_width: int) -> None:
    config = config_of(1, 2, rows, 1, 1, 1, bus_width=bus_width)
    memory = list(range(1, 161))
    stores = [store_of(config, memory, base, 64) for base in (0, 80)]
    out, at, ends = run_stores(config, stores, memory, latency=1)
    assert out == [beat for _, beats in stores for beat in beats]
    beats = len(stores[0][1])
    words_of_beat = -(-config.beat_bytes // rows)
    assert at[0] == 4 + words_of_beat
    assert at[beats - 1] - at[0] == max(64 - words_of_beat, beats - 1)
    assert ends[0] == at[beats - 1] + 2
    assert at[beats] - ends[0] == 4 + words_of_beat
