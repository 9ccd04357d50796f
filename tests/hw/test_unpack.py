"""The unpacker against the definition of a bit stream."""

import random

import pytest
from amaranth.sim import Simulator

from vqrom_hw.errors import VqromError
from vqrom_hw.unpack import Unpacker


def run_packets(in_width, out_width, packets, seed):
    """Feed packets of items with random gaps on both sides; return the items that come out."""
    dut, out, rng = Unpacker(in_width, out_width), [], random.Random(seed)

    async def lengths(ctx):
        for items in packets:
            ctx.set(dut.length.payload, len(items))
            ctx.set(dut.length.valid, 1)
            await ctx.tick().until(dut.length.ready)
            ctx.set(dut.length.valid, 0)

    async def beats(ctx):
        for items in packets:
            bits = sum(item << (position * out_width) for position, item in enumerate(items))
            for beat in range(-(-len(items) * out_width // in_width)):
                while rng.random() < 0.3:
                    await ctx.tick()
                ctx.set(dut.i.payload, (bits >> (beat * in_width)) & ((1 << in_width) - 1))
                ctx.set(dut.i.valid, 1)
                await ctx.tick().until(dut.i.ready)
                ctx.set(dut.i.valid, 0)

    async def collect(ctx):
        while len(out) < sum(map(len, packets)):
            ctx.set(dut.o.ready, rng.random() < 0.7)
            _, _, valid, ready, payload = await ctx.tick().sample(
                dut.o.valid, dut.o.ready, dut.o.payload)
            if valid and ready:
                out.append(payload)

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    for bench in (lengths, beats, collect):
        simulator.add_testbench(bench)
    simulator.run()
    return out


@pytest.mark.parametrize(("in_width", "out_width"),
                         [(64, 8), (64, 64), (64, 13), (16, 40), (8, 1), (64, 512), (128, 72),
                          (1, 3)])
def test_items_come_out_whole_and_in_order(in_width, out_width):
    rng = random.Random(out_width)
    packets = [[rng.getrandbits(out_width) for _ in range(length)] for length in (1, 5, 2, 17, 1)]
    out = run_packets(in_width, out_width, packets, seed=in_width)
    assert out == [item for items in packets for item in items]


def test_width_wrong():
    with pytest.raises(VqromError, match=r"^out_width must be a positive integer, not 0$"):
        Unpacker(8, 0)
