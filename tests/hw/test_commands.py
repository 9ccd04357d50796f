"""Commands: fields where the layout says, values that fit; and the processor that runs them."""

import random

import pytest
from amaranth.lib import data

from tests.hw.simulation import sender, simulate
from vqrom_hw.command_processor import CommandProcessor
from vqrom_hw.commands import COMMAND_BYTES, Opcode, Region, Stream, command_layout, pack_command
from vqrom_hw.errors import VqromError


def leaves(layout, path=()):
    """Every scalar of a layout: path, first bit, shape."""
    for key, field in layout:
        if isinstance(field.shape, data.Layout):
            for inner, offset, shape in leaves(field.shape, (*path, key)):
                yield inner, offset + field.offset, shape
        else:
            yield (*path, key), field.offset, field.shape


def nested(path, value) -> dict:
    """Keyword arguments that set one leaf; list items before it are empty records."""
    for key in reversed(path[1:]):
        value = [{}] * key + [value] if isinstance(key, int) else {key: value}
    return {path[0]: value}


def test_layout_fits_a_command():
    assert command_layout.size <= 8 * COMMAND_BYTES


@pytest.mark.parametrize(("path", "offset", "shape"), list(leaves(command_layout)),
                         ids=lambda value: ".".join(map(str, value))
                         if isinstance(value, tuple) else "")
def test_each_field_is_where_the_layout_says(path, offset, shape):
    low = -(1 << shape.width - 1) if shape.signed else 0
    high = low + (1 << shape.width) - 1
    for value in (low, high):
        packed = int.from_bytes(pack_command(**nested(path, value)), "little")
        assert packed == (value & (1 << shape.width) - 1) << offset
    for wrong in (low - 1, high + 1):
        with pytest.raises(VqromError, match=f"must be in {low}..{high}, not {wrong}"):
            pack_command(**nested(path, wrong))


def test_wrong_commands():
    for fields, rule in (({"colour": 1}, "no field 'colour'"), ({"nest": 3}, "must be a record"),
                         ({"nest": {"levels": [{}] * 7}}, "short enough list"),
                         ({"post": {"speed": 1}}, "no field post.'speed'")):
        with pytest.raises(VqromError, match=rule):
            pack_command(**fields)


def beats_of(commands, bus_width):
    content = b"".join(pack_command(**command) for command in commands)
    size = bus_width // 8
    return [int.from_bytes(content[first:first + size], "little")
            for first in range(0, len(content), size)]


PROGRAM = [
    {"opcode": Opcode.FETCH, "stream": Stream.INDEX, "offset": 0x40, "beats": 3, "layer": 1},
    {"opcode": Opcode.FETCH, "stream": Stream.RAW_WEIGHT, "offset": 0x80, "beats": 4},
    {"opcode": Opcode.FETCH, "stream": Stream.PARAMETER, "offset": 0xC0, "beats": 5},
    {"opcode": Opcode.LOAD, "region": Region.INPUT, "beats": 7, "layer": 2},
    {"opcode": Opcode.COMPUTE, "fills": 9, "layer": 3},
    {"opcode": Opcode.STORE, "region": Region.OUTPUT, "offset": 0x10, "beats": 2, "layer": 4},
    {"opcode": Opcode.END, "layer": 5},
]


@pytest.mark.parametrize("bus_width", [64, 128, 256, 512])
def test_processor_runs_a_program(bus_width):
    """Order of everything it does, and absolute addresses; then the same once more."""
    dut, rng, log = CommandProcessor(bus_width), random.Random(bus_width), []
    bases = {Region.CONSTANT: 0x1000, Region.INPUT: 0x2000, Region.OUTPUT: 0x3000}

    async def host(ctx):
        for region, base in bases.items():
            ctx.set(dut.bases[region], base)
        for _ in range(2):
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            while not ctx.get(dut.done):
                ready = rng.random() < 0.5
                ctx.set(dut.fetch_weights_ready, ready)
                ctx.set(dut.fetch_parameters_ready, ready)
                ctx.set(dut.finished, ctx.get(dut.running) and rng.random() < 0.4)
                request = ctx.get(dut.request)
                where = request.address, request.beats, request.tag
                if ctx.get(dut.fetch_weights) and ready:
                    log.append(("weights", *where))
                if ctx.get(dut.fetch_parameters) and ready:
                    log.append(("parameters", *where[:2]))
                if ctx.get(dut.begin):
                    log.append(("begin", ctx.get(dut.command.opcode), *where[:2]))
                if ctx.get(dut.retire):
                    log.append(("retire", ctx.get(dut.command.layer)))
                assert ctx.get(dut.busy) and not ctx.get(dut.failed)
                await ctx.tick()
            log.append(("done", ctx.get(dut.command.layer)))
            await ctx.tick()
            assert not ctx.get(dut.busy)

    simulate(dut, host, sender(dut.i, 2 * beats_of(PROGRAM, bus_width), rng))
    once = [
        ("weights", 0x1040, 3, 0), ("retire", 1), ("weights", 0x1080, 4, 1), ("retire", 0),
        ("parameters", 0x10C0, 5), ("retire", 0), ("begin", Opcode.LOAD, 0x2000, 7), ("retire", 2),
        ("begin", Opcode.COMPUTE, 0x1000, 0), ("retire", 3),
        ("begin", Opcode.STORE, 0x3010, 2), ("retire", 4), ("done", 5)]
    assert log == 2 * once


@pytest.mark.parametrize("cause", ["opcode", "bus"])
def test_processor_stops_at_an_error(cause):
    dut, seen = CommandProcessor(512), []
    program = [{"opcode": 15}] if cause == "opcode" else PROGRAM

    async def host(ctx):
        ctx.set(dut.start, 1)
        await ctx.tick()
        ctx.set(dut.start, 0)
        if cause == "bus":
            ctx.set(dut.bus_error, 1)
            await ctx.tick()
            ctx.set(dut.bus_error, 0)
        for _ in range(10):
            seen.append((ctx.get(dut.failed), ctx.get(dut.begin), ctx.get(dut.done)))
            await ctx.tick()
        assert not ctx.get(dut.busy)

    beats = beats_of(program, 512)
    simulate(dut, host, sender(dut.i, beats if cause == "opcode" else []))
    assert [failed for failed, _, _ in seen].count(1) == 1
    assert not any(begun or done for _, begun, done in seen)
