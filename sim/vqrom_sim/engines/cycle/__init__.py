"""The cycle model: the accelerator's control without its data, cycle by cycle as the Verilog."""

from .model import run_model, trace_model

__all__ = ["run_model", "trace_model"]
