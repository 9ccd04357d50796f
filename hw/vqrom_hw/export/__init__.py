"""From Amaranth to files: the Verilog, the memory files and ``vqrom.json`` of a design."""

from .design import METADATA, ROM, TOP, VERILOG, generate
from .yosys import run_yosys

__all__ = ["METADATA", "ROM", "TOP", "VERILOG", "generate", "run_yosys"]
