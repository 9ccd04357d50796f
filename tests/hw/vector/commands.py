"""Random commands of the vector unit, and what each of them should write, by plain loops."""

from tests.hw.lib.test_loop_nest import walk
from tests.hw.lib.test_requantizer import doubling_high_multiply, rounding_divide
from tests.hw.lib.test_requantizer import expected as requantized
from tests.hw.memory.test_load_store import beats_of
from tests.hw.simulation import pack_bytes, signed_bytes, unpack_bytes
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import PAIRS, WEIGHTED, VectorOp

TOTALS = {
    VectorOp.ADD: lambda first, second: first + second,
    VectorOp.SUBTRACT: lambda first, second: first - second,
    VectorOp.MAXIMUM: max, VectorOp.MINIMUM: min,
    VectorOp.MULTIPLY: lambda first, second: first * second,
}
"""What two operands come to before requantisation."""


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


def pair_fields(rng, operation):
    """Fields of operations on two words: shifts that suit what the operands come to."""
    if operation not in PAIRS:
        return {}
    shifts = [-9, -8] if operation == VectorOp.MULTIPLY else [-20, -18]
    return {"bias": 0, "shift": rng.choice(shifts), "broadcast": 0, "operand_base": 0}


def random_moves(config, rng):
    """Fields that move results to other lanes, and write some lanes only; none now and then."""
    if not config.vector_moves or rng.random() < 0.3:
        return {}
    first = rng.randrange(config.rows)
    return {"rotation": rng.randrange(config.rows), "first_lane": first,
            "lanes": rng.randint(0, config.rows - first)}


def command_of(rng, operation, window, outputs, **fields):
    low, stride = rng.randint(-128, 0), rng.randint(1, 2)
    nest = nest_of(rng, window, outputs, stride=(2, stride))
    return {
        "operation": operation, "kernel_columns": window[1], "column_stride": stride,
        "nest": sliding_nest(nest, window, outputs, stride)
        if operation == VectorOp.SLIDING else nest,
        "pad_value": rng.randint(-128, 127), "taps": window[0] * window[1],
        "pre_shift": rng.choice([0, 3, 12]) if operation == VectorOp.SUM else 0,
        **random_parameter(rng), **pair_fields(rng, operation),
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
        self.tables = [signed_bytes(rng, 256) for _ in range(
            config.rows if self.command.get("lane_tables") else 1)]
        self.beats = []
        if operation == VectorOp.TABLE:
            self.beats = beats_of(config, self.table_packet())
        if operation in WEIGHTED:
            packed = b"".join(
                one["bias"].to_bytes(4, "little", signed=True)
                + one["multiplier"].to_bytes(4, "little")
                + one["shift"].to_bytes(1, "little", signed=True) for one in self.parameters)
            self.beats = beats_of(config, packed) + beats_of(
                config, bytes(weight & 0xFF for tap in self.weights for weight in tap))

    def table_packet(self):
        """The tables: entry by entry, or the one table filled up to whole words."""
        if self.command.get("lane_tables"):
            return bytes(table[entry] & 0xFF for entry in range(256) for table in self.tables)
        packet = bytes(byte & 0xFF for byte in self.tables[0])
        return packet.ljust(-(-256 // self.config.rows) * self.config.rows, b"\x5a")

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
        """Address, mask and masked word of each write, in order."""
        target, rows = self.command["target"], self.config.rows
        rotation, first, lanes = (self.command.get(name, 0)
                                  for name in ("rotation", "first_lane", "lanes"))
        written = range(first, first + lanes if lanes else rows)
        kept = None
        if self.command.get("broadcast"):
            kept = unpack_bytes(memory[self.command["operand_base"]], rows)
        for place, words in enumerate(self.windows(memory)):
            address = target["base"] + place % target["width"] * target["stride"] \
                + place // target["width"] * target["row_stride"]
            words = [*words, kept] if kept else words
            result = [self.lane(words, (lane - rotation) % rows) for lane in range(rows)]
            yield address, sum(1 << lane for lane in written), pack_bytes(
                byte if lane in written else 0 for lane, byte in enumerate(result))

    def lane(self, words, lane):
        """The byte of a lane that the words of a window come to."""
        command, operation = self.command, self.command["operation"]
        if operation == VectorOp.MAX:
            return max([-128] + [word[lane] for word in words if word])
        values = [word[lane] if word else command["pad_value"] for word in words]
        if operation == VectorOp.TABLE:
            return self.tables[lane % len(self.tables)][values[0] + 128]
        parameter = self.parameters[lane] if operation in WEIGHTED else command
        scaled = requantized(self.total(values, lane), parameter["bias"],
                             parameter["multiplier"], parameter["shift"], command["pre_shift"])
        ends = command["range"]
        return min(max(scaled + ends["zero_point"], ends["low"]), ends["high"])

    def total(self, values, lane):
        """What the bytes of a window come to before requantisation."""
        operation = self.command["operation"]
        if operation in WEIGHTED:
            return sum(value * weight[lane]
                       for value, weight in zip(values, self.weights, strict=True))
        if operation == VectorOp.SUM:
            return sum(values)
        operands = self.command["operands"]
        differences = [value - operand["zero_point"]
                       for value, operand in zip(values, operands, strict=True)]
        if operation == VectorOp.MULTIPLY:
            return TOTALS[operation](*differences)
        return TOTALS[operation](*(
            rounding_divide(doubling_high_multiply(difference << 20, operand["multiplier"]),
                            operand["right_shift"])
            for difference, operand in zip(differences, operands, strict=True)))
