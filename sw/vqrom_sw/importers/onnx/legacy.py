"""Broadcasting as it was before operator set 7, which converters do not know in full."""

from __future__ import annotations

import onnx
import onnx.helper
import onnx.shape_inference

from vqrom_hw.errors import VqromError

BROADCAST = ("Add", "Sub", "Mul", "Div", "Pow", "And", "Or", "Xor", "Equal", "Greater", "Less")
"""Operators whose second operand was aligned with the axis that an attribute names."""

FIRST = 7
"""First operator set that broadcasts as numpy does."""


def explicit_axes(model: onnx.ModelProto) -> onnx.ModelProto:
    """Replace ``axis`` of two operands by axes of size 1 behind those of the second one.

    Parameters
    ----------
    model:
        A model of an operator set before :data:`FIRST`, with sizes of its input.

    Raises
    ------
    VqromError
        If the number of axes of an operand is not known.
    """
    model = onnx.shape_inference.infer_shapes(model)
    graph = model.graph
    ranks = {entry.name: len(entry.type.tensor_type.shape.dim)
             for entry in (*graph.input, *graph.value_info, *graph.output)
             if entry.type.tensor_type.HasField("shape")}
    ranks |= {tensor.name: len(tensor.dims) for tensor in graph.initializer}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        axis = next((entry.i for entry in node.attribute if entry.name == "axis"), None)
        if node.op_type == "PRelu" and ranks.get(node.input[1]) == 1:
            axis = 1  # One slope for each channel, or a single one.
        if node.op_type in (*BROADCAST, "PRelu") and axis is not None:
            first, second = node.input
            if first not in ranks or second not in ranks:
                raise VqromError(f"node {node.name or node.output[0]!r} ({node.op_type}): the "
                                 "number of axes of its operands must be known")
            start = axis % ranks[first] + ranks[second]
            name = f"{second} for {node.output[0]}"
            behind = range(ranks[second], ranks[second] + ranks[first] - start)
            if behind:
                nodes.append(onnx.helper.make_node("Unsqueeze", [second], [name],
                                                   axes=list(behind)))
                node.input[1] = name
            kept = [entry for entry in node.attribute if entry.name != "axis"]
            del node.attribute[:]
            node.attribute.extend(kept)
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    return model
