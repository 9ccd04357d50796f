"""The registers that a driver sees, declared once.

:data:`DECLARED` is the only place that says where a register lies and what it holds. Everything
else is derived from it: :data:`REGISTERS` by name, the decoders of
:class:`vqrom_hw.control.CsrBlock`, the map in ``vqrom.json`` (:func:`csr_map`), the C header and
the documentation (:mod:`vqrom_hw.export.registers`).
"""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from .commands import POSITION, fault_layout, header_layout
from .counters import COUNTERS
from .numbering import ErrorCode, Region
from .register import WORD_BYTES, Register, RegisterArray, RegisterField

IDENTIFIER = 0x56_51_52_4D
"""What the register ``id`` reads: ``VQRM`` in ASCII, so that a driver knows what it talks to."""

VERSION = 3
"""What the register ``version`` reads: grows when the command set or the register map changes."""

WATCHDOG_CYCLES = 1 << 30
"""What the register ``watchdog`` holds after a reset: more than any command of any network takes,
and ten seconds at 100 MHz."""

_SHA256_WORDS = 256 // (8 * WORD_BYTES)

_REGION_NAMES = tuple(region.name.lower() for region in Region)

_CONTROL = (
    RegisterField("start", 0, 1, "run the program; ignored while one runs", write_one=True),
    RegisterField("interrupt_enable", 1, 1, "raise the interrupt at done and error"),
    RegisterField("interrupt_clear", 2, 1, "clear done and error", write_one=True),
    RegisterField("abort", 3, 1, "end the program that runs, with an error", write_one=True))

_STATUS = (
    RegisterField("busy", 0, 1, "a program runs"),
    RegisterField("done", 1, 1, "a program has reached its END since the last clear or start"),
    RegisterField("error", 2, 1, "a program has failed since the last clear or start"),
    RegisterField("settling", 3, 1, "the bus may still answer what was asked before; a start waits"
                  ))


def _bits(fields: tuple[RegisterField, ...]) -> str:
    return ", ".join(f"bit {field.bit} {field.name.replace('_', ' ')}"
                     f"{' (write 1)' if field.write_one else ''}" for field in fields)


DECLARED: tuple[Register | RegisterArray, ...] = (
    Register("id", 0x000, "ro", f"{IDENTIFIER:#010x}, 'VQRM'"),
    Register("version", 0x004, "ro", "version of command set and register map"),
    Register("control", 0x008, "rw", _bits(_CONTROL), _CONTROL),
    Register("status", 0x00C, "ro", _bits(_STATUS), _STATUS),
    Register("layer", 0x010, "ro", "layer number of the command that is being dispatched", (
        RegisterField("layer", 0, header_layout["layer"].width,
                      "layer of the command that was handed out last"),)),
    Register("program_address", 0x014, "rw", "byte address of the first command"),
    Register("program_beats", 0x018, "rw", "length of the program in bus beats, below 2**24", (
        RegisterField("beats", 0, 24, "number of bus beats"),)),
    Register("program_limit", 0x01C, "rw", "most bytes that may be read as the program"),
    Register("error_code", 0x080, "ro", "why the last program failed: " + ", ".join(
        f"{code.value} {code.name.lower()}" for code in ErrorCode), (
            RegisterField("code", 0, fault_layout["code"].width,
                          "number of the error, 0 if there was none"),)),
    Register("error_command", 0x084, "ro", "position in the program of the command at fault", (
        RegisterField("position", 0, POSITION, "number of the command, the first one is 0"),)),
    Register("watchdog", 0x088, "rw", "cycles after which a program fails in which no command is "
             f"handed out or finished, 0 for no end; {WATCHDOG_CYCLES} after a reset"),
    RegisterArray("codebook_sha256", 0x020, "ro",
                  "bytes {first}..{last} of the SHA-256 of the codebook in use",
                  tuple(map(str, range(_SHA256_WORDS)))),
    RegisterArray("base", 0x040, "rw", "byte address of DRAM region {item}", _REGION_NAMES),
    RegisterArray("limit", 0x060, "rw", "bytes of DRAM region {item}", _REGION_NAMES),
    RegisterArray("counter", 0x100, "ro", "64 bit, low word first", COUNTERS, width=64),
)
"""All registers, in the order in which the read decoder compares addresses.

The descriptions are part of ``vqrom.json``.
"""


def flatten(declared: Iterable[Register | RegisterArray]) -> dict[str, Register]:
    """All registers of a declaration by name, those of arrays one by one.

    Neighbouring arrays over the same items alternate: ``base_input``, ``limit_input``,
    ``base_output``, ``limit_output``.

    Raises
    ------
    ValueError
        If two registers share a name or a byte; the text names both.
    """
    flat: dict[str, Register] = {}
    owners: dict[int, Register] = {}
    for _, run in groupby(declared, key=lambda entry: entry.items):
        for together in zip(*(entry.registers for entry in run), strict=True):
            for register in together:
                _claim(register, flat, owners)
    return flat


def _claim(register: Register, flat: dict[str, Register], owners: dict[int, Register]) -> None:
    if register.name in flat:
        raise ValueError(f"register {register.name!r} at {register.offset:#05x} must have a name "
                         f"of its own, not that of the one at {flat[register.name].offset:#05x}")
    flat[register.name] = register
    for byte in range(register.offset, register.offset + register.width // 8):
        other = owners.setdefault(byte, register)
        if other is not register:
            raise ValueError(
                f"register {register.name!r} at {register.offset:#05x} must not overlap register "
                f"{other.name!r} at {other.offset:#05x}")


REGISTERS: dict[str, Register] = flatten(DECLARED)
"""Every register by the name that it has in ``vqrom.json``."""

START, INTERRUPT_ENABLE, INTERRUPT_CLEAR, ABORT = (
    REGISTERS["control"].field(name).bit
    for name in ("start", "interrupt_enable", "interrupt_clear", "abort"))
"""Bit numbers of the register ``control``."""

ERROR = REGISTERS["status"].field("error").bit
"""Bit number of the register ``status`` that says that the last program failed."""


def csr_map() -> dict[str, dict[str, Any]]:
    """The register map as ``vqrom.json`` carries it.

    Returns
    -------
    By the name of each register its byte ``offset``, its ``access`` (``ro`` or ``rw``) and its
    ``description``.
    """
    return {name: {"offset": register.offset, "access": register.access,
                   "description": register.description}
            for name, register in REGISTERS.items()}
