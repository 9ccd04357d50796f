"""The sum of two maps on the vector unit: where a residual path joins again."""

from __future__ import annotations

from dataclasses import dataclass, field

from vqrom_hw.isa import Opcode, VectorOp
from vqrom_sw.network import Elementwise

from ..feature_map import BufferRows
from ..operations import Operation, area, nest_fields, range_fields, target_fields
from .task import Task


@dataclass(eq=False, kw_only=True)
class AddTask(Task):
    """The sum of two maps of one shape, each rescaled before and the sum rescaled after.

    Members
    -------
    add:
        The layer, which has the factors.
    """

    add: Elementwise = field(repr=False)

    cuts_columns = True

    def operations(self, first: int, end: int, sources: tuple[BufferRows, ...],
                   target: BufferRows, split: bool) -> list[Operation]:
        alike = sources[0].map.pitch == sources[1].map.pitch
        # One distance leads from each word to its partner only if both maps have one pitch.
        rows = [(first, end)] if alike else [(y, y + 1) for y in range(first, end)]
        words = self.output.words
        ranges = [(word, word + 1) for word in range(words)] if split else [(0, words)]
        return [self._sum(block, words, sources, target) for words in ranges for block in rows]

    def _sum(self, rows: tuple[int, int], words: tuple[int, int],
             sources: tuple[BufferRows, ...], target: BufferRows) -> Operation:
        """The operation that adds a range of map rows in a range of channel words."""
        (y0, y1), (first, end) = rows, words
        width, depth, pitch = self.output.width, self.output.words, target.map.pitch
        count, height = end - first, y1 - y0
        run, stride = (width * depth, 1) if count == depth else (width, depth)
        bases = [source.address(y0) + first for source in sources]
        base = target.address(y0) + first
        fields = {
            "operation": VectorOp.ADD,
            **nest_fields([(2, bases[1] - bases[0], 0, 0), (1, 0, 0, 0), (run, stride, 0, 0),
                           (height, sources[0].map.pitch, 0, 0)], bases[0]),
            **self._scale_fields(), **target_fields(base, run, stride, pitch),
            **range_fields(self.output.zero_point, self.add.clamp),
        }
        reads = tuple(area(start, height, source.map.pitch, width, depth, count)
                      for start, source in zip(bases, sources, strict=True))
        return Operation(Opcode.VECTOR, self.layer, fields, reads,
                         (area(base, height, pitch, width, depth, count),))

    def _scale_fields(self) -> dict[str, int]:
        """The columns of the factors of both operands and of the sum."""
        scale = self.add.requantization
        fields = {"multiplier": int(scale.multiplier[0]), "shift": int(scale.shift[0])}
        for number, operand in enumerate(self.add.input_requantization or ()):
            fields[f"zero_point_{number}"] = self.inputs[number].zero_point
            fields[f"multiplier_{number}"] = int(operand.multiplier[0])
            fields[f"right_shift_{number}"] = -int(operand.shift[0])
        return fields
