"""Lanes that results move to, and lanes that are written."""

import pytest
from amaranth.hdl import Module, Signal

from tests.hw.simulation import simulate
from vqrom_hw.vector.place import lane_mask, rotated


@pytest.mark.parametrize("rows", [1, 2, 6, 8, 11])
def test_every_rotation_and_every_mask(rows: int) -> None:
    m = Module()
    word, rotation, first, lanes = (Signal(width) for width in (8 * rows, 8, 8, 9))
    result, mask = Signal(8 * rows), Signal(rows)
    m.d.comb += [result.eq(rotated(word, rotation, rows)),
                 mask.eq(lane_mask(first, lanes, rows))]
    content = bytes(range(17, 17 + rows))

    async def bench(ctx) -> None:
        ctx.set(word, int.from_bytes(content, "little"))
        for moved in range(rows):
            ctx.set(rotation, moved)
            await ctx.delay(1e-7)
            placed = ctx.get(result).to_bytes(rows, "little")
            assert all(placed[(lane + moved) % rows] == content[lane] for lane in range(rows))
        for begin in range(rows):
            for count in range(rows - begin + 1):
                ctx.set(first, begin)
                ctx.set(lanes, count)
                await ctx.delay(1e-7)
                written = [bool(ctx.get(mask) >> lane & 1) for lane in range(rows)]
                end = begin + count if count else rows
                assert written == [begin <= lane < end for lane in range(rows)]

    # A design without a register has no clock to wait for.
    clock = Signal()
    m.d.sync += clock.eq(~clock)
    simulate(m, bench)
