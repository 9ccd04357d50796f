"""What tests of components share: a clock, a deadline, streams with gaps, and small
configurations."""

import random
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from amaranth.hdl import Elaboratable
from amaranth.lib import stream as streams
from amaranth.sim import Simulator

from vqrom_hw.config import AcceleratorConfig

Bench = Callable[[Any], Awaitable[None]]
"""A testbench: a function of Amaranth's simulation context."""


def simulate(dut: Elaboratable, *benches: Bench, cycles: int = 20_000) -> None:
    """Run testbenches on a component until all of them have ended.

    Hardware that hangs fails after ``cycles`` clock cycles instead of running on.
    """
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    for bench in benches:
        simulator.add_testbench(bench)
    # Two steps are one clock cycle.
    assert any(not simulator.advance() for _ in range(2 * cycles)), f"no end in {cycles} cycles"


def sender(stream: streams.Interface, items: Iterable[Any],
           rng: random.Random | None = None) -> Bench:
    """A testbench that offers items one after the other, with random gaps if given a generator."""
    async def bench(ctx: Any) -> None:
        for item in items:
            while rng and rng.random() < 0.3:
                await ctx.tick()
            ctx.set(stream.payload, item)
            ctx.set(stream.valid, 1)
            await ctx.tick().until(stream.ready)
            ctx.set(stream.valid, 0)
    return bench


def receiver(stream: streams.Interface, count: int, out: list[Any],
             rng: random.Random | None = None) -> Bench:
    """A testbench that takes ``count`` items into a list, with random pauses if given a generator.
    """
    async def bench(ctx: Any) -> None:
        while len(out) < count:
            ctx.set(stream.ready, rng is None or rng.random() < 0.7)
            _, _, valid, ready, payload = await ctx.tick().sample(
                stream.valid, stream.ready, stream.payload)
            if valid and ready:
                out.append(payload)
        ctx.set(stream.ready, 0)
    return bench


def config_of(subvector: int = 4, codewords: int = 256, rows: int = 8, columns: int = 4,
              decode_ports: int = 2, post_lanes: int = 2, **others: Any) -> AcceleratorConfig:
    """A small configuration, whose buffers are as large as a component needs, not a network.

    Parameters
    ----------
    others:
        Any other members of the configuration, in place of the small ones.
    """
    return AcceleratorConfig(**{
        "name": "small", "subvector": subvector, "codewords": codewords, "rows": rows,
        "columns": columns, "decode_ports": decode_ports, "post_lanes": post_lanes,
        "bus_width": 64, "activation_words": 64, "accumulator_depth": 8, "max_burst_beats": 8,
        "weight_fifo_beats": 16, "parameter_fifo_beats": 8} | others)


SHAPES = {
    "one PE, one bit": config_of(1, 2, 1, 1, 1, 1),
    "one PE row": config_of(8, 3, 8, 4, 4, 2),
    "one column": config_of(2, 20, 6, 1, 3, 1),
    "wide codeword": config_of(16, 100, 32, 2, 2, 1),
    "usual": config_of(),
    "square": config_of(4, 5, 4, 4, 1, 4),
}
"""Arrays that are degenerate in one way each, and a usual one; index widths 1, 2, 5, 7, 8, 3."""


def signed_bytes(rng: random.Random, count: int) -> list[int]:
    """Random int8 values, the extremes often among them."""
    return [rng.choice([-128, 127, rng.randint(-128, 127)]) for _ in range(count)]


def pack_bytes(values: Iterable[int]) -> int:
    """Pack int8 values into one word, the first one lowest."""
    return int.from_bytes(bytes(value & 0xFF for value in values), "little")


def unpack_bytes(word: int, count: int) -> list[int]:
    """The ``count`` int8 values that :func:`pack_bytes` made ``word`` of."""
    return [byte - 256 if byte > 127 else byte for byte in word.to_bytes(count, "little")]
