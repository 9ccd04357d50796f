"""Packets of a depthwise layer: parameters and weights, in the cycles that beats and words take."""

import random

import pytest

from tests.hw.memory.test_load_store import beats_of
from tests.hw.simulation import config_of, pack_bytes, sender, signed_bytes, simulate
from tests.hw.vector.fed import Fed
from vqrom_hw.vector.depthwise_store import DepthwiseStore


@pytest.mark.parametrize(("rows", "bus_width", "taps", "columns"), [
    (1, 64, 1, 1), (6, 64, 9, 1), (8, 64, 49, 1), (32, 64, 3, 3), (8, 512, 6, 2), (6, 64, 12, 3)])
@pytest.mark.parametrize("gaps", [False, True])
def test_store(rows: int, bus_width: int, taps, columns, gaps: bool) -> None:
    config = config_of(1, 2, rows, 1, 1, 1, bus_width=bus_width, vector_columns=columns)
    dut, rng = DepthwiseStore(config), random.Random(taps)
    fed = Fed(config, dut)
    commands = [([{"bias": rng.randint(-(1 << 31), (1 << 31) - 1),
                   "multiplier": rng.getrandbits(31), "shift": rng.randint(-31, 7)}
                  for _ in range(rows)], [signed_bytes(rng, rows) for _ in range(taps)])
                for _ in range(2)]
    beats = []
    for parameters, weights in commands:
        beats += beats_of(config, b"".join(
            one["bias"].to_bytes(4, "little", signed=True)
            + one["multiplier"].to_bytes(4, "little")
            + one["shift"].to_bytes(1, "little", signed=True) for one in parameters))
        beats += beats_of(config, bytes(byte & 0xFF for weight in weights for byte in weight))

    async def bench(ctx) -> None:
        for parameters, weights in commands:
            ctx.set(dut.taps, taps)
            ctx.set(dut.columns, columns)
            ctx.set(dut.start, 1)
            cycles = 1
            while not ctx.get(dut.done):
                await ctx.tick()
                ctx.set(dut.start, 0)
                cycles += 1
            await ctx.tick()
            words = [max(count, -(-count * rows // config.beat_bytes)) for count in (9, taps)]
            assert gaps or cycles == sum(words) + 2
            for lane, one in enumerate(parameters):
                for name, value in one.items():
                    assert ctx.get(dut.parameters[lane][name]) == value
            for tap, weight in enumerate(weights):
                ctx.set(dut.tap, tap // columns)
                ctx.set(dut.enable, 1)
                await ctx.tick()
                ctx.set(dut.enable, 0)
                ctx.set(dut.tap, 0)
                await ctx.tick()
                assert ctx.get(dut.weights[tap % columns]) == pack_bytes(weight)

    simulate(fed, sender(fed.i, beats, rng if gaps else None), bench)
