"""The register map for people and for drivers: a page of the documentation, and a C header.

Both are written from :data:`vqrom_hw.isa.registers.DECLARED`, so that neither can disagree with the
hardware.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import (
    COMMAND_BYTES,
    COUNTER_MEANINGS,
    DECLARED,
    IDENTIFIER,
    REGISTERS,
    VERSION,
    ErrorCode,
    Region,
    Register,
    RegisterArray,
    RegisterField,
)

HEADER = "vqrom.h"
"""Name of the C header beside the Verilog."""

_INTRODUCTION = """\
# Registers

A driver sets up a program, starts it and learns how it ended through these registers. They lie
behind the AXI4-Lite port `s_axil_*`, in 4 KiB from its base address; accesses are 32 bits wide. An
address without a register reads 0, and writes to a register that is read only (`ro`) are ignored.
[The integration guide](../hw/integration.md) says in which order a driver uses them.

This page is not written by hand: `registers_markdown` of `hw/vqrom_hw/export/registers.py` makes it
from the one declaration in `hw/vqrom_hw/isa/registers.py`, from which the hardware's decoders, the
map in `vqrom.json` and the C header `vqrom.h` are made as well."""

_FIELDS = """\
Registers that are more, or less, than one number of 32 bits. Their other bits are written as 0 and
read as 0."""

_ERRORS = """\
The values of `error_code`; [the integration guide](../hw/integration.md#errors) says when each
occurs."""

_COUNTERS = """\
A counter has 64 bits in two words, the low one first. It runs while a program does, and a start
clears it. In each cycle exactly one counter of the kind "cycles with the cause ..." goes on
([what a cycle is spent on](../hw/dataflow.md#what-a-cycle-is-spent-on))."""


def registers_markdown() -> str:
    """The page ``docs/reference/registers.md``."""
    counters = next(array for array in DECLARED if array.name == "counter").registers
    others = sorted((register for register in REGISTERS.values() if register not in counters),
                    key=lambda register: register.offset)
    return "\n".join([
        _INTRODUCTION, "",
        *_table(("offset", "register", "access", "content"), (
            (f"`{register.offset:#05x}`", f"`{register.name}`", register.access,
             register.description) for register in others)), "",
        "## Fields", "", _FIELDS, "",
        *_table(("register", "bits", "field", "meaning"), (
            (f"`{register.name}`", _bits(field), f"`{field.name}`", _meaning(field))
            for register in others for field in register.fields)), "",
        "## Error codes", "", _ERRORS, "",
        *_table(("code", "name"), (
            (str(code.value), f"`{code.name.lower()}`") for code in ErrorCode)), "",
        "## Counters", "", _COUNTERS, "",
        *_table(("offset", "register", "what it counts"), (
            (f"`{register.offset:#05x}`", f"`{register.name}`", meaning)
            for register, meaning in zip(counters, COUNTER_MEANINGS.values(), strict=True))), "",
    ])


def _table(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    titles = list(titles)
    for row in (titles, ["---"] * len(titles), *rows):
        yield f"| {' | '.join(row)} |"


def _meaning(field: RegisterField) -> str:
    return f"write 1: {field.description}; reads 0" if field.write_one else field.description


def _bits(field: RegisterField) -> str:
    return str(field.bit) if field.width == 1 else f"{field.bit + field.width - 1}..{field.bit}"


def c_header(config: AcceleratorConfig) -> str:
    """A C header with what a driver needs to know of the registers.

    Its macros are ``VQROM_REG_<REGISTER>``: a byte offset; ``VQROM_REG_<ARRAY>(n)``: that of the
    ``n``-th register of an array, of which there are ``VQROM_REG_<ARRAY>_COUNT``;
    ``VQROM_<REGISTER>_<FIELD>_SHIFT`` and ``_MASK``: lowest bit of a field, and its bits at their
    place; ``VQROM_ERROR_<NAME>``: values of ``error_code``; ``VQROM_REGION_<NAME>``: numbers of
    DRAM regions, by which ``VQROM_REG_BASE`` counts.

    Parameters
    ----------
    config:
        The accelerator, for the bytes of a bus beat (``program_beats`` is in beats).
    """
    return "\n".join([
        "/* Registers of a vqrom accelerator. Generated with its Verilog; do not edit. */",
        "#ifndef VQROM_H", "#define VQROM_H", "",
        "/* What the registers id and version read if this header fits the hardware. */",
        f"#define VQROM_IDENTIFIER {IDENTIFIER:#010x}u", f"#define VQROM_VERSION {VERSION}u", "",
        "/* Bytes of a command and of a bus beat: a program of n commands has",
        "   n * VQROM_COMMAND_BYTES / VQROM_BEAT_BYTES beats. */",
        f"#define VQROM_COMMAND_BYTES {COMMAND_BYTES}u",
        f"#define VQROM_BEAT_BYTES {config.beat_bytes}u", "",
        "/* Byte offsets of registers; those of 64 bits take two words, the low one first. */",
        *(line for declared in DECLARED for line in _offsets(declared)), "",
        "/* Fields: number of the lowest bit, and all bits at their place. */",
        *(line for register in REGISTERS.values() for line in _fields(register)), "",
        "/* Values of the register error_code. */",
        *(f"#define VQROM_ERROR_{code.name} {code.value}u" for code in ErrorCode), "",
        "/* DRAM regions: the n of VQROM_REG_BASE(n) and VQROM_REG_LIMIT(n). */",
        *(f"#define VQROM_REGION_{region.name} {region.value}u" for region in Region), "",
        "#endif", "",
    ])


def _offsets(declared: Register | RegisterArray) -> Iterator[str]:
    if isinstance(declared, RegisterArray):
        macro = f"VQROM_REG_{declared.name.upper()}"
        yield f"#define {macro}(n) ({declared.offset:#05x}u + {declared.stride}u * (n))"
        yield f"#define {macro}_COUNT {len(declared.items)}u"
    for register in declared.registers:
        yield f"#define VQROM_REG_{register.name.upper()} {register.offset:#05x}u"


def _fields(register: Register) -> Iterator[str]:
    for field in register.fields:
        macro = f"VQROM_{register.name}_{field.name}".upper()
        yield f"#define {macro}_SHIFT {field.bit}"
        yield f"#define {macro}_MASK {field.mask:#010x}u"
