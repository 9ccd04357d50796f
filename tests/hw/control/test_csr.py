"""Registers over AXI4-Lite, and the counters behind them."""

import random

import pytest

from tests.hw.simulation import simulate
from vqrom_hw.control import Counters, CsrBlock, csr
from vqrom_hw.control.counters import INCREMENT_BITS
from vqrom_hw.isa import (
    COUNTERS,
    DECLARED,
    IDENTIFIER,
    REGISTERS,
    VERSION,
    ErrorCode,
    Register,
    csr_map,
)

DIGEST = bytes(range(32)).hex()
MAP = csr_map()


async def write(ctx, dut, name, value):
    ctx.set(dut.awaddr, MAP[name]["offset"])
    ctx.set(dut.wdata, value)
    for port in (dut.awvalid, dut.wvalid, dut.bready):
        ctx.set(port, 1)
    await ctx.tick().until(dut.awready & dut.wready)
    ctx.set(dut.awvalid, 0)
    ctx.set(dut.wvalid, 0)
    assert ctx.get(dut.bvalid) and ctx.get(dut.bresp) == 0
    await ctx.tick()
    assert not ctx.get(dut.bvalid)


async def read(ctx, dut, offset):
    ctx.set(dut.araddr, offset)
    ctx.set(dut.arvalid, 1)
    await ctx.tick().until(dut.arready)
    ctx.set(dut.arvalid, 0)
    ctx.set(dut.rready, 0)
    await ctx.tick().repeat(2)  # the answer stays until it is taken
    assert ctx.get(dut.rvalid) and ctx.get(dut.rresp) == 0
    value = ctx.get(dut.rdata)
    ctx.set(dut.rready, 1)
    await ctx.tick()
    assert not ctx.get(dut.rvalid)
    return value


def run(test):
    dut = CsrBlock()

    async def bench(ctx):
        await test(ctx, dut)

    simulate(dut, bench)


def test_offsets_are_words_of_their_own():
    offsets = [register["offset"] for register in MAP.values()]
    assert all(offset % 4 == 0 and offset < 1 << 12 for offset in offsets)
    taken = [word for name, register in MAP.items()
             for word in range(register["offset"],
                               register["offset"] + (8 if name.startswith("counter") else 4), 4)]
    assert len(taken) == len(set(taken))


def test_identity_and_hash():
    async def test(ctx, dut):
        assert await read(ctx, dut, 0) == IDENTIFIER == int.from_bytes(b"MRQV", "little")
        ctx.set(dut.codebook_sha256, int.from_bytes(bytes.fromhex(DIGEST), "little"))
        words = [await read(ctx, dut, MAP[f"codebook_sha256_{word}"]["offset"])
                 for word in range(8)]
        assert b"".join(word.to_bytes(4, "little") for word in words).hex() == DIGEST
        assert await read(ctx, dut, MAP["version"]["offset"]) == VERSION
        taken = {word for register in REGISTERS.values() for word in range(
            register.offset, register.offset + register.width // 8, 4)}
        for offset in sorted({*range(0, 0x100, 4), 0xFFC} - taken):
            assert await read(ctx, dut, offset) == 0, "no register"
    run(test)


def test_registers_keep_what_is_written():
    async def test(ctx, dut):
        names = [name for name, register in MAP.items()
                 if register["access"] == "rw" and name != "control"]
        values = {name: 0x1000 * number + 64 for number, name in enumerate(names)}
        for name, value in values.items():
            await write(ctx, dut, name, value)
        for name, value in values.items():
            assert await read(ctx, dut, MAP[name]["offset"]) == value
        await write(ctx, dut, "id", 7)
        assert await read(ctx, dut, 0) == IDENTIFIER, "read-only"
    run(test)


def test_start_and_interrupt():
    async def test(ctx, dut):
        async def pulse(port):
            ctx.set(port, 1)
            await ctx.tick()
            ctx.set(port, 0)
            await ctx.tick()

        await write(ctx, dut, "control", 0b11)
        # `start` is a pulse in the cycle after the write is taken.
        assert not ctx.get(dut.start)
        ctx.set(dut.busy, 1)
        assert await read(ctx, dut, MAP["status"]["offset"]) == 0b001
        assert not ctx.get(dut.interrupt)
        await pulse(dut.done)
        ctx.set(dut.busy, 0)
        assert ctx.get(dut.interrupt)
        assert await read(ctx, dut, MAP["status"]["offset"]) == 0b010
        await write(ctx, dut, "control", 0b110)
        assert not ctx.get(dut.interrupt)
        await pulse(dut.failed)
        assert ctx.get(dut.interrupt)
        assert await read(ctx, dut, MAP["status"]["offset"]) == 0b100
        await write(ctx, dut, "control", 0b001)
        assert not ctx.get(dut.interrupt), "not enabled, and a start clears"
        assert await read(ctx, dut, MAP["status"]["offset"]) == 0
    run(test)


def test_error_says_what_and_where():
    async def test(ctx, dut):
        ctx.set(dut.error, {"code": ErrorCode.DRAM_RANGE, "position": 1234})
        assert await read(ctx, dut, MAP["error_code"]["offset"]) == ErrorCode.DRAM_RANGE
        assert await read(ctx, dut, MAP["error_command"]["offset"]) == 1234
        ctx.set(dut.layer, 0xABC)
        assert await read(ctx, dut, MAP["layer"]["offset"]) == 0xABC
    run(test)


def test_decoder_follows_the_declaration(monkeypatch):
    monkeypatch.setattr(csr, "DECLARED", tuple(
        Register("layer", 0x01C, "ro", "moved") if declared.name == "layer" else declared
        for declared in DECLARED))

    async def test(ctx, dut):
        ctx.set(dut.layer, 0xABC)
        assert await read(ctx, dut, 0x01C) == 0xABC
        assert await read(ctx, dut, MAP["layer"]["offset"]) == 0
    run(test)


def test_refuses_a_declaration_without_hardware(monkeypatch):
    mode = Register("mode", 0x01C, "rw", "not in the hardware")
    with monkeypatch.context() as patch, pytest.raises(KeyError, match="mode"):
        patch.setattr(csr, "DECLARED", (*DECLARED, mode))
        CsrBlock().elaborate(None)
    with monkeypatch.context() as patch, pytest.raises(KeyError, match="mode"):
        patch.setattr(csr, "REGISTERS", REGISTERS | {"mode": mode})
        CsrBlock().elaborate(None)


def test_start_is_one_pulse_and_none_while_busy():
    dut, pulses = CsrBlock(), []

    async def host(ctx):
        await write(ctx, dut, "control", 1)
        ctx.set(dut.busy, 1)
        await write(ctx, dut, "control", 1)
        await ctx.tick().repeat(3)
        pulses.append(None)

    async def watch(ctx):
        while None not in pulses:
            if ctx.get(dut.start):
                pulses.append(1)
            await ctx.tick()

    simulate(dut, host, watch)
    assert pulses == [1, None]


def test_counters_are_readable_in_two_halves():
    async def test(ctx, dut):
        values = {name: (number + 1) << 30 | number for number, name in enumerate(COUNTERS)}
        for name, value in values.items():
            ctx.set(dut.counters[name], value)
        for number, name in enumerate(COUNTERS):
            offset = MAP[f"counter_{name}"]["offset"]
            low = await read(ctx, dut, offset)
            high = await read(ctx, dut, offset + 4)
            assert high << 32 | low == values[name]
            assert offset == MAP["counter_cycles"]["offset"] + 8 * number
    run(test)


def test_counters_add_and_clear():
    dut, rng, totals = Counters(), random.Random(3), dict.fromkeys(COUNTERS, 0)

    async def bench(ctx):
        for _ in range(50):
            for name in COUNTERS:
                value = rng.getrandbits(INCREMENT_BITS)
                ctx.set(dut.increments[name], value)
                totals[name] += value
            await ctx.tick()
        assert {name: ctx.get(dut.values[name]) for name in COUNTERS} == totals
        ctx.set(dut.clear, 1)
        await ctx.tick()
        assert not any(ctx.get(dut.values[name]) for name in COUNTERS)

    simulate(dut, bench)
