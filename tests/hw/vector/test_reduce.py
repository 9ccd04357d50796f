"""Windows of each operation with gaps between their words; packets of a depthwise layer."""

import random
from typing import Any

import pytest

from tests.hw.memory.test_load_store import beats_of
from tests.hw.simulation import config_of, pack_bytes, sender, signed_bytes, simulate
from vqrom_hw.isa import VectorOp
from vqrom_hw.vector.depthwise_store import DepthwiseStore
from vqrom_hw.vector.reduce import WindowReducer


def total_of(operation, words, weights, pad_value):
    """What one lane's window comes to; None is padding."""
    values = [pad_value if word is None else word for word in words]
    match operation:
        case VectorOp.MAX:
            return max([-128] + [word for word in words if word is not None])
        case VectorOp.ADD:
            return values[1] << 8 | values[0] & 0xFF
        case VectorOp.SUM:
            return sum(values)
        case VectorOp.DEPTHWISE:
            return sum(value * weight for value, weight in zip(values, weights, strict=True))


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("operation", [op for op in VectorOp if op != VectorOp.SLIDING])
def test_windows(operation, rows: int) -> None:
    dut, rng = WindowReducer(rows, 1), random.Random(rows)
    due = {}

    async def bench(ctx) -> None:
        cycle, pad_value = 0, rng.randint(-128, 127)
        ctx.set(dut.operation, operation)
        ctx.set(dut.pad_value, pad_value)

        async def advance() -> None:
            nonlocal cycle
            await ctx.tick()
            cycle += 1
            ctx.set(dut.valid, 0)
            ctx.set(dut.word, rng.getrandbits(8 * rows))
            ctx.set(dut.weights, [rng.getrandbits(8 * rows)])
            if cycle in due:
                assert [ctx.get(dut.totals[lane]) for lane in range(rows)] == due.pop(cycle)

        for _ in range(30):
            size = 2 if operation == VectorOp.ADD else rng.randint(1, 9)
            words: list[list[Any]] = [
                signed_bytes(rng, rows) if rng.random() < 0.8 else [None] * rows
                for _ in range(size)]
            weights = [signed_bytes(rng, rows) for _ in range(size)]
            for number, word in enumerate(words):
                while rng.random() < 0.3:
                    await advance()
                if word[0] is not None:
                    ctx.set(dut.word, pack_bytes(word))
                ctx.set(dut.inside, word[0] is not None)
                ctx.set(dut.first, number == 0)
                ctx.set(dut.valid, 1)
                await advance()
                ctx.set(dut.weights, [pack_bytes(weights[number])])
            due[cycle - 1 + dut.LATENCY] = [
                total_of(operation, [word[lane] for word in words],
                         [weight[lane] for weight in weights], pad_value)
                for lane in range(rows)]
        await advance()
        assert not due

    simulate(dut, bench)


@pytest.mark.parametrize(("columns", "kernel"), [(2, (3, 2)), (3, (1, 3)), (5, (4, 3))])
def test_columns_slide(columns, kernel) -> None:
    """Each column of a map adds to all outputs that are under way."""
    dut, rng, width, rows = WindowReducer(2, columns), random.Random(columns), 9, kernel[0]
    weights = [[signed_bytes(rng, 2) for _ in range(columns)] for _ in range(rows)]
    words = [[signed_bytes(rng, 2) for _ in range(rows)] for _ in range(width)]
    seen = []

    async def bench(ctx) -> None:
        ctx.set(dut.operation, VectorOp.SLIDING)
        ctx.set(dut.kernel_columns, kernel[1])
        ctx.set(dut.inside, 1)
        for number in range(width * rows + dut.LATENCY):
            column, row = divmod(number, rows)
            ctx.set(dut.valid, column < width)
            ctx.set(dut.first, row == 0)
            ctx.set(dut.last, row == rows - 1)
            ctx.set(dut.word, pack_bytes(words[column][row]) if column < width else 0)
            if number >= dut.LATENCY and (number - dut.LATENCY) % rows == rows - 1:
                seen.append([ctx.get(dut.totals[lane]) for lane in range(2)])
            await ctx.tick()
            ctx.set(dut.weights, [pack_bytes(weights[row][place]) for place in range(columns)])

    simulate(dut, bench)
    skipped = kernel[1] - 1
    assert seen[skipped:] == [
        [sum(words[x + place][row][lane] * weights[row][place][lane]
             for row in range(rows) for place in range(kernel[1])) for lane in range(2)]
        for x in range(width - skipped)]


@pytest.mark.parametrize(("rows", "bus_width", "taps", "columns"), [
    (1, 64, 1, 1), (6, 64, 9, 1), (8, 64, 49, 1), (32, 64, 3, 3), (8, 512, 6, 2), (6, 64, 12, 3)])
@pytest.mark.parametrize("gaps", [False, True])
def test_store(rows: int, bus_width: int, taps, columns, gaps: bool) -> None:
    config = config_of(1, 2, rows, 1, 1, 1, bus_width=bus_width, vector_columns=columns)
    dut, rng = DepthwiseStore(config), random.Random(taps)
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

    simulate(dut, sender(dut.i, beats, rng if gaps else None), bench)
