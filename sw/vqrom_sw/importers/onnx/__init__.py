"""ONNX models as PyTorch modules, read and checked with the ``onnx`` package."""

from .reader import read_onnx

__all__ = ["read_onnx"]
