"""Commands: fields where the layout says, values that fit."""

import pytest
from amaranth.lib import data

from tests.hw.isa.packing import pack_command
from vqrom_hw.errors import VqromError
from vqrom_hw.isa import BODIES, COMMAND_BYTES, Opcode, command_layout, header_layout


def leaves(layout, path=()):
    """Every scalar of a layout: path, first bit, shape."""
    for key, field in layout:
        if isinstance(field.shape, data.Layout):
            for inner, offset, shape in leaves(field.shape, (*path, key)):
                yield inner, offset + field.offset, shape
        else:
            yield (*path, key), field.offset, field.shape


def nested(path, value) -> dict:
    """Keyword arguments that set one leaf; list items before it are empty records."""
    for key in reversed(path[1:]):
        value = [{}] * key + [value] if isinstance(key, int) else {key: value}
    return {path[0]: value}


FIELDS = [(opcode, path, header_layout.size + offset, shape) for opcode, layout in BODIES.items()
          for path, offset, shape in leaves(layout)]
FIELDS += [(Opcode.END, path, offset, shape) for path, offset, shape in leaves(header_layout)
           if path != ("opcode",)]


def test_layout_fits_a_command():
    assert command_layout.size <= 8 * COMMAND_BYTES


def test_opcode_is_lowest():
    for opcode in Opcode:
        assert pack_command(opcode) == bytes([opcode]) + bytes(COMMAND_BYTES - 1)


@pytest.mark.parametrize("opcode", list(Opcode))
def test_each_field_is_where_the_layout_says(opcode):
    for owner, path, offset, shape in FIELDS:
        if owner != opcode:
            continue
        low = -(1 << shape.width - 1) if shape.signed else 0
        high = low + (1 << shape.width) - 1
        for value in (low, high):
            packed = int.from_bytes(pack_command(opcode, **nested(path, value)), "little")
            assert packed == opcode | (value & (1 << shape.width) - 1) << offset
        for wrong in (low - 1, high + 1):
            with pytest.raises(VqromError, match=rf"must be in {low}\.\.{high}, not {wrong}"):
                pack_command(opcode, **nested(path, wrong))


@pytest.mark.parametrize(("opcode", "fields", "rule"), [
    (Opcode.LOAD, {"colour": 1}, "no field 'colour'"),
    (Opcode.END, {"beats": 1}, "no field 'beats'"),
    (Opcode.COMPUTE, {"nest": 3}, "must be a record"),
    (Opcode.VECTOR, {"nest": {"levels": [{}] * 7}}, "short enough list"),
    (Opcode.COMPUTE, {"post": {"speed": 1}}, r"no field post\.'speed'"),
])
def test_wrong_commands(opcode, fields, rule):
    with pytest.raises(VqromError, match=rule):
        pack_command(opcode, **fields)
