"""QLinearConv and QLinearMatMul, written out with DequantizeLinear and QuantizeLinear around.

Source: the ONNX standard, which defines both by the float operator on dequantised inputs.
"""

from __future__ import annotations

import onnx
import onnx.helper

KINDS = {"QLinearConv": ("Conv", 0), "QLinearMatMul": ("MatMul", 1)}
"""The float operator of each, and the axis along which its weights may have several scales."""


def written_out(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of a model in which both operators are written out; results keep their names."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    nodes = [part for node in model.graph.node for part in (
        _parts(node) if node.op_type in KINDS and not node.domain else [node])]
    del copy.graph.node[:]
    copy.graph.node.extend(nodes)
    return copy


def _parts(node: onnx.NodeProto) -> list[onnx.NodeProto]:
    """The nodes that stand for one.

    Its inputs are two operands with scale and zero point each, the result's scale and zero point,
    and of a convolution perhaps biases in the scale of both operands.
    """
    kind, axis = KINDS[node.op_type]
    name = node.output[0]
    one, weights, result = node.input[0:3], node.input[3:6], node.input[6:8]
    inner = {part: f"{name}/{part}" for part in ("one", "weights", "scale", "bias", "real")}
    parts = [onnx.helper.make_node("DequantizeLinear", one, [inner["one"]]),
             onnx.helper.make_node("DequantizeLinear", weights, [inner["weights"]], axis=axis)]
    operands = [inner["one"], inner["weights"]]
    if len(node.input) > 8 and node.input[8]:
        parts += [onnx.helper.make_node("Mul", [one[1], weights[1]], [inner["scale"]]),
                  onnx.helper.make_node("DequantizeLinear", [node.input[8], inner["scale"]],
                                        [inner["bias"]], axis=0)]
        operands.append(inner["bias"])
    operator = onnx.helper.make_node(kind, operands, [inner["real"]], name=node.name)
    operator.attribute.extend(node.attribute)
    return [*parts, operator,
            onnx.helper.make_node("QuantizeLinear", [inner["real"], *result], [name])]
