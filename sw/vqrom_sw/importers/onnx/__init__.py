"""ONNX models as PyTorch modules, compared with what onnxruntime computes.

:func:`read_onnx` reads a file. :data:`OPERATORS` has what reads each operator, and :data:`REFUSED`
why others are refused. Operators of :data:`RANDOM` and :data:`OWN_GRAPHS` are refused even where
they depend on constants alone. :func:`read_onnx_int8` makes a quantised network of a file with
QuantizeLinear and DequantizeLinear, which :func:`is_onnx_int8` finds out.
"""

from .constants import OWN_GRAPHS, RANDOM
from .int8 import is_onnx_int8, read_onnx_int8
from .operators import OPERATORS, REFUSED
from .reader import read_onnx

__all__ = ["OPERATORS", "OWN_GRAPHS", "RANDOM", "REFUSED", "is_onnx_int8", "read_onnx",
           "read_onnx_int8"]
