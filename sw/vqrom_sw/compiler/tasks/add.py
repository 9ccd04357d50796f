"""TODO."""

from __future__ import annotations

from dataclasses import dataclass

from vqrom_hw.isa import Opcode, VectorOp
from vqrom_sw.compiler.feature_map import Rows
from vqrom_sw.compiler.operations import Operation, area, nest_fields, range_fields, target_fields
from vqrom_sw.network import Add

from .task import Task


@dataclass(eq=False)
class AddTask(Task):
    """Sum of two maps, each rescaled."""

    add: Add = None  # type: ignore[assignment]

    def operations(self, first: int, end: int, sources: tuple[Rows, ...], target: Rows,
                   split: bool) -> list[Operation]:
        alike = sources[0].map.pitch == sources[1].map.pitch
        blocks = [(first, end)] if alike else [(y, y + 1) for y in range(first, end)]
        words = self.output.words
        ranges = [(word, word + 1) for word in range(words)] if split else [(0, words)]
        return [self._command(block, words, sources, target)
                for words in ranges for block in blocks]

    def _command(self, block: tuple[int, int], words: tuple[int, int], sources: tuple[Rows, ...],
                 target: Rows) -> Operation:
        (y0, y1), (first, end) = block, words
        width, depth = self.output.width, self.output.words
        count, rows, out_pitch = end - first, y1 - y0, target.map.pitch
        run, stride = (width * depth, 1) if count == depth else (width, depth)
        bases = [source.address(y0) + first for source in sources]
        base, scale = target.address(y0) + first, self.add.requantization
        fields = {
            "operation": VectorOp.ADD,
            **nest_fields([(2, bases[1] - bases[0], 0, 0), (1, 0, 0, 0), (run, stride, 0, 0),
                           (rows, sources[0].map.pitch, 0, 0)], bases[0]),
            "multiplier": int(scale.multiplier[0]), "shift": int(scale.shift[0]),
            **target_fields(base, run, stride, out_pitch),
            **range_fields(self.output.zero_point, self.add.clamp),
        }
        for number, operand in enumerate(self.add.input_requantization):
            fields[f"zero_point_{number}"] = self.inputs[number].zero_point
            fields[f"multiplier_{number}"] = int(operand.multiplier[0])
            fields[f"right_shift_{number}"] = -int(operand.shift[0])
        reads = tuple(area(start, rows, source.map.pitch, width, depth, count)
                      for start, source in zip(bases, sources, strict=True))
        return Operation(Opcode.VECTOR, self.layer, fields, reads,
                         (area(base, rows, out_pitch, width, depth, count),))
