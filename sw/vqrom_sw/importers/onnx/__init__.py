"""ONNX models as PyTorch modules, compared with what onnxruntime computes.

:func:`read_onnx` reads a file. :data:`OPERATORS` has what reads each operator, and :data:`REFUSED`
why others are refused. Operators of :data:`RANDOM` and :data:`OWN_GRAPHS` are refused even where
they depend on constants alone.
"""

from .constants import OWN_GRAPHS, RANDOM
from .operators import OPERATORS, REFUSED
from .reader import read_onnx

__all__ = ["OPERATORS", "OWN_GRAPHS", "RANDOM", "REFUSED", "read_onnx"]
