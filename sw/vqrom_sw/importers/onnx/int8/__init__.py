"""ONNX models with QuantizeLinear and DequantizeLinear: networks with the file's own integers."""

from .kind import is_onnx_int8
from .reader import read_onnx_int8

__all__ = ["is_onnx_int8", "read_onnx_int8"]
