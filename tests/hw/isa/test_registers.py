"""The register declaration: what it gives, and what it refuses."""

import inspect

import pytest

from vqrom_hw.bus import axi4lite_members
from vqrom_hw.isa import (
    ABORT,
    COUNTER_MEANINGS,
    COUNTERS,
    DECLARED,
    ERROR,
    INTERRUPT_CLEAR,
    INTERRUPT_ENABLE,
    REGISTER_ADDRESS_BITS,
    REGISTERS,
    START,
    ErrorCode,
    Region,
    Register,
    RegisterArray,
    RegisterField,
    csr_map,
    registers,
)
from vqrom_hw.isa.registers import flatten


def test_the_map_is_the_declaration():
    assert csr_map() == {
        register.name: {"offset": register.offset, "access": register.access,
                        "description": register.description}
        for declared in DECLARED for register in declared.registers}
    assert list(csr_map()) == list(REGISTERS)
    for port in ("awaddr", "araddr"):
        assert axi4lite_members("")[port].shape == REGISTER_ADDRESS_BITS, "all can be addressed"


def test_arrays_follow_their_items():
    for region in Region:
        name = region.name.lower()
        assert REGISTERS[f"base_{name}"].offset == REGISTERS["base_constant"].offset + 4 * region
        assert REGISTERS[f"limit_{name}"].offset == REGISTERS["limit_constant"].offset + 4 * region
    first = REGISTERS[f"counter_{COUNTERS[0]}"].offset
    for number, counter in enumerate(COUNTERS):
        register = REGISTERS[f"counter_{counter}"]
        assert (register.offset, register.width) == (first + 8 * number, 64)
    assert REGISTERS["codebook_sha256_7"].description == (
        "bytes 28..31 of the SHA-256 of the codebook in use")
    assert tuple(COUNTER_MEANINGS) == COUNTERS


def test_fields_are_numbered_once():
    control, status = REGISTERS["control"], REGISTERS["status"]
    assert [field.bit for field in control.fields] == [START, INTERRUPT_ENABLE, INTERRUPT_CLEAR,
                                                        ABORT]
    assert status.field("error").bit == ERROR
    assert control.field("interrupt_clear").mask == 1 << INTERRUPT_CLEAR
    assert REGISTERS["layer"].field("layer").mask == 0xFFF
    assert max(ErrorCode) <= REGISTERS["error_code"].field("code").mask
    with pytest.raises(KeyError, match="register 'status' has no field 'tired'"):
        status.field("tired")


@pytest.mark.parametrize(("change", "rule"), [
    ({"offset": 0x00A}, "register 'mode': offset must be a multiple of 4, not 10"),
    ({"offset": 0x104, "width": 64}, "register 'mode': offset must be a multiple of 8, not 260"),
    ({"offset": 0x1000}, "register 'mode': offset must lie within the 4096 bytes of registers, "
                         "not 4096"),
    ({"offset": -4}, "register 'mode': offset must lie within the 4096 bytes of registers, not -4"),
    ({"width": 16}, "register 'mode': width must be 32 or 64, not 16"),
    ({"access": "wo"}, "register 'mode': access must be 'ro' or 'rw', not 'wo'"),
    ({"name": "the mode"}, "register 'the mode': name must be an identifier, not 'the mode'"),
    ({"fields": (RegisterField("a", 0, 2, ""), RegisterField("b", 1, 1, ""))},
     "register 'mode': field 'b' must not overlap field 'a'"),
    ({"fields": (RegisterField("a", 30, 3, ""),)},
     "register 'mode': field 'a' must lie within 32 bits, not at bit 30 with 3 bits"),
    ({"fields": (RegisterField("a", 3, 0, ""),)},
     "register 'mode': field 'a' must lie within 32 bits, not at bit 3 with 0 bits"),
])
def test_refuses_a_wrong_register(change, rule):
    with pytest.raises(ValueError) as caught:
        Register(**{"name": "mode", "offset": 0x200, "access": "rw", "description": ""} | change)
    assert str(caught.value) == rule


@pytest.mark.parametrize(("declared", "rule"), [
    ((Register("mode", 0x10, "ro", ""), Register("speed", 0x10, "ro", "")),
     "register 'speed' at 0x010 must not overlap register 'mode' at 0x010"),
    ((Register("mode", 0x14, "ro", ""), Register("total", 0x10, "ro", "", width=64)),
     "register 'total' at 0x010 must not overlap register 'mode' at 0x014"),
    ((RegisterArray("base", 0x10, "rw", "", ("a", "b")),
      RegisterArray("limit", 0x14, "rw", "", ("a", "b"))),
     "register 'base_b' at 0x014 must not overlap register 'limit_a' at 0x014"),
    ((Register("mode", 0x10, "ro", ""), Register("mode", 0x14, "ro", "")),
     "register 'mode' at 0x014 must have a name of its own, not that of the one at 0x010"),
])
def test_refuses_registers_that_meet(declared, rule):
    with pytest.raises(ValueError) as caught:
        flatten(declared)
    assert str(caught.value) == rule


@pytest.mark.parametrize(("old", "new", "rule"), [
    ('"error_command", 0x084', '"error_command", 0x080',
     "register 'error_command' at 0x080 must not overlap register 'error_code' at 0x080"),
    ('"limit", 0x060', '"limit", 0x044',
     "register 'base_input' at 0x044 must not overlap register 'limit_constant' at 0x044"),
    ('"layer", 0x010', '"layer", 0x011', "register 'layer': offset must be a multiple of 4"),
])
def test_import_refuses_a_wrong_declaration(old, new, rule):
    source = inspect.getsource(registers)
    assert source.count(old) == 1
    with pytest.raises(ValueError, match=rule):
        exec(compile(source.replace(old, new), "registers.py", "exec"),
             {"__name__": registers.__name__, "__package__": registers.__package__})
