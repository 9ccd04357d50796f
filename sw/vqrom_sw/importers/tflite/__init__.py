"""TFLite files: float ones as PyTorch modules, and int8 ones as quantised networks."""

from .float_model import read_tflite
from .int8_model import is_tflite_int8, read_tflite_int8

__all__ = ["is_tflite_int8", "read_tflite", "read_tflite_int8"]
