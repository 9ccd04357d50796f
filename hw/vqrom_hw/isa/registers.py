"""TODO."""

from typing import Any

from .commands import ErrorCode, Region
from .counters import COUNTERS

IDENTIFIER = 0x56_51_52_4D
"""``VQRM``."""
VERSION = 2

ID, VERSION_CSR, CONTROL, STATUS, LAYER, PROGRAM_ADDRESS, PROGRAM_BEATS = range(0x000, 0x01C, 4)
HASH, BASE, LIMIT, ERROR_CODE, ERROR_COMMAND, COUNTER = 0x020, 0x040, 0x060, 0x080, 0x084, 0x100
START, INTERRUPT_ENABLE, INTERRUPT_CLEAR = 0, 1, 2
BUSY, DONE, ERROR = 0, 1, 2


def csr_map() -> dict[str, dict[str, Any]]:
    """Byte offset and access of every register, for ``vqrom.json``."""
    registers: dict[str, tuple[int, str, str]] = {
        "id": (ID, "ro", "0x5651524d, 'VQRM'"),
        "version": (VERSION_CSR, "ro", "version of command set and register map"),
        "control": (CONTROL, "rw",
                    "bit 0 start (write 1), bit 1 interrupt enable, "
                    "bit 2 interrupt clear (write 1)"),
        "status": (STATUS, "ro", "bit 0 busy, bit 1 done, bit 2 error"),
        "layer": (LAYER, "ro", "layer number of the command that is being dispatched"),
        "program_address": (PROGRAM_ADDRESS, "rw", "byte address of the first command"),
        "program_beats": (PROGRAM_BEATS, "rw", "length of the program in bus beats, below 2**24"),
        "error_code": (ERROR_CODE, "ro", "why the last program failed: " + ", ".join(
            f"{code.value} {code.name.lower()}" for code in ErrorCode)),
        "error_command": (ERROR_COMMAND, "ro", "position in the program of the command at fault"),
    }
    for word in range(8):
        registers[f"codebook_sha256_{word}"] = (
            HASH + 4 * word, "ro", f"bytes {4 * word}..{4 * word + 3} of the SHA-256 "
            "of the codebook in use")
    for region in Region:
        registers[f"base_{region.name.lower()}"] = (
            BASE + 4 * region, "rw", f"byte address of DRAM region {region.name.lower()}")
        registers[f"limit_{region.name.lower()}"] = (
            LIMIT + 4 * region, "rw", f"bytes of DRAM region {region.name.lower()}")
    for number, name in enumerate(COUNTERS):
        registers[f"counter_{name}"] = (COUNTER + 8 * number, "ro", "64 bit, low word first")
    return {name: {"offset": offset, "access": access, "description": text}
            for name, (offset, access, text) in registers.items()}
