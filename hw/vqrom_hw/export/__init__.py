"""From Amaranth to files: what leaves the generator for a simulator, a synthesiser or a driver.

:func:`generate` writes a whole design. :func:`to_verilog` converts one component,
:func:`run_yosys` runs Yosys apart from this process, and :func:`registers_markdown` and
:func:`c_header` write the register map down.
"""

from .design import METADATA, ROM, TOP, VERILOG, GeneratedDesign, generate
from .registers import HEADER, c_header, registers_markdown
from .verilog import to_verilog
from .yosys import run_yosys

__all__ = [
    "HEADER", "METADATA", "ROM", "TOP", "VERILOG", "GeneratedDesign", "c_header", "generate",
    "registers_markdown", "run_yosys", "to_verilog",
]
