"""What tests of components share: a clock, a deadline, streams with gaps, small configurations."""

import random

from amaranth.sim import Simulator

from vqrom_hw.config import AcceleratorConfig


def simulate(dut, *benches, cycles=20_000):
    """Run testbenches until all have ended; hardware that hangs fails instead of running on."""
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    for bench in benches:
        simulator.add_testbench(bench)
    # Two steps are one clock cycle.
    assert any(not simulator.advance() for _ in range(2 * cycles)), f"no end in {cycles} cycles"


def sender(stream, items, rng=None):
    """A testbench that offers items one after the other, with random gaps if given a generator."""
    async def bench(ctx):
        for item in items:
            while rng and rng.random() < 0.3:
                await ctx.tick()
            ctx.set(stream.payload, item)
            ctx.set(stream.valid, 1)
            await ctx.tick().until(stream.ready)
            ctx.set(stream.valid, 0)
    return bench


def receiver(stream, count, out, rng=None):
    """A testbench that takes ``count`` items into a list, not ready at random."""
    async def bench(ctx):
        while len(out) < count:
            ctx.set(stream.ready, rng is None or rng.random() < 0.7)
            _, _, valid, ready, payload = await ctx.tick().sample(
                stream.valid, stream.ready, stream.payload)
            if valid and ready:
                out.append(payload)
        ctx.set(stream.ready, 0)
    return bench


def config_of(subvector=4, codewords=256, rows=8, columns=4, decode_ports=2, post_lanes=2,
              **others):
    """A small configuration; buffers are as large as components need, not networks."""
    return AcceleratorConfig(**{
        "name": "small", "subvector": subvector, "codewords": codewords, "rows": rows,
        "columns": columns, "decode_ports": decode_ports, "post_lanes": post_lanes,
        "bus_width": 64, "activation_words": 64, "accumulator_depth": 8, "max_burst_beats": 8,
        "weight_fifo_beats": 16, "parameter_fifo_beats": 8} | others)


SHAPES = {
    "one PE, one bit": config_of(1, 2, 1, 1, 1, 1),
    "one group": config_of(8, 3, 8, 4, 4, 2),
    "one column": config_of(2, 20, 6, 1, 3, 1),
    "wide codeword": config_of(16, 100, 32, 2, 2, 1),
    "usual": config_of(),
    "square": config_of(4, 5, 4, 4, 1, 4),
}
"""Degenerate arrays and a usual one; index widths 1, 2, 5, 7, 8, 3."""


def signed_bytes(rng: random.Random, count: int) -> list[int]:
    """int8 values, the extremes among them."""
    return [rng.choice([-128, 127, rng.randint(-128, 127)]) for _ in range(count)]


def pack_bytes(values) -> int:
    """int8 values as one word, the first lowest."""
    return int.from_bytes(bytes(value & 0xFF for value in values), "little")


def unpack_bytes(word: int, count: int) -> list[int]:
    """Undo :func:`pack_bytes`."""
    return [byte - 256 if byte > 127 else byte for byte in word.to_bytes(count, "little")]
