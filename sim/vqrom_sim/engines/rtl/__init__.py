"""The generated Verilog under Verilator: the build, the test bench around it, and its jobs."""

from .engine import prepare_model, run_rtl
from .recording import Recording, design_instances, record
from .tools import require_headers, require_tools
from .waves import SIGNALS_FILE, WAVES_FILE, Waves, record_waves

__all__ = [
    "SIGNALS_FILE", "WAVES_FILE", "Recording", "Waves", "design_instances", "prepare_model",
    "record", "record_waves", "require_headers", "require_tools", "run_rtl",
]
