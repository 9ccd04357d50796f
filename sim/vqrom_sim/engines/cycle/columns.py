"""Columns of a command table that timing depends on, as constants that numba compiles in."""

from vqrom_hw.isa import LEVELS
from vqrom_sw.compiler import COLUMN

OPCODE, LAYER, WAIT = COLUMN["opcode"], COLUMN["layer"], COLUMN["wait_load"]
CHANNEL, STREAM, REGION = COLUMN["channel"], COLUMN["stream"], COLUMN["region"]
OFFSET, BEATS, BASE = COLUMN["offset"], COLUMN["beats"], COLUMN["base"]
WORDS, PACKETS, WINDOW, HOP = (COLUMN[name] for name in ("words", "packets", "window", "hop"))
LEVEL = COLUMN["count_0"]
"""First of the four columns ``count, stride, dy, dx`` of each of the loops."""
NEST = COLUMN["nest_base"]
"""First of ``nest_base, y0, x0, height, width``."""
TARGET = COLUMN["target_base"]
"""First of ``target_base, target_width, target_stride, target_row_stride``."""
RAW, FILLS, GROUPS = COLUMN["raw"], COLUMN["fills"], COLUMN["parameter_groups"]
PASSES, PIXELS, SECTION = COLUMN["passes"], COLUMN["pixels"], COLUMN["section"]
OPERATION, TAPS, CODEWORDS = COLUMN["operation"], COLUMN["taps"], COLUMN["codewords"]
KERNEL_COLUMNS, COLUMN_STRIDE = COLUMN["kernel_columns"], COLUMN["column_stride"]

assert COLUMN["count_1"] == LEVEL + 4 and NEST == LEVEL + 4 * LEVELS
assert COLUMN["width"] == NEST + 4 and COLUMN["wait_store"] == WAIT + 4
assert COLUMN["target_row_stride"] == TARGET + 3
