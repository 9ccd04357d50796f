"""Registers over AXI4-Lite, and the counters behind them."""

import random

import pytest

from tests.hw.simulation import simulate
from vqrom_hw.control import Counters, CsrBlock, csr
from vqrom_hw.isa import (
    COUNTERS,
    DECLARED,
    IDENTIFIER,
    REGISTERS,
    VERSION,
    WATCHDOG_CYCLES,
    ErrorCode,
    Register,
    csr_map,
)

DIGEST = bytes(range(32)).hex()
MAP = csr_map()


async def write(ctx, dut, name, value, strobes=0xF, data_first=0):
    """Write a register; the address comes ``data_first`` cycles after the data, or before them."""
    ctx.set(dut.awaddr, MAP[name]["offset"])
    ctx.set(dut.wdata, value)
    ctx.set(dut.wstrb, strobes)
    ctx.set(dut.bready, 1)
    offers = [(dut.awvalid, dut.awready), (dut.wvalid, dut.wready)]
    early, late = offers if data_first <= 0 else reversed(offers)
    assert ctx.get(early[1]) and ctx.get(late[1]), "ready before valid"
    ctx.set(early[0], 1)
    for _ in range(abs(data_first)):
        await ctx.tick()
        ctx.set(early[0], 0)
        assert not ctx.get(early[1]) and ctx.get(late[1]), "one is held"
    ctx.set(late[0], 1)
    await ctx.tick()
    ctx.set(early[0], 0)
    ctx.set(late[0], 0)
    while not ctx.get(dut.bvalid):
        await ctx.tick()
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


@pytest.mark.parametrize("data_first", [-3, -1, 0, 1, 3])
def test_bytes_without_strobe_stay(data_first):
    """Whichever of address and data comes first."""
    async def test(ctx, dut):
        offset = MAP["base_scratch"]["offset"]
        value = 0x11223344
        await write(ctx, dut, "base_scratch", value, data_first=data_first)
        for strobes in (0b0001, 0b0110, 0b1000, 0, 0b1111):
            word = 0xA0B0C0D0 + strobes
            await write(ctx, dut, "base_scratch", word, strobes, data_first)
            mask = sum(0xFF << 8 * byte for byte in range(4) if strobes >> byte & 1)
            value = value & ~mask | word & mask
            assert await read(ctx, dut, offset) == value
        await write(ctx, dut, "control", 0b10, 0b1110, data_first)
        assert await read(ctx, dut, MAP["control"]["offset"]) == 0
    run(test)


def test_a_running_program_keeps_its_registers():
    async def test(ctx, dut):
        await write(ctx, dut, "base_input", 0x1000)
        ctx.set(dut.busy, 1)
        for name in ("base_input", "program_address", "limit_output", "watchdog"):
            before = await read(ctx, dut, MAP[name]["offset"])
            await write(ctx, dut, name, 0x2000)
            assert await read(ctx, dut, MAP[name]["offset"]) == before
        await write(ctx, dut, "control", 0b10)
        assert await read(ctx, dut, MAP["control"]["offset"]) == 0b10
        ctx.set(dut.busy, 0)
        await write(ctx, dut, "base_input", 0x3000)
        assert await read(ctx, dut, MAP["base_input"]["offset"]) == 0x3000
    run(test)


def test_watchdog_is_on_after_a_reset():
    async def test(ctx, dut):
        assert await read(ctx, dut, MAP["watchdog"]["offset"]) == WATCHDOG_CYCLES
    run(test)


def test_abort_is_one_pulse():
    dut, pulses = CsrBlock(), []

    async def host(ctx):
        ctx.set(dut.busy, 1)
        await write(ctx, dut, "control", 0b1000)
        await ctx.tick().repeat(3)
        pulses.append(None)

    async def watch(ctx):
        while None not in pulses:
            assert not ctx.get(dut.start)
            if ctx.get(dut.abort):
                pulses.append(1)
            await ctx.tick()

    simulate(dut, host, watch)
    assert pulses == [1, None]


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
        ctx.set(dut.settling, 1)
        assert await read(ctx, dut, MAP["status"]["offset"]) == 0b1000
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
        Register("layer", 0x090, "ro", "moved") if declared.name == "layer" else declared
        for declared in DECLARED))

    async def test(ctx, dut):
        ctx.set(dut.layer, 0xABC)
        assert await read(ctx, dut, 0x090) == 0xABC
        assert await read(ctx, dut, MAP["layer"]["offset"]) == 0
    run(test)


def test_refuses_a_declaration_without_hardware(monkeypatch):
    mode = Register("mode", 0x090, "rw", "not in the hardware")
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
    widths = {"rom_reads": 16, "accumulator_reads": 3}
    dut, rng, totals = Counters(widths), random.Random(3), dict.fromkeys(COUNTERS, 0)

    async def bench(ctx):
        for _ in range(50):
            for name in COUNTERS:
                value = rng.getrandbits(widths.get(name, 1))
                ctx.set(dut.increments[name], value)
                totals[name] += value
            before = {name: ctx.get(dut.values[name]) for name in COUNTERS}
            await ctx.tick()
        last = {name: totals[name] - ctx.get(dut.increments[name]) for name in COUNTERS}
        assert {name: ctx.get(dut.values[name]) for name in COUNTERS} == last != before
        ctx.set(dut.clear, 1)
        await ctx.tick()
        ctx.set(dut.clear, 0)
        for name in COUNTERS:
            ctx.set(dut.increments[name], 0)
        # Neither the events before a clear nor those in its cycle are counted after it.
        for _ in range(3):
            assert not any(ctx.get(dut.values[name]) for name in COUNTERS)
            await ctx.tick()

    simulate(dut, bench)
