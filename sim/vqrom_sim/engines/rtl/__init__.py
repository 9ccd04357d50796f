"""The generated Verilog under Verilator: the build, the test bench around it, and its jobs."""

from .engine import run_rtl
from .tools import require_tools

__all__ = ["require_tools", "run_rtl"]
