"""The operators that Brevitas and QONNX add to ONNX, written out with those of the standard.

``Quant`` quantises numbers and makes real ones of them again, so that it is a function of float32
as any other: of weights it is computed while a file is read, of activations it becomes a table. The
integers that it goes through are not kept; the network is quantised as other float networks are.

Source of all formulas here: the specification of the operators in the documentation of QONNX
(https://qonnx.readthedocs.io), version 1. That of the operators on channels-last tensors, which has
no such page, is their execution there: the standard's operator between two transposes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper

from vqrom_hw.errors import VqromError

GENERAL = ("qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general")
"""Domains of the quantisers."""

CHANNELS_LAST = "qonnx.custom_op.channels_last"
"""Domain of the standard's operators on tensors whose last axis is that of the channels."""

ROUNDING = {
    "ROUND": ("Round",), "HALF_EVEN": ("Round",), "CEIL": ("Ceil",), "FLOOR": ("Floor",),
    "UP": ("Abs", "Ceil", "Sign"), "DOWN": ("Abs", "Floor", "Sign"),
    "HALF_UP": ("Abs", "+", "Floor", "Sign"), "HALF_DOWN": ("Abs", "-", "Ceil", "Sign")}
"""How each mode rounds, one operator after the other: a sign adds or takes one half, and ``Sign``
multiplies with the sign that the number had."""

TRANSPOSED = {"Conv": 2, "MaxPool": 1}
"""Operators on channels-last tensors, and how many of their inputs are such."""


def declared(model: onnx.ModelProto) -> None:
    """Add the operator sets of these domains that a model uses and does not name, as some do."""
    named = {entry.domain for entry in model.opset_import}
    for domain in (*GENERAL, CHANNELS_LAST):
        if domain not in named and any(node.domain == domain for node in model.graph.node):
            model.opset_import.append(onnx.helper.make_opsetid(domain, 1))


def written_out(model: onnx.ModelProto) -> onnx.ModelProto:
    """A model without operators of these domains; results keep their names.

    Parameters
    ----------
    model:
        A model of operator set 13 at least. It is not changed.

    Raises
    ------
    VqromError
        If such an operator has an attribute or input that is not understood.
    """
    if not any(node.domain in (*GENERAL, CHANNELS_LAST) for node in model.graph.node):
        return model
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    constants = _constants(model.graph)
    nodes = [part for node in model.graph.node
             for part in _Parts(copy.graph, constants, node).nodes()]
    del copy.graph.node[:]
    copy.graph.node.extend(nodes)
    used = {node.domain for node in nodes}
    imports = [entry for entry in copy.opset_import if not entry.domain or entry.domain in used]
    del copy.opset_import[:]
    copy.opset_import.extend(imports)
    return copy


def _constants(graph: onnx.GraphProto) -> dict[str, np.ndarray]:
    """Single numbers among the constants, such as numbers of bits."""
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    tensors |= {node.output[0]: entry.t for node in graph.node if node.op_type == "Constant"
                for entry in node.attribute if entry.name == "value"}
    return {name: onnx.numpy_helper.to_array(tensor) for name, tensor in tensors.items()
            if np.prod(tensor.dims, initial=1) == 1}


class _Parts:
    """Writes one node out."""

    def __init__(self, graph: onnx.GraphProto, constants: dict[str, np.ndarray],
                 node: onnx.NodeProto):
        self._graph, self._constants, self._node = graph, constants, node
        self._attributes = {entry.name: onnx.helper.get_attribute_value(entry)
                            for entry in node.attribute}
        self._made: list[onnx.NodeProto] = []

    def nodes(self) -> Iterator[onnx.NodeProto]:
        """The nodes that stand for this one: itself, if it is of another domain."""
        domain, kind = self._node.domain, self._node.op_type
        if domain in GENERAL and kind in ("Quant", "IntQuant"):
            self._quantise()
        elif domain in GENERAL and kind == "BipolarQuant":
            self._sign()
        elif domain == CHANNELS_LAST and kind in TRANSPOSED:
            self._transposed(TRANSPOSED[kind])
        else:
            yield self._node
        yield from self._made

    def _error(self, reason: str) -> VqromError:
        name = self._node.name or self._node.output[0]
        return VqromError(f"node {name!r} ({self._node.op_type}): {reason}")

    def _add(self, kind: str, *inputs: str, to: str = "", **attributes: Any) -> str:
        """Add a node, and return the name of its result."""
        result = to or f"{self._node.output[0]}/{len(self._made)}"
        self._made.append(onnx.helper.make_node(kind, inputs, [result], name=result, **attributes))
        return result

    def _number(self, value: float) -> str:
        """Name of a constant float32."""
        name = f"{self._node.output[0]}/number {len(self._graph.initializer)}"
        self._graph.initializer.append(
            onnx.numpy_helper.from_array(np.array(value, np.float32), name))
        return name

    def _inputs(self, number: int) -> list[str]:
        """Names of the inputs, all of which must be there, and no attribute be left."""
        if len(self._node.input) != number or not all(self._node.input):
            raise self._error(f"must have {number} inputs, not {len(self._node.input)}")
        if self._attributes:
            raise self._error(f"attribute {min(self._attributes)!r} is not understood")
        return list(self._node.input)

    def _quantise(self) -> None:
        """``(round(clamp(x / scale + zero, bounds)) - zero) * scale``."""
        signed, narrow = (bool(self._attributes.pop(name, default))
                          for name, default in (("signed", 1), ("narrow", 0)))
        mode = self._attributes.pop("rounding_mode", b"ROUND").decode()
        x, scale, zero, bits = self._inputs(4)
        if mode.upper() not in ROUNDING:
            raise self._error(f"rounding_mode must be one of {', '.join(ROUNDING)}, not {mode!r}")
        low, high = self._bounds(bits, signed, narrow)
        x = self._unless(0.0, "Add", self._unless(1.0, "Div", x, scale), zero)
        x = self._add("Max", self._add("Min", x, self._number(high)), self._number(low))
        rounded = x
        for step in ROUNDING[mode.upper()]:
            match step:
                case "+" | "-":
                    rounded = self._add("Add" if step == "+" else "Sub", rounded,
                                        self._number(0.5))
                case "Sign":
                    rounded = self._add("Mul", self._add("Sign", x), rounded)
                case _:
                    rounded = self._add(step, rounded)
        shifted = self._unless(0.0, "Sub", rounded, zero)
        self._add("Mul", shifted, scale, to=self._node.output[0])

    def _bounds(self, bits: str, signed: bool, narrow: bool) -> tuple[int, int]:
        """The least and the greatest integer."""
        found = self._constants.get(bits)
        width = 0.0 if found is None else float(found.reshape(()))
        least = 2 if signed else 1
        if width != int(width) or not least <= width <= 32:
            given = "none" if found is None else f"{width:g}"
            raise self._error(f"the number of bits must be a constant integer of {least} to 32, "
                              f"not {given}")
        half = 1 << int(width) - 1
        return (-half + narrow, half - 1) if signed else (0, 2 * half - 1 - narrow)

    def _unless(self, neutral: float, kind: str, x: str, operand: str) -> str:
        """An operation with a constant, which is left out where it changes nothing."""
        found = self._constants.get(operand)
        if found is not None and found.reshape(()) == neutral and found.ndim == 0:
            return x
        return self._add(kind, x, operand)

    def _sign(self) -> None:
        """``scale`` of numbers that are not negative, ``-scale`` of others.

        ``sign(sign(x) + 1/2)`` is 1 or -1; a table is made of functions of one operand.
        """
        x, scale = self._inputs(2)
        shifted = self._add("Add", self._add("Sign", x), self._number(0.5))
        self._add("Mul", self._add("Sign", shifted), scale, to=self._node.output[0])

    def _transposed(self, number: int) -> None:
        """The standard's operator, between transposes of its first inputs and of its result."""
        if "kernel_shape" not in self._attributes:
            raise self._error("attribute kernel_shape must be given")
        last = len(self._attributes["kernel_shape"]) + 1
        first = [0, last, *range(1, last)]
        inputs = [self._add("Transpose", name, perm=first) if place < number else name
                  for place, name in enumerate(self._node.input)]
        result = self._add(self._node.op_type, *inputs, **self._attributes)
        self._add("Transpose", result, perm=[0, *range(2, last + 1), 1],
                  to=self._node.output[0])
