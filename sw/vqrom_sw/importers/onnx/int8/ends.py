"""Outputs of a quantised model that are float, and whose numbers have a known range.

A network for classes often ends in a softmax or a sigmoid that nothing quantises. Its results get
256 steps over the function's range then, with the scales that TFLite prescribes for the same
functions (https://ai.google.dev/edge/litert/conversion/tensorflow/quantization/quantization_spec).
"""

from __future__ import annotations

import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper

from .groups import RESHAPES

ENDS = {"Softmax": (1 / 256, -128), "Sigmoid": (1 / 256, -128), "HardSigmoid": (1 / 256, -128),
        "Tanh": (1 / 128, 0)}
"""Scale and zero point of the results of functions with a range."""


def quantised_ends(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of a model with QuantizeLinear and DequantizeLinear behind such outputs.

    Parameters
    ----------
    model:
        The model, of operator set 13 at least.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for name in [entry.name for entry in copy.graph.output]:
        kind = _function(copy.graph, name)
        if kind in ENDS:
            _quantise(copy.graph, name, *ENDS[kind])
    return copy


def _function(graph: onnx.GraphProto, name: str) -> str:
    """The operator that computes a tensor, before reshapes; empty if there is none."""
    makers = {result: node for node in graph.node for result in node.output}
    while name in makers and makers[name].op_type in (*RESHAPES, "Transpose"):
        name = makers[name].input[0]
    return makers[name].op_type if name in makers and not makers[name].domain else ""


def _quantise(graph: onnx.GraphProto, name: str, scale: float, zero_point: int) -> None:
    """Quantise an output and make it real again, under its name."""
    real, integers, step, zero = (f"{name}/{part}" for part in ("real", "int8", "scale", "zero"))
    for node in graph.node:
        for names in (node.input, node.output):
            renamed = [real if entry == name else entry for entry in names]
            del names[:]
            names.extend(renamed)
    graph.initializer.extend([onnx.numpy_helper.from_array(np.array(scale, np.float32), step),
                              onnx.numpy_helper.from_array(np.array(zero_point, np.int8), zero)])
    graph.node.extend([
        onnx.helper.make_node("QuantizeLinear", [real, step, zero], [integers]),
        onnx.helper.make_node("DequantizeLinear", [integers, step, zero], [name])])
