"""What runs a program: the generated Verilog under Verilator, and the cycle model that equals it.

Both count the same events in the same cycles, and both stand behind the same simulated DRAM.
"""

from .counts import Counts
from .cycle import run_model
from .rtl import Recording, design_instances, prepare_model, record, require_tools, run_rtl
from .timeline import Timeline

__all__ = [
    "Counts", "Recording", "Timeline", "design_instances", "prepare_model", "record",
    "require_tools", "run_model", "run_rtl",
]
