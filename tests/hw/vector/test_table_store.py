"""Tables as packets of words: what is looked up, and how long loading takes."""

import random

import pytest

from tests.hw.memory.test_load_store import beats_of
from tests.hw.simulation import config_of, sender, signed_bytes, simulate, unpack_bytes
from tests.hw.vector.fed import Fed
from vqrom_hw.vector.table_store import TableStore

SHAPES = [(1, 1, 64), (6, 2, 64), (6, 6, 128), (8, 2, 512), (32, 8, 64), (16, 1, 1024)]
"""Lanes of a word, lanes of the finisher, bits of the bus."""

TOGETHER = {(1, 1): 1, (6, 2): 2, (6, 6): 1, (8, 2): 4, (32, 8): 4, (16, 1): 16}
"""Entries of one table for all lanes that are stored in a cycle, by lanes of word and finisher."""


def packet_of(tables, rows):
    """Tables as docs/hw/commands.md lays them out."""
    if len(tables) == rows > 1:
        return bytes(table[entry] & 0xFF for entry in range(256) for table in tables)
    return bytes(byte & 0xFF for byte in tables[0]).ljust(-(-256 // rows) * rows, b"\0")


def load_cycles(lane_tables: bool, rows: int, beat_bytes: int, together: int) -> int:
    """Cycles from the first word to the last entry."""
    if lane_tables:
        return max(256, 256 * rows // beat_bytes)
    return 256 // together + -(-256 // rows) * (-(-rows // beat_bytes) - 1)


@pytest.mark.parametrize("kind", ["shared", "lane"])
@pytest.mark.parametrize(("rows", "lanes", "bus_width"), SHAPES)
@pytest.mark.parametrize("gaps", [False, True])
def test_looks_up_what_was_loaded(rows: int, lanes: int, bus_width: int, kind, gaps: bool) -> None:
    config = config_of(1, 2, rows, 1, 1, 1, vector_lanes=lanes, bus_width=bus_width,
                       vector_tables=kind)
    dut, rng = TableStore(config), random.Random(rows)
    fed = Fed(config, dut)
    counts = [1, rows, 1] if kind == "lane" else [1, 1]
    commands = [[signed_bytes(rng, 256) for _ in range(count)] for count in counts]
    beats = [beat for tables in commands for beat in beats_of(config, packet_of(tables, rows))]

    async def load(ctx, tables) -> int:
        ctx.set(dut.lane_tables, len(tables) > 1)
        ctx.set(dut.start, 1)
        cycles = 1
        while not ctx.get(dut.done):
            await ctx.tick()
            ctx.set(dut.start, 0)
            cycles += 1
        await ctx.tick()
        return cycles

    async def bench(ctx) -> None:
        for tables in commands:
            cycles = await load(ctx, tables)
            assert gaps or cycles - 1 == load_cycles(
                len(tables) > 1, rows, config.beat_bytes, TOGETHER[rows, lanes])
            for step in range(rows // lanes):
                for value in (-128, 127, *signed_bytes(rng, 6)):
                    values = [max(-128, value - lane) for lane in range(lanes)]
                    for lane, byte in enumerate(values):
                        ctx.set(dut.x[lane], byte & 0xFF)
                    ctx.set(dut.step, step)
                    ctx.set(dut.enable, 1)
                    await ctx.tick()
                    ctx.set(dut.enable, 0)
                    ctx.set(dut.step, 0)
                    ctx.set(dut.x[0], rng.getrandbits(8))
                    await ctx.tick()
                    assert [unpack_bytes(ctx.get(dut.y[lane]), 1)[0] for lane in range(lanes)] == [
                        tables[(step * lanes + lane) % len(tables)][byte + 128]
                        for lane, byte in enumerate(values)]

    simulate(fed, sender(fed.i, beats, rng if gaps else None), bench)
