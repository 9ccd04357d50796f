"""The command table: commands as lines of integers, and as the bytes that the accelerator reads.

A program has thousands of commands. As one table they are packed and checked by numpy, and the
cycle model times them without decoding anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Shape
from amaranth.lib import data

from vqrom_hw.errors import VqromError
from vqrom_hw.isa import (
    BODIES,
    COMMAND_BYTES,
    LEVELS,
    Opcode,
    Unit,
    check_layout,
    codebook_layout,
    header_layout,
)


@dataclass(frozen=True)
class CommandField:
    """Where a column of the table lies in the bits of one opcode's commands.

    Members
    -------
    column:
        Index into :data:`COLUMNS`.
    offset, width:
        The first of its bits in the command, and how many there are.
    is_signed:
        Whether they are in two's complement.
    """

    column: int
    offset: int
    width: int
    is_signed: bool


WAITS = tuple(f"wait_{unit.name.lower()}" for unit in Unit)
"""Columns of the wait counts, in the order of :class:`vqrom_hw.isa.Unit`."""

_NEST = (*(f"{name}_{level}" for level in range(LEVELS)
           for name in ("count", "stride", "dy", "dx")),
         "nest_base", "y0", "x0", "height", "width")
_RESULT = ("target_base", "target_width", "target_stride", "target_row_stride", "zero_point",
           "low", "high")

COLUMNS = (
    "opcode", "layer", *WAITS,
    "channel", "stream", "region", "offset", "beats", "base", "words", "packets", "window", "hop",
    "pad_value", *_NEST, *_RESULT,
    "raw", "fills", "parameter_groups", "passes", "pixels", "section",
    "operation", "taps", "kernel_columns", "column_stride", "pre_shift", "bias", "multiplier",
    "shift",
    "zero_point_0", "multiplier_0", "right_shift_0",
    "zero_point_1", "multiplier_1", "right_shift_1",
    "broadcast", "operand_base", "lane_tables", "rotation", "first_lane", "lanes", "codewords",
)
"""The table's columns: fields of all commands by name; one that an opcode does not have is zero.

In this order: the header (FETCH, LOAD and STORE use the next ten, up to ``pad_value``); the loops
``count_l, stride_l, dy_l, dx_l`` of level ``l``, the nest's ``nest_base, y0, x0, height, width``,
the target and the range of COMPUTE and VECTOR; then those of COMPUTE, VECTOR, its operands, tables
and moves, and ``codewords`` of CODEBOOK. The SHA-256 of CHECK and CODEBOOK is no column.
"""

COLUMN: Mapping[str, int] = {name: index for index, name in enumerate(COLUMNS)}
"""The index of each column by its name."""


def _column_name(path: tuple[str, ...]) -> str:
    """The column of a field, from the names that lead to it in the command's layout."""
    match path:
        case (*_, "levels", level, name):
            return f"{name}_{level}"
        case ("operands", number, name):
            return f"{name}_{number}"
        case (*_, "nest", "base"):
            return "nest_base"
        case (*_, "target", name):
            return f"target_{name}"
        case ("wait", unit):
            return f"wait_{unit}"
        case _:
            return path[-1]


def _fields(layout: data.Layout, first: int = 0,
            path: tuple[str, ...] = ()) -> list[CommandField]:
    """The columns of a layout that begins at bit ``first``; a digest is no column."""
    fields = []
    for key, field in layout:  # pyright: ignore[reportGeneralTypeIssues]
        inner, offset = (*path, str(key)), first + field.offset
        if isinstance(field.shape, data.Layout):
            fields += _fields(field.shape, offset, inner)
        elif key != "sha256":
            shape = Shape.cast(field.shape)
            fields.append(CommandField(COLUMN[_column_name(inner)], offset, shape.width,
                                       shape.signed))
    return fields


FIELDS: Mapping[Opcode, tuple[CommandField, ...]] = {
    opcode: tuple(_fields(header_layout)
                  + (_fields(BODIES[opcode], header_layout.size) if opcode in BODIES else []))
    for opcode in Opcode}
"""The columns that each opcode's commands have, header included."""


def new_row(values: Mapping[str, int]) -> list[int]:
    """One table line from values by column name; columns that are not named are zero.

    Raises
    ------
    KeyError
        If there is no column of that name.
    """
    line = [0] * len(COLUMNS)
    for name, value in values.items():
        line[COLUMN[name]] = value
    return line


def pack_table(table: np.ndarray, sha256: str = "") -> bytes:
    """Encode commands as the accelerator reads them, ``COMMAND_BYTES`` each.

    Parameters
    ----------
    table:
        The commands, int64 ``[n, len(COLUMNS)]``.
    sha256:
        The codebook's SHA-256 in hexadecimal, which CHECK and CODEBOOK carry.

    Raises
    ------
    VqromError
        If a value does not fit its field.
    """
    words = np.zeros((len(table), COMMAND_BYTES // 8), np.uint64)
    for opcode in np.unique(table[:, 0]):
        lines = np.flatnonzero(table[:, 0] == opcode)
        chosen = table[lines]
        packed = np.zeros((len(lines), words.shape[1]), np.uint64)
        for field in FIELDS[Opcode(int(opcode))]:
            _pack_field(packed, field, chosen[:, field.column])
        words[lines] = packed
    content = bytearray(words.astype("<u8").tobytes())
    for opcode, layout in ((Opcode.CHECK, check_layout), (Opcode.CODEBOOK, codebook_layout)):
        for position in np.flatnonzero(table[:, 0] == opcode):
            _insert(content, int(position), header_layout.size + layout["sha256"].offset, sha256)
    return bytes(content)


def _pack_field(packed: np.ndarray, field: CommandField, values: np.ndarray) -> None:
    """Put one column's values into the 64-bit words of commands, after checking their range."""
    low = -(1 << field.width - 1) if field.is_signed else 0
    high = low + (1 << field.width) - 1
    wrong = (values < low) | (values > high)
    if wrong.any():
        raise VqromError(f"command field {COLUMNS[field.column]} must be in {low}..{high}, "
                         f"not {int(values[wrong][0])!r}")
    bits = (values & ((1 << field.width) - 1)).astype(np.uint64)
    word, place = divmod(field.offset, 64)
    packed[:, word] |= bits << np.uint64(place)
    if place + field.width > 64:
        packed[:, word + 1] |= bits >> np.uint64(64 - place)


def _insert(content: bytearray, position: int, offset: int, sha256: str) -> None:
    """Put a digest at a bit offset of one command, byte 0 lowest."""
    first = position * COMMAND_BYTES
    command = int.from_bytes(content[first:first + COMMAND_BYTES], "little")
    command |= int.from_bytes(bytes.fromhex(sha256), "little") << offset
    content[first:first + COMMAND_BYTES] = command.to_bytes(COMMAND_BYTES, "little")
