"""Operations on single words: what they read, where they write, and which lanes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vqrom_hw.isa import Opcode, VectorOp
from vqrom_sw.arithmetic import HIGHEST, LOWEST, Requantization

from ...feature_map import BufferRows
from ...operations import (
    Area,
    Level,
    Operation,
    Packet,
    area,
    nest_fields,
    range_fields,
    target_fields,
)
from ..kernel import POINT, Kernel
from ..task import Block

ONE = (1 << 30, 1)
"""Multiplier and shift of the factor 1, with which requantisation changes nothing."""


@dataclass(frozen=True)
class Patch:
    """Words of a map in the activation buffer, some of each pixel of a block.

    Members
    -------
    base:
        The first word.
    rows, pitch:
        Map rows, and words from one to the next that counts.
    pixels, step:
        Pixels of a row, and words from one to the next that counts.
    words:
        Consecutive words of a pixel.
    """

    base: int
    rows: int
    pitch: int
    pixels: int
    step: int
    words: int

    @property
    def area(self) -> Area:
        """The same words as operations note them."""
        return area(self.base, self.rows, self.pitch, self.pixels, self.step, self.words)

    @property
    def levels(self) -> list[Level]:
        """The loops that visit the words: those of a pixel, then pixels, then rows."""
        return [(self.words, 1, 0, 0), (self.pixels, self.step, 0, 0),
                (self.rows, self.pitch, 0, 0)]

    @property
    def target(self) -> dict[str, int]:
        """The columns that write the words in that order: one of each pixel, or all, or some if
        pixels lie equally far apart: see :func:`vqrom_sw.compiler.tasks.task.target_pieces`."""
        if self.words == 1:
            return target_fields(self.base, self.pixels, self.step, self.pitch)
        if self.words == self.step:
            return target_fields(self.base, self.pixels * self.words, 1, self.pitch)
        assert self.rows == 1 or self.pitch == self.pixels * self.step
        return target_fields(self.base, self.words, 1, self.step)


def patch_of(rows: BufferRows, block: Block, words: tuple[int, int],
             kernel: Kernel = POINT) -> Patch:
    """A range of channel words of a block of pixels.

    Parameters
    ----------
    rows:
        Where the map's rows lie.
    block:
        Pixels of the output.
    words:
        First and end of the channel words.
    kernel:
        Which pixel of the map belongs to a pixel of the output: its strides and its padding tell.
        Of a part of a map, the padding is what lies between its first column and the output's.
    """
    first, end = words
    return Patch(
        rows.address(block.y0 * kernel.stride_rows - kernel.top,
                     block.x0 * kernel.stride_columns - kernel.left) + first,
        block.height, kernel.stride_rows * rows.pitch,
        block.width, kernel.stride_columns * rows.step, end - first)


@dataclass(frozen=True)
class Lanes:
    """Where in a word results go.

    Members
    -------
    rotation:
        Lanes by which results move on.
    first, count:
        The lanes that are written; count 0 stands for all from the first on.
    """

    rotation: int = 0
    first: int = 0
    count: int = 0

    @property
    def fields(self) -> dict[str, int]:
        """The columns of the command table that say which lanes move where, and their values."""
        return {"rotation": self.rotation, "first_lane": self.first, "lanes": self.count}


ALL_LANES = Lanes()
"""Whole words, as they come."""


def word_operation(layer: int, operation: VectorOp, source: Patch, target: Patch,
                   fields: Mapping[str, int] = MappingProxyType({}),
                   packets: tuple[Packet, ...] = ()) -> Operation:
    """The operation that makes each word of ``target`` from the word of ``source`` in its place.

    ``fields`` are further columns of its command.
    """
    columns = {"operation": operation,
               **nest_fields([(1, 0, 0, 0), (1, 0, 0, 0), *source.levels], source.base),
               **target.target, **range_fields(0, (LOWEST, HIGHEST)), **fields}
    return Operation(Opcode.VECTOR, layer, columns, (source.area,), (target.area,),
                     packets=packets)


def fill(layer: int, target: Patch, value: int, lanes: Lanes = ALL_LANES) -> Operation:
    """The operation that writes a constant: what padding comes to, so that it reads nothing.

    The maximum over padding is the lowest int8, at a word a cycle. A sum over padding times 0 is
    whatever the zero point says.
    """
    levels = [(count, 0, 0, 0) for count in (1, 1, target.words, target.pixels, target.rows)]
    columns = {"operation": VectorOp.MAX if value == LOWEST else VectorOp.SUM,
               **nest_fields(levels, y0=-1), **target.target, **lanes.fields,
               **range_fields(value, (LOWEST, HIGHEST))}
    return Operation(Opcode.VECTOR, layer, columns, (), (target.area,))


@dataclass(frozen=True)
class Rescaling:
    """What happens to the numbers of a map on their way into another.

    Members
    -------
    multiplier, shift:
        The factor: ``multiplier * 2**(shift - 31)``.
    zero_points:
        That of the source, and that of the target.
    clamp:
        Lowest and highest output value.
    """

    multiplier: int
    shift: int
    zero_points: tuple[int, int]
    clamp: tuple[int, int] = (LOWEST, HIGHEST)

    @property
    def changes(self) -> bool:
        """Whether any number becomes another one."""
        return ((self.multiplier, self.shift) != ONE or self.clamp != (LOWEST, HIGHEST)
                or self.zero_points[0] != self.zero_points[1])

    def operation(self, layer: int, source: Patch, target: Patch,
                  lanes: Lanes = ALL_LANES) -> Operation:
        """The operation that copies or rescales words, and moves lanes on the way."""
        if not self.changes:
            return word_operation(layer, VectorOp.MAX, source, target, lanes.fields)
        before, after = self.zero_points
        return word_operation(layer, VectorOp.SUM, source, target, {
            "bias": -before, "multiplier": self.multiplier, "shift": self.shift, **lanes.fields,
            **range_fields(after, self.clamp)})


def rescaling(scale: Requantization, zero_points: tuple[int, int]) -> Rescaling:
    """The rescaling by a single factor."""
    return Rescaling(int(scale.multiplier[0]), int(scale.shift[0]), zero_points)


def plain(zero_point: int, clamp: tuple[int, int] = (LOWEST, HIGHEST)) -> Rescaling:
    """The rescaling by 1 between maps of one zero point."""
    return Rescaling(*ONE, (zero_point, zero_point), clamp)
