"""Groups of a quantised model: an operator on dequantised tensors, up to what quantises its result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from vqrom_hw.errors import VqromError

from ..node import OnnxNode
from .source_run import run_nodes
from .values import Activation, Int8Layers, Known, Scale, Weights

UNARY = ("Relu", "Clip", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "LeakyRelu", "Elu", "Selu",
         "Celu", "Softplus", "Softsign", "ThresholdedRelu", "Mish", "Gelu", "Erf", "Exp", "Log",
         "Abs", "Neg", "Sqrt", "Reciprocal", "Floor", "Ceil", "Round", "Sign", "PRelu",
         "Sin", "Cos", "Tan", "Atan", "Swish")
"""Functions of single numbers, whose further inputs are constants."""

BINARY = ("Add", "Sub", "Mul", "Div", "Pow", "Max", "Min")
"""Operators of two operands; with a constant they are functions of single numbers, too."""

RESHAPES = ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity")
"""Operators that keep numbers and their order; the result's shape says all about them."""

CLAMPS = ("Relu", "Clip")
"""Functions that become the clamp of the layer before them."""


@dataclass(frozen=True)
class Group:
    """An operator with what follows it, up to QuantizeLinear.

    Members
    -------
    node, proto:
        The operator.
    tail:
        Functions of single numbers behind it, and reshapes.
    inputs:
        What is known of each input of the operator.
    version:
        Operator set of the model.
    scale:
        Quantisation of the result.
    before, after:
        Names of the result before QuantizeLinear and behind it.
    sizes:
        Shape of the operator's own result without the axis of images.
    constants:
        Constants of the model by name, in float where they went through DequantizeLinear.
    layers:
        The layers so far.
    quantizer:
        The QuantizeLinear.
    """

    node: OnnxNode
    proto: onnx.NodeProto
    tail: tuple[onnx.NodeProto, ...]
    inputs: tuple[Known | None, ...]
    version: int
    scale: Scale
    before: str
    after: str
    sizes: tuple[int, ...]
    constants: Mapping[str, np.ndarray]
    layers: Int8Layers
    quantizer: onnx.NodeProto

    @property
    def name(self) -> str:
        """A name for the layer that makes the result."""
        return self.layers.fresh(self.node.name)

    @property
    def functions(self) -> list[onnx.NodeProto]:
        """The nodes behind the operator that compute something, without those that reshape."""
        return [node for node in self.tail if node.op_type not in RESHAPES]

    def activation(self, place: int = 0) -> Activation:
        """Take a computed input, which must be dequantised.

        Raises
        ------
        VqromError
            If it is constant, or its integers are used as numbers.
        """
        value = self.node.value(place)
        return checked_activation(value, place)

    def weights(self, place: int) -> Weights:
        """Take a constant that went through DequantizeLinear.

        Raises
        ------
        VqromError
            If it is something else.
        """
        value = self.node.value(place)
        if not isinstance(value, Weights):
            raise VqromError(f"input {place} must be a constant behind DequantizeLinear")
        return value

    def real(self, place: int) -> np.ndarray | None:
        """Take a constant in float; None if it is left out.

        Raises
        ------
        VqromError
            If it is computed.
        """
        value: Any = self.node.value(place)
        if isinstance(value, Activation):
            raise VqromError(f"input {place} must be constant")
        return value.real if isinstance(value, Weights) else value

    def clamp(self) -> tuple[int, int]:
        """Least and greatest int8 result that the functions behind the operator let through.

        Raises
        ------
        VqromError
            If one of them is no clamp.
        """
        low, high = -np.inf, np.inf
        for node in self.functions:
            if node.op_type not in CLAMPS:
                raise VqromError(f"QuantizeLinear must follow, or Relu or Clip, not {node.op_type}")
            least, most = (0.0, np.inf) if node.op_type == "Relu" else self._bounds(node)
            low, high = (float(min(max(bound, least), most)) for bound in (low, high))
        lowest, highest = (-128 if low == -np.inf else self.scale.quantized(low),
                           127 if high == np.inf else self.scale.quantized(high))
        return min(max(lowest, -128), 127), min(max(highest, -128), 127)

    def plain(self) -> None:
        """Refuse functions between the operator and QuantizeLinear.

        Raises
        ------
        VqromError
            If there are any.
        """
        if self.functions:
            raise VqromError(f"QuantizeLinear must follow, not {self.functions[0].op_type}")

    def _bounds(self, node: onnx.NodeProto) -> tuple[float, float]:
        bounds = [-np.inf, np.inf]
        for place, name in enumerate(node.input[1:]):
            if name:
                bounds[place] = float(np.asarray(self.constants[name]).reshape(()))
        return bounds[0], bounds[1]

    def looked_up(self, value: Activation, nodes: tuple[onnx.NodeProto, ...], name: str,
                  channels: tuple[int, ...]) -> np.ndarray:
        """What nodes and QuantizeLinear make of each int8 number, by onnxruntime itself.

        Parameters
        ----------
        value:
            Their input.
        nodes:
            The nodes, before QuantizeLinear.
        name:
            Tensor of the file that stands for the input.
        channels:
            Sizes of the input: 1, but for the axis with a table for each entry.

        Returns
        -------
        numpy.ndarray
            int8 ``[T, 256]``.
        """
        one = value.quantization
        real = (np.arange(-128, 128) - one.zero_point).astype(np.float32) * np.float32(one.scale)
        x = np.broadcast_to(real.reshape(256, *[1] * len(channels)), (256, *channels))
        everything = _without_reshapes([*nodes, self.quantizer])
        read = {entry for node in everything for entry in node.input if entry}
        found = run_nodes(everything, self.version,
                          {key: array for key, array in self.constants.items() if key in read},
                          name, np.ascontiguousarray(x), self.quantizer.output[0])
        if found.shape != x.shape:
            raise VqromError("constants must be one number, or one for each channel")
        signed = found.astype(np.int16) - self.scale.offset
        return np.ascontiguousarray(signed.reshape(256, -1).T).astype(np.int8)


def _without_reshapes(nodes: Sequence[onnx.NodeProto]) -> list[onnx.NodeProto]:
    """Nodes of a chain, in which those behind a reshape read what that reads."""
    kept: list[onnx.NodeProto] = []
    same: dict[str, str] = {}
    for node in nodes:
        if node.op_type in RESHAPES:
            same[node.output[0]] = same.get(node.input[0], node.input[0])
            continue
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        del copy.input[:]
        copy.input.extend(same.get(name, name) for name in node.input)
        kept.append(copy)
    return kept


def checked_activation(value: object, place: int) -> Activation:
    """An input that must be computed and dequantised.

    Raises
    ------
    VqromError
        If it is not.
    """
    if not isinstance(value, Activation):
        raise VqromError(f"input {place} must be computed, not constant")
    if value.scale is None or not value.real:
        raise VqromError(f"input {place} must come from DequantizeLinear")
    return value
