"""Command tables have the same bytes as commands that are packed one by one, errors included."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from amaranth.lib import data

from tests.hw.isa.packing import pack_command
from vqrom_hw.errors import VqromError
from vqrom_hw.isa import BODIES, Opcode, header_layout
from vqrom_sw.compiler import COLUMN, COLUMNS
from vqrom_sw.compiler.program import FIELDS, pack_table
from vqrom_sw.compiler.program.command_table import new_row

DIGEST = bytes(range(100, 132)).hex()


def nested(layout: data.Layout, row: dict[int, int], first: int) -> Any:
    """What ``pack_command`` takes, from values by bit offset."""
    if isinstance(layout, data.ArrayLayout):
        return [nested(field.shape, row, first + field.offset) for _, field in layout]
    return {key: nested(field.shape, row, first + field.offset)
            if isinstance(field.shape, data.Layout)
            else int.from_bytes(bytes.fromhex(DIGEST), "little") if key == "sha256"
            else row[first + field.offset]
            for key, field in layout}  # pyright: ignore[reportGeneralTypeIssues]


@pytest.mark.parametrize("opcode", list(Opcode))
def test_same_bytes_as_single_commands(opcode: Opcode) -> None:
    rng = np.random.default_rng(opcode)
    table, expected = [], b""
    for _ in range(5):
        row = np.zeros(len(COLUMNS), np.int64)
        by_offset = {}
        for field in FIELDS[opcode]:
            low = -(1 << field.width - 1) if field.is_signed else 0
            value = int(rng.integers(low, low + (1 << field.width)))
            row[field.column] = by_offset[field.offset] = value
        row[0] = by_offset[header_layout["opcode"].offset] = opcode
        table.append(row)
        header = nested(header_layout, by_offset, 0)
        body = nested(BODIES[opcode], by_offset, header_layout.size) if opcode in BODIES else {}
        expected += pack_command(opcode, header["layer"], header["wait"], **body)
    assert pack_table(np.array(table), DIGEST) == expected


def test_every_column_belongs_to_a_field() -> None:
    used = {COLUMNS[field.column] for fields in FIELDS.values() for field in fields}
    assert used == set(COLUMNS)
    for fields in FIELDS.values():
        columns = [field.column for field in fields]
        assert len(columns) == len(set(columns))


def test_values_must_fit() -> None:
    table = np.array([new_row({"opcode": Opcode.LOAD, "beats": 1 << 24})])
    with pytest.raises(VqromError, match=r"command field beats must be in 0\.\.16777215, "
                                         r"not 16777216"):
        pack_table(table)
    with pytest.raises(KeyError):
        new_row({"colour": 1})
    assert COLUMN["opcode"] == 0
