"""Operations: commands before they are numbered, with what they read, write and consume."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vqrom_hw.isa import Channel, Opcode, Stream

from .feature_map import FeatureMap, Rows

Area = tuple[int, int, int, int, int, int]
"""Words of the activation buffer: base, rows, row stride, runs, run stride, words of a run."""


def area(base: int, rows: int, pitch: int, runs: int, stride: int, words: int) -> Area:
    """Runs of words in rows, as few and long ones as possible."""
    if runs == 1 or stride == words:
        words, runs, stride = runs * words, 1, 0
        if rows == 1 or pitch == words:
            words, rows, pitch = rows * words, 1, 0
    return base, rows, pitch, runs, stride, words


def rows_area(rows: Rows, first: int, end: int) -> Area:
    """Whole rows ``first`` to ``end`` of those in the buffer."""
    first, end = max(first, rows.first), min(end, rows.end)
    return area(rows.address(first), 1, 0, 1, 0, max(0, end - first) * rows.map.pitch)


@dataclass(frozen=True)
class Packet:
    """Constants that a FETCH moves.

    Members
    -------
    channel, stream:
        Of the FETCH.
    key:
        Equal keys are equal contents, which are stored once.
    size:
        Bytes.
    content:
        Makes them.
    """

    channel: Channel
    stream: Stream
    key: tuple[object, ...]
    size: int
    content: Callable[[], bytes]


@dataclass(frozen=True)
class DramRows:
    """Rows of a map in DRAM that a LOAD or STORE moves."""

    map: FeatureMap
    first: int
    end: int


@dataclass(frozen=True)
class Operation:
    """One command without its waits.

    Members
    -------
    opcode, layer:
        Of the header.
    fields:
        Columns of :mod:`vqrom_sw.compiler.program.command_table`.
    reads, writes:
        Words of the activation buffer.
    dram:
        What a LOAD or STORE moves.
    packets:
        What it consumes, in the order of consumption in each channel.
    """

    opcode: Opcode
    layer: int
    fields: dict[str, int]
    reads: tuple[Area, ...] = ()
    writes: tuple[Area, ...] = ()
    dram: DramRows | None = None
    packets: tuple[Packet, ...] = ()


def nest_fields(levels: list[tuple[int, int, int, int]], base: int = 0, y0: int = 0, x0: int = 0,
                height: int = 1, width: int = 1) -> dict[str, int]:
    """Columns of a loop nest: levels as ``(count, stride, dy, dx)``, innermost first."""
    fields = {"nest_base": base, "y0": y0, "x0": x0, "height": height, "width": width}
    for level in range(6):
        count, stride, dy, dx = levels[level] if level < len(levels) else (1, 0, 0, 0)
        fields[f"count_{level}"] = count
        fields[f"stride_{level}"] = stride
        fields[f"dy_{level}"] = dy
        fields[f"dx_{level}"] = dx
    return fields


def target_fields(base: int, width: int, stride: int, row_stride: int) -> dict[str, int]:
    """Columns of a target."""
    return {"target_base": base, "target_width": width, "target_stride": stride,
            "target_row_stride": row_stride}


def range_fields(zero_point: int, clamp: tuple[int, int]) -> dict[str, int]:
    """Columns of an output range."""
    return {"zero_point": zero_point, "low": clamp[0], "high": clamp[1]}
