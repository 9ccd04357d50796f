"""Windows of each operation with gaps between their words, and columns that slide."""

import random
from typing import Any

import pytest

from tests.hw.simulation import pack_bytes, signed_bytes, simulate
from vqrom_hw.isa import PAIRS, VectorOp
from vqrom_hw.vector.reduce import WindowReducer


def total_of(operation, words, weights, pad_value):
    """What one lane's window comes to; None is padding."""
    values = [pad_value if word is None else word for word in words]
    if operation == VectorOp.MAX:
        return max([-128] + [word for word in words if word is not None])
    if operation == VectorOp.DEPTHWISE:
        return sum(value * weight for value, weight in zip(values, weights, strict=True))
    if operation in PAIRS and len(values) == 2:
        return values[1] << 8 | values[0] & 0xFF
    return sum(values)


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
            sizes = {VectorOp.TABLE: 1} | dict.fromkeys(PAIRS, 2)
            size = sizes.get(operation, rng.randint(1, 9))
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
