"""ONNX models with QuantizeLinear and DequantizeLinear: networks with the file's own integers."""

from .reader import is_onnx_int8, read_onnx_int8

__all__ = ["is_onnx_int8", "read_onnx_int8"]
