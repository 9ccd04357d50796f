"""Columns of a command table that timing depends on, as constants that numba compiles in.

The table is :mod:`vqrom_sw.compiler.program.command_table`'s. Columns that the model walks through
by adding to the first one have to lie side by side there, which is checked here.
"""

from vqrom_hw.errors import VqromError
from vqrom_hw.isa import LEVELS, Unit
from vqrom_sw.compiler import COLUMN, COLUMNS

ROW = len(COLUMNS)
"""Columns of a command: from one command's place to the next one's."""


def _first_of(*names: str) -> int:
    """The first of columns that lie side by side."""
    first = COLUMN[names[0]]
    if COLUMNS[first:first + len(names)] != names:
        raise VqromError(f"columns of a command table must lie side by side: {names!r}")
    return first


OPCODE, LAYER = COLUMN["opcode"], COLUMN["layer"]
WAIT = _first_of(*(f"wait_{unit.name.lower()}" for unit in Unit))
"""First of the numbers of finished commands that a command waits for, one for each unit."""
CHANNEL, STREAM = COLUMN["channel"], COLUMN["stream"]
OFFSET, BEATS, BASE = COLUMN["offset"], COLUMN["beats"], COLUMN["base"]
WORDS, PACKETS, WINDOW, HOP = (COLUMN[name] for name in ("words", "packets", "window", "hop"))
_LOOP = ("count", "stride", "dy", "dx")
LEVEL = _first_of(*(f"{name}_{level}" for level in range(LEVELS) for name in _LOOP))
"""First of the columns ``count, stride, dy, dx`` of each of the loops, the innermost first."""
LOOP = len(_LOOP)
"""Columns of one loop."""
NEST = _first_of("nest_base", "y0", "x0", "height", "width")
"""First of ``nest_base, y0, x0, height, width``."""
TARGET = _first_of("target_base", "target_width", "target_stride", "target_row_stride")
"""First of ``target_base, target_width, target_stride, target_row_stride``."""
RAW, FILLS, PARAMETERS = COLUMN["raw"], COLUMN["fills"], COLUMN["parameter_groups"]
PASSES, PIXELS, SECTION = COLUMN["passes"], COLUMN["pixels"], COLUMN["section"]
OPERATION, TAPS, CODEWORDS = COLUMN["operation"], COLUMN["taps"], COLUMN["codewords"]
KERNEL_COLUMNS, COLUMN_STRIDE = COLUMN["kernel_columns"], COLUMN["column_stride"]
BROADCAST, OPERAND_BASE = COLUMN["broadcast"], COLUMN["operand_base"]
LANE_TABLES = COLUMN["lane_tables"]
