"""Operations: what a command does, before it has a place in the list and waits.

A task emits operations. Each carries, beside the columns of its command, the words of the
activation buffer that it reads and writes, from which the schedule derives what it must wait for,
and the packets of constants that it consumes, from which the assembler makes FETCH commands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vqrom_hw.isa import LEVELS, Channel, Opcode, Stream

from .feature_map import BufferRows, FeatureMap

Area = tuple[int, int, int, int, int, int]
"""Words of the activation buffer in two strides: base; rows, words from row to row; runs in a row,
words from run to run; words of a run. Kept as a plain tuple, since the schedule handles many."""

Level = tuple[int, int, int, int]
"""One loop of a nest: iterations, and what one adds to the word address, the row, the column."""


def area(base: int, rows: int, pitch: int, runs: int, stride: int, words: int) -> Area:
    """The area of ``rows`` rows of ``runs`` runs of ``words`` words, in its simplest form.

    Runs without a gap between them become one run, and rows without a gap one row.
    """
    if runs == 1 or stride == words:
        words, runs, stride = runs * words, 1, 0
        if rows == 1 or pitch == words:
            words, rows, pitch = rows * words, 1, 0
    return base, rows, pitch, runs, stride, words


def rows_area(rows: BufferRows, first: int, end: int) -> Area:
    """The area of map rows ``first`` to ``end``, as far as ``rows`` has them.

    What lies between two rows belongs to it, but nothing of other maps that have words between.
    """
    first, end = max(first, rows.first), min(end, rows.end)
    count, width, words = max(0, end - first), rows.map.width, rows.map.words
    if words == rows.step:
        return area(rows.address(first), 1, 0, 1, 0, count * rows.pitch)
    return area(rows.address(first), count, rows.pitch, width, rows.step, words)


@dataclass(frozen=True)
class Packet:
    """Constants that one FETCH brings for one operation: its weights, or its parameters.

    Members
    -------
    channel:
        The FIFO that the FETCH fills, and that the operation takes the packet from.
    stream:
        The traffic stream under which its bytes are counted.
    key:
        What tells packets apart: equal keys mean equal contents, which are stored only once.
    size:
        Bytes of the content.
    content:
        Makes the content. Called only when the program is compiled with contents.
    """

    channel: Channel
    stream: Stream
    key: tuple[object, ...]
    size: int
    content: Callable[[], bytes]


@dataclass(frozen=True)
class DramRows:
    """Map rows ``first`` to ``end`` of a map that a LOAD or a STORE moves from or to DRAM."""

    map: FeatureMap
    first: int
    end: int


@dataclass(frozen=True)
class Operation:
    """One command without its waits and without its place in the list.

    Members
    -------
    opcode, layer:
        What the command does, and the number of the layer that reports count it for.
    fields:
        Columns of :mod:`vqrom_sw.compiler.program.command_table` by name; others are zero.
    reads, writes:
        Areas of the activation buffer.
    dram:
        The map rows that a LOAD or STORE moves.
    packets:
        The packets that the operation consumes, in this order from each FIFO.
    """

    opcode: Opcode
    layer: int
    fields: dict[str, int]
    reads: tuple[Area, ...] = ()
    writes: tuple[Area, ...] = ()
    dram: DramRows | None = None
    packets: tuple[Packet, ...] = ()


def nest_fields(levels: list[Level], base: int = 0, y0: int = 0, x0: int = 0,
                height: int = 1, width: int = 1) -> dict[str, int]:
    """The columns of a loop nest, which walks over the words of a feature map.

    Parameters
    ----------
    levels:
        The loops, innermost first; the hardware's other loops run once.
    base, y0, x0:
        Word address, row and column of the first word.
    height, width:
        Rows and columns outside these bounds are padding.
    """
    fields = {"nest_base": base, "y0": y0, "x0": x0, "height": height, "width": width}
    for level in range(LEVELS):
        count, stride, dy, dx = levels[level] if level < len(levels) else (1, 0, 0, 0)
        fields[f"count_{level}"] = count
        fields[f"stride_{level}"] = stride
        fields[f"dy_{level}"] = dy
        fields[f"dx_{level}"] = dx
    return fields


def target_fields(base: int, width: int, stride: int, row_stride: int) -> dict[str, int]:
    """The columns that say where results go: see :data:`vqrom_hw.isa.commands.target_layout`."""
    return {"target_base": base, "target_width": width, "target_stride": stride,
            "target_row_stride": row_stride}


def range_fields(zero_point: int, clamp: tuple[int, int]) -> dict[str, int]:
    """The columns of the last step of each output byte: add the zero point, then clamp."""
    return {"zero_point": zero_point, "low": clamp[0], "high": clamp[1]}
