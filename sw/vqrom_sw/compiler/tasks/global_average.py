"""The mean of a whole map on the vector unit."""

from __future__ import annotations

from dataclasses import dataclass

from vqrom_hw.isa import Opcode, VectorOp
from vqrom_sw.arithmetic import HIGHEST, LOWEST, Requantization

from ..feature_map import BufferRows
from ..operations import Operation, area, nest_fields, range_fields, target_fields
from .task import Task, word_ranges


@dataclass(eq=False, kw_only=True)
class GlobalAverageTask(Task):
    """The sum of the whole map, requantised as TFLite's MEAN does; the output is one pixel.

    Members
    -------
    requantization:
        The layer's factor, which includes the division by the number of pixels.
    """

    requantization: Requantization

    def needs(self, first: int, end: int, number: int = 0) -> tuple[int, int]:
        return 0, self.inputs[0].height

    def operations(self, first: int, end: int, sources: tuple[BufferRows, ...],
                   target: BufferRows, split: bool) -> list[Operation]:
        return [self._mean(words, sources[0], target)
                for words in word_ranges(sources[0].map.words, split)]

    def _mean(self, words: tuple[int, int], source: BufferRows, target: BufferRows) -> Operation:
        """The operation for a range of channel words."""
        feature_map, scale = source.map, self.requantization
        start, base = source.address(0) + words[0], target.address(0) + words[0]
        count = words[1] - words[0]
        fields = {
            "operation": VectorOp.SUM,
            **nest_fields([(feature_map.width, source.step, 0, 0),
                           (feature_map.height, source.pitch, 0, 0), (count, 1, 0, 0)], start),
            "bias": -feature_map.width * feature_map.height * feature_map.zero_point,
            "multiplier": int(scale.multiplier[0]), "shift": int(scale.shift[0]),
            **target_fields(base, count, 1, 0),
            **range_fields(self.output.zero_point, (LOWEST, HIGHEST)),
        }
        read = area(start, feature_map.height, source.pitch, feature_map.width, source.step,
                    count)
        return Operation(Opcode.VECTOR, self.layer, fields, (read,),
                         (area(base, 1, 0, 1, 0, count),))
