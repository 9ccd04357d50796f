"""Small ONNX models for tests, and inputs for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper

FLOAT = onnx.TensorProto.FLOAT


def node(kind: str, inputs: str, outputs: str = "y", **attributes: Any) -> onnx.NodeProto:
    """A node; names of inputs and outputs stand in one text each, ``_`` for one left out."""
    given, made = ([name.strip("_") for name in text.split()] for text in (inputs, outputs))
    return onnx.helper.make_node(kind, given, made, **attributes)


def save(path: Path, nodes: Sequence[onnx.NodeProto], shape: Sequence[int | str],
         constants: Mapping[str, Any] | None = None, version: int = 21,
         outputs: Sequence[str] = ("y",), inputs: Mapping[str, Sequence[int | str]] | None = None,
         kind: int = FLOAT) -> Path:
    """Write a model with the data input ``x`` and further ``inputs``, and return its path."""
    declared = [onnx.helper.make_tensor_value_info("x", kind, shape)]
    declared += [onnx.helper.make_tensor_value_info(name, FLOAT, sizes)
                 for name, sizes in (inputs or {}).items()]
    weights = [onnx.numpy_helper.from_array(np.asarray(value), name)
               for name, value in (constants or {}).items()]
    graph = onnx.helper.make_graph(
        nodes, "test", declared,
        [onnx.helper.make_tensor_value_info(name, FLOAT, None) for name in outputs], weights)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", version)],
                                   ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    """Normally distributed float32."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
