"""Two maps combined on the vector unit: where residual paths and gates join again."""

from __future__ import annotations

from dataclasses import dataclass, field

from vqrom_hw.isa import Opcode, VectorOp
from vqrom_sw.network import Elementwise

from ..feature_map import BufferRows, FeatureMap
from ..operations import Level, Operation, nest_fields, range_fields
from .kernel import POINT
from .moving import patch_of
from .task import Block, Task, block_pieces


@dataclass(eq=False, kw_only=True)
class ElementwiseTask(Task):
    """Two maps of one shape combined number by number, or a map with a pixel for all its pixels.

    Members
    -------
    combination:
        The layer, which has operator and factors.
    """

    combination: Elementwise = field(repr=False)

    cuts_columns = True

    @property
    def broadcasts(self) -> bool:
        """Whether the second operand is one pixel for all pixels of the first."""
        first, second = self.inputs
        return (first.height, first.width) != (second.height, second.width)

    @property
    def walked(self) -> tuple[FeatureMap, ...]:
        return self.inputs[:1] if self.broadcasts else self.inputs

    @property
    def overwritable(self) -> tuple[FeatureMap, ...]:
        return self.walked

    def needs(self, first: int, end: int, number: int = 0) -> tuple[int, int]:
        return (0, 1) if number and self.broadcasts else super().needs(first, end)

    def operations(self, first: int, end: int, sources: tuple[BufferRows, ...],
                   target: BufferRows, split: bool) -> list[Operation]:
        words = self.output.words
        ranges = [(word, word + 1) for word in range(words)] if split or self.broadcasts \
            else [(0, words)]
        return [self._combine(piece, part, sources, target)
                for words in ranges for block in self._blocks(first, end, sources)
                for piece, part in block_pieces(target, block, words)]

    def _blocks(self, first: int, end: int, sources: tuple[BufferRows, ...]) -> list[Block]:
        """Output rows ``first`` to ``end`` as blocks in which one distance leads from each word to
        its partner: rows and pixels of both maps are equally far apart."""
        width, (one, other) = self.output.width, sources
        together = end - first if self.broadcasts or one.pitch == other.pitch else 1
        beside = width if self.broadcasts or one.step == other.step else 1
        return [Block(y, y + together, x, x + beside)
                for y in range(first, end, together) for x in range(0, width, beside)]

    def _combine(self, block: Block, words: tuple[int, int], sources: tuple[BufferRows, ...],
                 target: BufferRows) -> Operation:
        """The operation for a block of pixels and a range of channel words."""
        operand_block = Block(0, 1, 0, 1) if self.broadcasts else block
        first = patch_of(sources[0], block, words, self.kernel)
        second = patch_of(sources[1], operand_block, words,
                          POINT if self.broadcasts else self.kernel)
        result = patch_of(target, block, words)
        pair: Level = (1, 0, 0, 0) if self.broadcasts else (2, second.base - first.base, 0, 0)
        operand = {"broadcast": 1, "operand_base": second.base} if self.broadcasts else {}
        fields = {
            "operation": VectorOp[self.combination.operator.upper()],
            **nest_fields([pair, (1, 0, 0, 0), *first.levels], first.base), **operand,
            **self._scale_fields(), **result.target,
            **range_fields(self.output.zero_point, self.combination.clamp),
        }
        return Operation(Opcode.VECTOR, self.layer, fields, (first.area, second.area),
                         (result.area,))

    def _scale_fields(self) -> dict[str, int]:
        """The columns of the factors of both operands and of the result."""
        scale = self.combination.requantization
        fields = {"multiplier": int(scale.multiplier[0]), "shift": int(scale.shift[0])}
        for number, operand in enumerate(self.inputs):
            fields[f"zero_point_{number}"] = operand.zero_point
        for number, factor in enumerate(self.combination.input_requantization or ()):
            fields[f"multiplier_{number}"] = int(factor.multiplier[0])
            fields[f"right_shift_{number}"] = -int(factor.shift[0])
        return fields
