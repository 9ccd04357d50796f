"""The generated Verilog under Verilator: the build, the test bench around it, and its jobs."""

from .engine import prepare_model, run_rtl
from .tools import require_tools

__all__ = ["prepare_model", "require_tools", "run_rtl"]
