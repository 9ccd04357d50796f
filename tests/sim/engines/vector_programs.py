"""Random programs of hand-made commands: the vector unit beside all the others.

The compiler emits what networks need. These programs have every operation of the vector unit with
any loops, tables, broadcasts and moves, while array, LOAD and STORE work on other words.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import (
    LEVELS,
    PAIRS,
    WEIGHTED,
    Channel,
    Opcode,
    Region,
    Stream,
    Unit,
    VectorOp,
    available_operations,
)
from vqrom_sw.compiler import Program, align
from vqrom_sw.compiler.feature_map import DramLayout
from vqrom_sw.compiler.program.command_table import new_row, pack_table

SOURCE, LEFT, RIGHT, SUMS, LATE = ((0, 128), (128, 224), (224, 320), (320, 352), (352, 416))
"""Words of the buffer, first and end: what all read, where the vector unit works by turns, where
post-processing writes, and what a later LOAD fills."""

LAYERS = 4


class ProgramBuilder:
    """Lines of a program, and the constants that it fetches."""

    def __init__(self, config: AcceleratorConfig, seed: int) -> None:
        self.config, self.rng = config, random.Random(seed)
        self._lines: list[list[int]] = []
        self._constants: list[bytes] = []
        self._issued = dict.fromkeys(Unit, 0)
        self._stored = 0

    def build(self, commands: int) -> Program:
        """A program with so many VECTORs, and with others between them."""
        self.load(0, SUMS[1], 0)
        for number in range(commands):
            sides = (LEFT, RIGHT) if number % 2 else (RIGHT, LEFT)
            self.vector(self.rng.choice(available_operations(self.config)), *sides)
            if self.rng.random() < 0.4:
                self.compute()
            if self.rng.random() < 0.2:
                self.store(*SOURCE, loaded=True)
            if number == commands // 2:
                self.load(*LATE, SUMS[1])
        self.store(LEFT[0], LATE[1])
        self._line(Opcode.END)
        return self._program()

    def _program(self) -> Program:
        table = np.array(self._lines, np.int64)
        constants = b"".join(self._constants) or bytes(align(1))
        sizes = LATE[1] * self.config.rows, self._stored
        maps = [DramLayout(region, 0, (1, 1, size), size, 0, 1, size)
                for region, size in zip((Region.INPUT, Region.OUTPUT), sizes, strict=True)]
        return Program(
            self.config, tuple(f"layer{number}" for number in range(LAYERS)), table,
            pack_table(table), constants, len(constants), 0, (maps[0],), (maps[1],),
            ({},) * LAYERS, cycle_limit=400_000)

    def _line(self, opcode: Opcode, wait: dict[Unit, int] | None = None, **fields: int) -> None:
        waits = {f"wait_{unit.name.lower()}": count for unit, count in (wait or {}).items()}
        layer = len(self._lines) % LAYERS
        self._lines.append(new_row({"opcode": opcode, "layer": layer, **waits, **fields}))

    def _fetch(self, channel: Channel, stream: Stream, content: bytes) -> None:
        self._line(Opcode.FETCH, channel=channel, stream=stream, region=Region.CONSTANT,
                   offset=sum(map(len, self._constants)),
                   beats=-(-len(content) // self.config.beat_bytes))
        self._constants.append(content.ljust(align(len(content)), b"\0"))

    def _bytes(self, count: int) -> bytes:
        return self.rng.randbytes(count)

    def load(self, first: int, end: int, place: int) -> None:
        """Fill words from the input, ``place`` words behind its beginning."""
        rows, beat = self.config.rows, self.config.beat_bytes
        self._line(Opcode.LOAD, region=Region.INPUT, offset=place * rows, base=first,
                   words=end - first, packets=1, window=rows, hop=rows,
                   beats=-(-(end - first) * rows // beat))
        self._issued[Unit.LOAD] += 1

    def store(self, first: int, end: int, loaded: bool = False) -> None:
        """Append words to the output, once all is done, or once they are loaded."""
        size = (end - first) * self.config.rows
        self._line(Opcode.STORE, {Unit.LOAD: 1} if loaded else dict(self._issued),
                   region=Region.OUTPUT, offset=self._stored, base=first, words=end - first,
                   beats=size // self.config.beat_bytes)
        self._issued[Unit.STORE] += 1
        self._stored += size

    def compute(self) -> None:
        """A matrix product of one tile of raw weights, which reads the buffer beside others."""
        config, rng = self.config, self.rng
        pixels = rng.randint(1, min(24, config.accumulator_depth))
        self._fetch(Channel.WEIGHT, Stream.RAW_WEIGHT,
                    self._bytes(config.processing_elements * config.subvector))
        self._fetch(Channel.PARAMETER, Stream.PARAMETER, self._parameters(config.columns))
        loops = [(pixels, rng.randint(0, 4)), *[(1, 0)] * (LEVELS - 1)]
        self._line(
            Opcode.COMPUTE, {Unit.LOAD: 1}, raw=1, fills=config.fill_steps,
            parameter_groups=config.post_steps, **self._nest(loops, (SOURCE,)), passes=1,
            pixels=pixels, target_base=SUMS[0], target_width=pixels, target_stride=1,
            section=rng.randrange(config.rows // config.columns), **self._range())
        self._issued[Unit.ARRAY] += 1
        self._issued[Unit.POST] += 1

    def vector(self, operation: VectorOp, readable: tuple[int, int],
               writable: tuple[int, int]) -> None:
        """Any loops of an operation; it writes other words than it reads."""
        sliding = operation == VectorOp.SLIDING
        window, fields = self._sliding_window() if sliding else self._window(operation)
        results = fields.pop("out_columns", 1)
        outputs = self._outputs(40 // results, 1 if sliding else LEVELS - 2)
        self._packets(operation, fields)
        self._line(
            Opcode.VECTOR, {Unit.LOAD: 1}, operation=operation,
            **self._nest([*window, *outputs], (SOURCE, readable), padded=True),
            **self._target(writable, results * int(np.prod([count for count, _ in outputs]))),
            **self._range(), **self._scales(operation), **self._moves(), **fields)
        self._issued[Unit.VECTOR] += 1

    def _outputs(self, most: int, levels: int) -> list[tuple[int, int]]:
        """Loops over at most so many outputs, of which some levels do anything."""
        loops, rng = [(1, 0)] * (LEVELS - 2), self.rng
        for level in range(levels):
            count = rng.randint(1, min(4, most))
            loops[level], most = (count, rng.randint(0, 4)), most // count
        return loops

    def _window(self, operation: VectorOp) -> tuple[list[tuple[int, int]], dict[str, int]]:
        """The two inner loops, and the fields that go with them."""
        rng, config = self.rng, self.config
        if operation in PAIRS:
            if not config.vector_elementwise or rng.random() < 0.5:
                return [(2, rng.randint(0, 9)), (1, 0)], {}
            return [(1, 0), (1, 0)], {"broadcast": 1, "operand_base": rng.randrange(SOURCE[1])}
        if operation == VectorOp.TABLE:
            lanes = config.vector_tables == "lane" and rng.random() < 0.5
            return [(1, 0), (1, 0)], {"lane_tables": int(lanes)}
        rows, columns = rng.randint(1, 3), rng.randint(1, 3)
        return [(columns, 1), (rows, rng.randint(1, 9))], {"taps": rows * columns}

    def _sliding_window(self) -> tuple[list[tuple[int, int]], dict[str, int]]:
        """The same of SLIDING, and in ``out_columns`` the results of a row."""
        rng = self.rng
        rows, columns = rng.randint(1, 3), rng.randint(2, self.config.vector_columns)
        stride, out_columns = rng.randint(1, 2), rng.randint(1, 4)
        walked = (out_columns - 1) * stride + columns
        return [(rows, rng.randint(1, 9)), (walked, 1)], {
            "taps": rows * columns, "kernel_columns": columns, "column_stride": stride,
            "out_columns": out_columns}

    def _nest(self, loops: list[tuple[int, int]], areas: tuple[tuple[int, int], ...],
              padded: bool = False) -> dict[str, int]:
        """Columns of a nest that stays in one of the areas; some of it may be padding."""
        first, end = self.rng.choice(areas)
        reach = sum((count - 1) * stride for count, stride in loops)
        base = self.rng.randint(first, max(first, end - 1 - reach))
        columns = {"nest_base": base, "height": 1, "width": 1}
        for level, (count, stride) in enumerate(loops):
            stride = stride if base + reach < end else 0
            columns |= {f"count_{level}": count, f"stride_{level}": stride}
        if padded and self.rng.random() < 0.3:
            level = self.rng.randrange(LEVELS)
            columns |= {f"dx_{level}": 1, "x0": self.rng.randint(-1, 0),
                        "width": self.rng.randint(1, 3)}
        return columns | {"pad_value": self.rng.randint(-128, 127)}

    def _target(self, area: tuple[int, int], count: int) -> dict[str, int]:
        """Rows of results in an area, with gaps where there is room."""
        first, end = area
        width, stride = self.rng.randint(1, count), self.rng.randint(1, 2)
        rows = -(-count // width)
        row_stride = width * stride + self.rng.randint(0, 1)
        if first + rows * row_stride > end:
            stride, row_stride = 1, width
        return {"target_base": self.rng.randint(first, end - rows * row_stride),
                "target_width": width, "target_stride": stride, "target_row_stride": row_stride}

    def _range(self) -> dict[str, int]:
        low = self.rng.randint(-128, 0)
        return {"zero_point": self.rng.randint(-40, 40), "low": low,
                "high": self.rng.randint(low, 127)}

    def _scales(self, operation: VectorOp) -> dict[str, int]:
        rng = self.rng
        shift = -rng.randint(18, 20) if operation in PAIRS else -rng.randint(2, 4)
        fields = {"shift": -9 if operation == VectorOp.MULTIPLY else shift,
                  "multiplier": rng.randint(1 << 30, (1 << 31) - 1),
                  "bias": rng.randint(-500, 500), "pre_shift": rng.randint(0, 2)}
        for number in range(2):
            fields |= {f"zero_point_{number}": rng.randint(-128, 127),
                       f"multiplier_{number}": rng.randint(1 << 30, (1 << 31) - 1),
                       f"right_shift_{number}": rng.randint(0, 3)}
        return fields

    def _moves(self) -> dict[str, int]:
        """Other lanes for results, often enough none."""
        rows, rng = self.config.rows, self.rng
        if not self.config.vector_moves or rng.random() < 0.4:
            return {}
        first = rng.randrange(rows)
        return {"rotation": rng.randrange(rows), "first_lane": first,
                "lanes": rng.randint(0, rows - first)}

    def _packets(self, operation: VectorOp, fields: dict[str, Any]) -> None:
        """What a VECTOR takes from its FIFO."""
        rows = self.config.rows
        if operation in WEIGHTED:
            self._fetch(Channel.VECTOR, Stream.PARAMETER, self._parameters(rows))
            self._fetch(Channel.VECTOR, Stream.RAW_WEIGHT, self._bytes(fields["taps"] * rows))
        if operation == VectorOp.TABLE:
            words = 256 if fields["lane_tables"] else -(-256 // rows)
            self._fetch(Channel.VECTOR, Stream.PARAMETER, self._bytes(words * rows))

    def _parameters(self, count: int) -> bytes:
        """A packet of requantisation parameters."""
        return b"".join(
            self.rng.randint(-3000, 3000).to_bytes(4, "little", signed=True)
            + self.rng.randint(1 << 30, (1 << 31) - 1).to_bytes(4, "little")
            + self.rng.randint(-11, -7).to_bytes(1, "little", signed=True) for _ in range(count))
