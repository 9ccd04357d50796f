"""The generated Verilog under Verilator: the build, the test bench around it, and its jobs."""

from .engine import prepare_model, run_rtl
from .recording import Recording, design_instances, record
from .tools import require_tools

__all__ = [
    "Recording", "design_instances", "prepare_model", "record", "require_tools", "run_rtl",
]
