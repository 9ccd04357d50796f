"""The compiled program: its command table, the bytes of both, and how operations become them."""

from .assembler import TRANSFER_STREAMS, Assembly, assemble
from .command_table import COLUMN, COLUMNS, FIELDS, WAITS, pack_table
from .program import Program

__all__ = [
    "COLUMN", "COLUMNS", "FIELDS", "TRANSFER_STREAMS", "WAITS", "Assembly", "Program", "assemble",
    "pack_table",
]
