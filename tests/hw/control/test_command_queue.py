"""Command queues: order, room, and commands that wait for units."""

import random

import pytest
from amaranth.hdl import unsigned
from amaranth.lib import data

from tests.hw.simulation import receiver, sender, simulate
from vqrom_hw.control import CommandQueue
from vqrom_hw.isa import Unit
from vqrom_hw.memory import TransferRequest

BODY = data.StructLayout({"value": unsigned(8)})


def entry(number, **wait):
    return {"position": number, "layer": number % 5, "wait": wait, "body": {"value": number}}


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_keeps_order(depth):
    rng, out = random.Random(depth), []
    dut = CommandQueue(BODY, depth)
    simulate(dut, sender(dut.i, [entry(number) for number in range(20)], rng),
             receiver(dut.o, 20, out, rng))
    assert [(one.position, one.layer, one.body.value) for one in out] == [
        (number, number % 5, number) for number in range(20)]


@pytest.mark.parametrize("unit", Unit)
def test_waits_for_each_unit(unit):
    dut, name = CommandQueue(BODY, 2), unit.name.lower()

    async def bench(ctx):
        ctx.set(dut.completed[name], 0xFFFE)
        assert ctx.get(dut.empty)
        ctx.set(dut.i.payload, entry(7, **{name: 1}))
        ctx.set(dut.i.valid, 1)
        await ctx.tick()
        ctx.set(dut.i.valid, 0)
        # Counts are modulo 2**16: 0xFFFE and 0 are behind 1, 1 and 2 are not.
        for completed, ready in ((0xFFFE, 0), (0, 0), (1, 1), (2, 1), (0x8000, 1), (0x8002, 0)):
            ctx.set(dut.completed[name], completed)
            await ctx.delay(1e-8)
            assert (ctx.get(dut.o.valid), ctx.get(dut.empty)) == (ready, 0), completed

    simulate(dut, bench)


def test_without_waits_counts_do_not_matter():
    dut, out = CommandQueue(BODY, 2, waits=False), []
    simulate(dut, sender(dut.i, [entry(1, load=9)]), receiver(dut.o, 1, out))
    assert out[0].body.value == 1


def test_a_transfer_is_requested_once():
    dut, log = TransferRequest(), []

    async def bench(ctx):
        for begin, accepted, finish in ((0, 1, 0), (1, 0, 0), (1, 1, 0), (1, 1, 0), (1, 0, 1),
                                        (1, 1, 0), (1, 1, 1), (0, 0, 0)):
            ctx.set(dut.begin, begin)
            ctx.set(dut.accepted, accepted)
            ctx.set(dut.finish, finish)
            await ctx.delay(1e-8)
            log.append((ctx.get(dut.request), ctx.get(dut.requested)))
            await ctx.tick()

    simulate(dut, bench)
    assert log == [(0, 0), (1, 0), (1, 0), (0, 1), (0, 1), (1, 0), (0, 1), (0, 0)]
