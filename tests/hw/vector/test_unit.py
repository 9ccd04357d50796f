"""The vector unit against loops over windows, with refused grants, and its cycles."""

import random

import pytest

from tests.hw.lib.test_loop_nest import walk
from tests.hw.lib.test_requantizer import doubling_high_multiply, rounding_divide
from tests.hw.lib.test_requantizer import expected as requantized
from tests.hw.memory.test_load_store import beats_of
from tests.hw.simulation import (
    config_of,
    pack_bytes,
    sender,
    signed_bytes,
    simulate,
    unpack_bytes,
)
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import VectorOp
from vqrom_hw.vector import VectorUnit, write_latency

CONFIGS = {
    "one lane": config_of(1, 2, 1, 1, 1, 1, vector_taps=9),
    "six of six": config_of(2, 20, 6, 3, 3, 1, vector_lanes=6, vector_taps=9),
    "one of six": config_of(2, 20, 6, 3, 3, 1, vector_lanes=1, bus_width=128, vector_taps=10),
    "two of eight": config_of(vector_lanes=2, vector_taps=9, vector_columns=2),
    "eight of sixteen": config_of(rows=16, vector_lanes=8, bus_width=128, vector_taps=15,
                                  vector_columns=5),
}
WORDS = 512
WEIGHTED = (VectorOp.DEPTHWISE, VectorOp.SLIDING)


def random_parameter(rng):
    return {"bias": rng.randint(-3000, 3000),
            "multiplier": rng.choice([0, 1 << 30, rng.randint(1 << 30, (1 << 31) - 1)]),
            "shift": rng.choice([-12, -9, -3, 0, 2])}


def nest_of(rng, window, outputs, height=7, width=9, stride=(1, 1)):
    """Windows of a map whose rows are ``width + 2`` words apart, some of them over its edge."""
    loops = [(window[1], 1, 0, 1), (window[0], width + 2, 1, 0),
             (outputs[1], stride[1], 0, stride[1]),
             (outputs[0], stride[0] * (width + 2), stride[0], 0), (1, 0, 0, 0), (1, 0, 0, 0)]
    y0, x0 = rng.randint(-1, 0), rng.randint(-1, 0)
    return {"levels": [dict(zip(("count", "stride", "dy", "dx"), loop, strict=True))
                       for loop in loops],
            "base": 60 + y0 * (width + 2) + x0, "y0": y0, "x0": x0,
            "height": height, "width": width}


def sliding_nest(nest, window, outputs, stride):
    """The same outputs with columns of the map, not windows, in the second loop."""
    kernel, x, _, y = nest["levels"][1], nest["levels"][0], *nest["levels"][2:4]
    columns = (outputs[1] - 1) * stride + window[1]
    one = {"count": 1, "stride": 0, "dy": 0, "dx": 0}
    return nest | {"levels": [kernel, x | {"count": columns}, y, one, one, one]}


def command_of(rng, operation, window, outputs, **fields):
    low, stride = rng.randint(-128, 0), rng.randint(1, 2)
    nest = nest_of(rng, window, outputs, stride=(2, stride))
    return {
        "operation": operation, "kernel_columns": window[1], "column_stride": stride,
        "nest": sliding_nest(nest, window, outputs, stride)
        if operation == VectorOp.SLIDING else nest,
        "pad_value": rng.randint(-128, 127), "taps": window[0] * window[1],
        "pre_shift": rng.choice([0, 3, 12]) if operation == VectorOp.SUM else 0,
        **(random_parameter(rng) if operation == VectorOp.SUM else
           random_parameter(rng) | {"bias": 0, "shift": rng.choice([-20, -18])}),
        "operands": [{"zero_point": rng.randint(-128, 127), "right_shift": rng.choice([0, 1, 5]),
                      "multiplier": rng.randint(1 << 30, (1 << 31) - 1)} for _ in range(2)],
        "target": {"base": 300, "width": outputs[1], "stride": 2, "row_stride": 2 * outputs[1] + 1},
        "range": {"zero_point": rng.randint(-128, 127), "low": low, "high": rng.randint(low, 127)},
    } | fields


class Layer:
    """A command, its beats, and what it should write."""

    def __init__(self, config: AcceleratorConfig, rng, operation, window, outputs,
                 **fields) -> None:
        self.config = config
        self.command = command_of(rng, operation, window, outputs, **fields)
        self.shape = window
        self.window = window[0] * window[1]
        self.outputs = outputs
        self.parameters = [random_parameter(rng) for _ in range(config.rows)]
        self.weights = [signed_bytes(rng, config.rows) for _ in range(self.window)]
        self.beats = []
        if operation in WEIGHTED:
            packed = b"".join(
                one["bias"].to_bytes(4, "little", signed=True)
                + one["multiplier"].to_bytes(4, "little")
                + one["shift"].to_bytes(1, "little", signed=True) for one in self.parameters)
            self.beats = beats_of(config, packed) + beats_of(
                config, bytes(weight & 0xFF for tap in self.weights for weight in tap))

    def windows(self, memory):
        """Words of each window, None outside the map."""
        nest = self.command["nest"]
        loops = [tuple(level.values()) for level in nest["levels"]]
        words = [unpack_bytes(memory[address], self.config.rows) if inside else None
                 for address, inside, _, _ in walk(loops, *(nest[name] for name in (
                     "base", "y0", "x0", "height", "width")))]
        if self.command["operation"] == VectorOp.SLIDING:
            return list(self.sliding_windows(words))
        size = self.window
        return [words[first:first + size] for first in range(0, len(words), size)]

    def sliding_windows(self, words):
        """Windows of a walk along columns, row by row of each."""
        kernel, columns = self.shape[0], self.command["nest"]["levels"][1]["count"]
        for y in range(self.outputs[0]):
            for x in range(self.outputs[1]):
                first = x * self.command["column_stride"]
                yield [words[(y * columns + first + column) * kernel + row]
                       for row in range(kernel) for column in range(self.shape[1])]

    def expected(self, memory):
        target = self.command["target"]
        for place, words in enumerate(self.windows(memory)):
            address = target["base"] + place % target["width"] * target["stride"] \
                + place // target["width"] * target["row_stride"]
            yield address, pack_bytes(self.lane(words, lane) for lane in range(self.config.rows))

    def lane(self, words, lane):
        command, operation = self.command, self.command["operation"]
        if operation == VectorOp.MAX:
            return max([-128] + [word[lane] for word in words if word])
        values = [word[lane] if word else command["pad_value"] for word in words]
        parameter = command
        if operation in WEIGHTED:
            parameter = self.parameters[lane]
            total = sum(value * weight[lane]
                        for value, weight in zip(values, self.weights, strict=True))
        elif operation == VectorOp.SUM:
            total = sum(values)
        else:
            total = sum(
                rounding_divide(doubling_high_multiply(
                    (value - operand["zero_point"]) << 20, operand["multiplier"]),
                    operand["right_shift"])
                for value, operand in zip(values, command["operands"], strict=True))
        scaled = requantized(total, parameter["bias"], parameter["multiplier"],
                             parameter["shift"], command["pre_shift"])
        ends = command["range"]
        return min(max(scaled + ends["zero_point"], ends["low"]), ends["high"])


def run_layers(config, layers, memory, rng=None, refuse=0.3, write_period=1):
    """Writes in order; cycles of reads, of writes and of the commands' ends.

    Without a generator all reads are granted, and writes in one of ``write_period`` cycles.
    """
    dut = VectorUnit(config)
    written, reads, writes, ends = [], [], [], []

    async def monitor(ctx) -> None:
        cycle, word = 0, None
        while len(ends) < len(layers):
            ctx.set(dut.read_word, memory[word] if word is not None
                    else rng.getrandbits(8 * config.rows) if rng else 0)
            ctx.set(dut.read_grant, not rng or rng.random() >= refuse)
            ctx.set(dut.write_grant,
                    rng.random() >= refuse if rng else cycle % write_period == 0)
            _, _, read, granted, address, write, taken, target, result, mask, done, busy, valid \
                = await ctx.tick().sample(
                    dut.read, dut.read_grant, dut.read_address, dut.write, dut.write_grant,
                    dut.write_address, dut.write_word, dut.write_mask, dut.command.ready,
                    dut.busy, dut.command.valid)
            cycle += 1
            assert busy == valid
            word = address if read and granted else None
            reads.extend([cycle] if word is not None else [])
            if write and taken:
                assert mask == (1 << config.rows) - 1
                written.append((target, result))
                writes.append(cycle)
            if done:
                ends.append(cycle)

    simulate(dut, sender(dut.command, [layer.command for layer in layers], rng),
             sender(dut.i, [beat for layer in layers for beat in layer.beats], rng), monitor)
    return written, reads, writes, ends


def random_layers(config, rng):
    layers = []
    for _ in range(3):
        for operation in VectorOp if config.vector_columns > 1 else list(VectorOp)[:-1]:
            window = (1, 2) if operation == VectorOp.ADD else (rng.randint(1, 3), rng.randint(1, 3))
            if operation == VectorOp.SLIDING:
                window = (rng.randint(1, 3), rng.randint(2, config.vector_columns))
            outputs = (rng.randint(1, 3), rng.randint(1, 5))
            layers.append(Layer(config, rng, operation, window, outputs))
    rng.shuffle(layers)
    return layers


@pytest.mark.parametrize("refuse", [0.1, 0.6])
@pytest.mark.parametrize("name", CONFIGS)
def test_equals_loops(name: str, refuse) -> None:
    config, rng = CONFIGS[name], random.Random(name)
    memory = [pack_bytes(signed_bytes(rng, config.rows)) for _ in range(WORDS)]
    layers = random_layers(config, rng)
    written, _, _, ends = run_layers(config, layers, memory, rng, refuse)
    assert written == [item for layer in layers for item in layer.expected(memory)]
    assert len(ends) == len(layers)


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize(("operation", "window"), [
    *((operation, window) for operation in (VectorOp.MAX, VectorOp.SUM, VectorOp.DEPTHWISE)
      for window in ((1, 1), (3, 3))), (VectorOp.ADD, (1, 2))])
def test_takes_a_cycle_a_word_or_the_lanes(name: str, operation, window: tuple[int, int]) -> None:
    """No gap between windows; the lanes limit those that are shorter than their steps."""
    config, rng = CONFIGS[name], random.Random(name)
    memory = [pack_bytes(signed_bytes(rng, config.rows)) for _ in range(WORDS)]
    layers = [Layer(config, rng, operation, window, (3, 5)) for _ in range(2)]
    for layer in layers:
        layer.command["nest"] |= {"y0": 0, "x0": 0, "height": 100, "width": 100}
    written, reads, writes, ends = run_layers(config, layers, memory)
    assert written == [item for layer in layers for item in layer.expected(memory)]
    taps = window[0] * window[1]
    steps = 1 if operation == VectorOp.MAX else config.rows // config.vector_lanes
    per_window = max(taps, steps)
    at = [reads[taps - 1] + number * per_window for number in range(15)]
    assert [read for number, read in enumerate(reads) if number % taps == taps - 1][:15] == at
    assert writes[:15] == [cycle + write_latency(config, operation) for cycle in at]
    assert ends[0] == writes[14] + 1
    start = 2
    if operation == VectorOp.DEPTHWISE:
        start = 1 + load_cycles(config, 9) + load_cycles(config, taps)
    assert reads[0] == start and reads[15 * taps] == ends[0] + start


@pytest.mark.parametrize(("period", "cycles"), [(8, 15 * 9), (12, 15 * 12)])
def test_refused_writes_cost_only_what_the_window_does_not_hide(period: int, cycles: int) -> None:
    config, rng = CONFIGS["two of eight"], random.Random(period)
    memory = [pack_bytes(signed_bytes(rng, config.rows)) for _ in range(WORDS)]
    layer = Layer(config, rng, VectorOp.SUM, (3, 3), (3, 5))
    layer.command["nest"] |= {"y0": 0, "x0": 0, "height": 100, "width": 100}
    written, reads, writes, _ = run_layers(config, [layer], memory, write_period=period)
    assert written == list(layer.expected(memory)) and len(reads) == 15 * 9
    assert writes[14] - reads[0] <= cycles + write_latency(config, VectorOp.SUM) + period
    assert (reads[-1] - reads[0] + 1 == 15 * 9) == (period < 9)


def load_cycles(config, words):
    """From one packet's length to the next: items leave the cycle after the beat that they need."""
    return max(words, -(-words * config.rows // config.beat_bytes)) + 1


def test_global_sum_over_many_words() -> None:
    config, rng = CONFIGS["two of eight"], random.Random(1)
    memory = [pack_bytes([-128] * 7 + [127])] * WORDS
    layer = Layer(config, rng, VectorOp.SUM, (7, 9), (1, 1), pre_shift=2, shift=-9,
                  range={"zero_point": 3, "low": -128, "high": 127})
    written, reads, _, _ = run_layers(config, [layer], memory)
    assert written == list(layer.expected(memory)) and len(reads) <= 63


@pytest.mark.parametrize(("stride", "kernel"), [(1, (3, 5)), (2, (2, 3)), (1, (1, 2))])
def test_slides_a_column_in_the_rows_of_its_kernel(stride: int, kernel) -> None:
    """Each word is read once per output row; the lanes limit kernels of few rows."""
    config, rng = CONFIGS["eight of sixteen"], random.Random(stride)
    memory = [pack_bytes(signed_bytes(rng, config.rows)) for _ in range(WORDS)]
    layer = Layer(config, rng, VectorOp.SLIDING, kernel, (2, 4), column_stride=stride)
    layer.command["nest"]["levels"][1]["count"] = 3 * stride + kernel[1]
    layer.command["nest"] |= {"y0": 0, "x0": 0, "height": 100, "width": 100}
    written, reads, writes, _ = run_layers(config, [layer], memory)
    assert written == list(layer.expected(memory)) and len(writes) == 8
    columns = 2 * (3 * stride + kernel[1])
    assert len(reads) == columns * kernel[0]
    steps = config.rows // config.vector_lanes
    waits = 0 if stride * kernel[0] >= steps else 2 * 3 * (steps - stride * kernel[0])
    assert reads[-1] - reads[0] + 1 == len(reads) + waits
