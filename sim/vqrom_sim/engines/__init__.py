"""What runs a program: the generated Verilog under Verilator, and the cycle model that equals it.

Both count the same events in the same cycles, and both stand behind the same simulated DRAM.
"""

from .counts import Counts
from .cycle import run_model, trace_model
from .rtl import (
    SIGNALS_FILE,
    WAVES_FILE,
    Recording,
    Waves,
    design_instances,
    prepare_model,
    record,
    record_waves,
    require_headers,
    require_tools,
    run_rtl,
)
from .timeline import Timeline

__all__ = [
    "SIGNALS_FILE", "WAVES_FILE", "Counts", "Recording", "Timeline", "Waves",
    "design_instances", "prepare_model", "record", "record_waves", "require_headers",
    "require_tools", "run_model", "run_rtl", "trace_model",
]
