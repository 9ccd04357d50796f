"""The compiled program: its table of commands, their bytes, and constants in DRAM."""

from .assembler import Assembler, packet_of_codebook
from .command_table import COLUMN, COLUMNS, pack_table
from .program import Program, align

__all__ = ["COLUMN", "COLUMNS", "Assembler", "Program", "align", "pack_table", "packet_of_codebook"]
