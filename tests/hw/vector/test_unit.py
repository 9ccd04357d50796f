"""The vector unit against loops over windows, with refused grants, and its cycles."""

import random

import pytest

from tests.hw.simulation import config_of, pack_bytes, sender, signed_bytes, simulate
from tests.hw.vector.commands import Layer, random_moves
from vqrom_hw.isa import PAIRS, VectorOp, available_operations
from vqrom_hw.vector import VectorUnit, write_latency

CONFIGS = {
    "one lane": config_of(1, 2, 1, 1, 1, 1, vector_taps=9),
    "six of six": config_of(2, 20, 6, 3, 3, 1, vector_lanes=6, vector_taps=9),
    "one of six": config_of(2, 20, 6, 3, 3, 1, vector_lanes=1, bus_width=128, vector_taps=10),
    "two of eight": config_of(vector_lanes=2, vector_taps=9, vector_columns=2),
    "eight of sixteen": config_of(rows=16, vector_lanes=8, bus_width=128, vector_taps=15,
                                  vector_columns=5),
    "shared tables": config_of(2, 20, 6, 3, 3, 1, vector_lanes=2, vector_tables="shared",
                               vector_moves=False, bus_width=128),
    "moves only": config_of(rows=8, vector_lanes=4, vector_tables="none",
                            vector_elementwise=False),
    "element-wise only": config_of(2, 20, 6, 3, 3, 1, vector_lanes=3, vector_tables="none",
                                   vector_moves=False),
}
WORDS = 512


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
                lanes = sum(0xFF << 8 * lane for lane in range(config.rows) if mask >> lane & 1)
                written.append((target, mask, result & lanes))
                writes.append(cycle)
            if done:
                ends.append(cycle)

    simulate(dut, sender(dut.command, [layer.command for layer in layers], rng),
             sender(dut.i, [beat for layer in layers for beat in layer.beats], rng), monitor)
    return written, reads, writes, ends


def random_layers(config, rng):
    """Three commands of each operation that there is, in any order."""
    layers = []
    for operation in 3 * available_operations(config):
        window, fields = (rng.randint(1, 3), rng.randint(1, 3)), random_moves(config, rng)
        if operation in PAIRS:
            window = (1, 2)
            if config.vector_elementwise and rng.random() < 0.5:
                window = (1, 1)
                fields |= {"broadcast": 1, "operand_base": rng.randrange(WORDS)}
        if operation == VectorOp.TABLE:
            window = (1, 1)
            fields["lane_tables"] = config.vector_tables == "lane" and rng.random() < 0.6
        if operation == VectorOp.SLIDING:
            window = (rng.randint(1, 3), rng.randint(2, config.vector_columns))
        outputs = (rng.randint(1, 3), rng.randint(1, 5))
        layers.append(Layer(config, rng, operation, window, outputs, **fields))
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


def begin_cycles(config, command, taps) -> int:
    """Cycles from the end of the command before to the first word's read."""
    if command["operation"] == VectorOp.DEPTHWISE:
        return 1 + load_cycles(config, 9) + load_cycles(config, taps)
    if command["operation"] == VectorOp.TABLE:
        return 2 + table_cycles(config, command["lane_tables"])
    return 2 + command.get("broadcast", 0)


def table_cycles(config, lane_tables) -> int:
    """From a packet of tables to its last entry; one table, several entries of which are stored in
    a cycle, waits for each word's further beats."""
    if lane_tables:
        return max(256, -(-256 * config.rows // config.beat_bytes))
    waits = -(-256 // config.rows) * (-(-config.rows // config.beat_bytes) - 1)
    return 256 // config.table_step + waits


TIMED = [((3, 3), {"operation": operation}) for operation in (
    VectorOp.MAX, VectorOp.SUM, VectorOp.DEPTHWISE)]
TIMED += [((1, 1), fields) for _, fields in TIMED]
TIMED += [((1, 2), {"operation": operation}) for operation in (
    VectorOp.ADD, VectorOp.MINIMUM, VectorOp.MULTIPLY)]
TIMED += [((1, 1), {"operation": operation, "broadcast": 1, "operand_base": 7})
          for operation in (VectorOp.SUBTRACT, VectorOp.MULTIPLY)]
TIMED += [((1, 1), {"operation": VectorOp.TABLE, "lane_tables": lanes}) for lanes in (0, 1)]


def can_do(config, operation, broadcast=0, lane_tables=0, **_) -> bool:
    """Whether an accelerator has all that a command asks for."""
    return (operation in available_operations(config) and config.vector_elementwise >= broadcast
            and (not lane_tables or config.vector_tables == "lane"))


@pytest.mark.parametrize(("name", "window", "fields"), [
    (name, window, fields) for name in CONFIGS for window, fields in TIMED
    if can_do(CONFIGS[name], **fields)])
def test_takes_a_cycle_a_word_or_the_lanes(name: str, window: tuple[int, int], fields) -> None:
    """No gap between windows; the lanes limit those that are shorter than their steps."""
    config, rng = CONFIGS[name], random.Random(name)
    operation, broadcast = fields["operation"], fields.get("broadcast", 0)
    memory = [pack_bytes(signed_bytes(rng, config.rows)) for _ in range(WORDS)]
    layers = [Layer(config, rng, window=window, outputs=(3, 5), **fields) for _ in range(2)]
    for layer in layers:
        layer.command["nest"] |= {"y0": 0, "x0": 0, "height": 100, "width": 100}
    written, reads, writes, ends = run_layers(config, layers, memory)
    assert written == [item for layer in layers for item in layer.expected(memory)]
    taps = window[0] * window[1]
    steps = 1 if operation == VectorOp.MAX else config.rows // config.vector_lanes
    per_window = max(taps, steps)
    words = [read for number, read in enumerate(reads)
             if not broadcast or number % (15 * taps + 1)]
    assert len(words) == len(reads) - 2 * broadcast
    at = [words[taps - 1] + number * per_window for number in range(15)]
    assert [read for number, read in enumerate(words) if number % taps == taps - 1][:15] == at
    assert writes[:15] == [cycle + write_latency(config, operation) for cycle in at]
    assert ends[0] == writes[14] + 1
    start = begin_cycles(config, layers[0].command, taps)
    assert words[0] == start and words[15 * taps] == ends[0] + start


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
