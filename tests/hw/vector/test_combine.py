"""One lane of the operations on two words: every difference, against TFLite's definition."""

import random

import pytest

from tests.hw.lib.test_requantizer import doubling_high_multiply, rounding_divide
from tests.hw.simulation import signed_bytes, simulate
from tests.hw.vector.commands import TOTALS
from vqrom_hw.isa import PAIRS, VectorOp
from vqrom_hw.vector.combine import PairCombiner, combine_latency


@pytest.mark.parametrize(("operation", "elementwise"),
                         [(VectorOp.ADD, False), *((each, True) for each in PAIRS)])
def test_new_operands_every_cycle(operation, elementwise: bool) -> None:
    dut, rng = PairCombiner(elementwise), random.Random(int(operation))
    operands = [{"zero_point": rng.choice([-128, 127, rng.randint(-128, 127)]),
                 "multiplier": rng.randint(1 << 30, (1 << 31) - 1),
                 "right_shift": rng.choice([0, 1, 7])} for _ in range(2)]
    pairs = [signed_bytes(rng, 2) for _ in range(300)]
    latency = combine_latency(operation)

    def total(pair):
        differences = [x - operand["zero_point"]
                       for x, operand in zip(pair, operands, strict=True)]
        if operation == VectorOp.MULTIPLY:
            return TOTALS[operation](*differences)
        return TOTALS[operation](*(
            rounding_divide(doubling_high_multiply(difference << 20, operand["multiplier"]),
                            operand["right_shift"])
            for difference, operand in zip(differences, operands, strict=True)))

    async def bench(ctx) -> None:
        ctx.set(dut.operation, operation)
        for number, operand in enumerate(operands):
            ctx.set(dut.operands[number], operand)
        for cycle in range(len(pairs) + latency):
            for number, x in enumerate(pairs[min(cycle, len(pairs) - 1)]):
                ctx.set(dut.x[number], x)
            if cycle >= latency:
                assert ctx.get(dut.value) == total(pairs[cycle - latency])
            await ctx.tick()

    simulate(dut, bench)
