"""Operators that work element by element, with one operand or several.

Source of all formulas here: the operators' definitions in the ONNX standard.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import numpy as np
import onnx
import torch
from torch import nn

from vqrom_sw.importers.imported_module import Call

from ..node import OnnxNode
from ..values import Data, Static, Value

Function = Callable[..., torch.Tensor]
"""A function of tensors."""

Reader = Callable[[OnnxNode], "nn.Module | Value"]
"""What reads a node: returns its part, or the value that its result is equal to."""

UNARY: dict[str, Function] = {
    "Abs": torch.abs, "Neg": torch.neg, "Exp": torch.exp, "Log": torch.log, "Sqrt": torch.sqrt,
    "Reciprocal": torch.reciprocal, "Floor": torch.floor, "Ceil": torch.ceil,
    "Round": torch.round, "Sign": torch.sign, "Sin": torch.sin, "Cos": torch.cos,
    "Tan": torch.tan, "Asin": torch.asin, "Acos": torch.acos, "Atan": torch.atan,
    "Sinh": torch.sinh, "Cosh": torch.cosh, "Asinh": torch.asinh, "Acosh": torch.acosh,
    "Atanh": torch.atanh, "Erf": torch.erf, "Not": torch.logical_not, "IsNaN": torch.isnan,
}
"""The function of each operator with one operand and no attributes."""

BINARY: dict[str, Function] = {
    "Add": torch.add, "Sub": torch.sub, "Mul": torch.mul, "Div": torch.div, "Pow": torch.pow,
    "And": torch.logical_and, "Or": torch.logical_or, "Xor": torch.logical_xor,
    "Equal": torch.eq, "Greater": torch.gt, "GreaterOrEqual": torch.ge, "Less": torch.lt,
    "LessOrEqual": torch.le, "Where": torch.where,
}
"""The function of each operator with two or three operands and no attributes."""


def _mean(*operands: torch.Tensor) -> torch.Tensor:
    return reduce(torch.add, operands) / len(operands)


VARIADIC: dict[str, Function] = {
    "Sum": lambda *operands: reduce(torch.add, operands),
    "Max": lambda *operands: reduce(torch.maximum, operands),
    "Min": lambda *operands: reduce(torch.minimum, operands), "Mean": _mean,
}
"""The function of each operator with any number of operands."""


def _plain(function: Function) -> Reader:
    def read(node: OnnxNode) -> nn.Module:
        """Element by element; each operand may be constant."""
        return node.apply(function)
    return read


def _variadic(function: Function) -> Reader:
    def read(node: OnnxNode) -> nn.Module | Data:
        """Element by element, of any number of operands."""
        return node.data(0) if node.inputs == 1 else node.apply(function)
    return read


def modulo(node: OnnxNode) -> nn.Module:
    """``Mod`` of floats, whose sign is that of the dividend."""
    node.expect("fmod", 0, (1,))
    return node.apply(torch.fmod)


def is_infinite(node: OnnxNode) -> nn.Module:
    """``IsInf`` on either side."""
    low, high = node.attribute("detect_negative", 1), node.attribute("detect_positive", 1)
    node.data(0)
    return Call(lambda x: torch.isinf(x) & ((x < 0) & bool(low) | (x > 0) & bool(high)))


def clip(node: OnnxNode) -> nn.Module:
    """``Clip`` to bounds that are constant or computed, each of which may be absent."""
    places = [place for place in (1, 2) if node.has(place)]
    if all(not isinstance(node.value(place), Data) for place in places):
        node.data(0)
        bounds = [float(node.constant(place).reshape(())) if place in places else None
                  for place in (1, 2)]
        return Call(lambda x: x.clamp(*bounds)) if places else Call(lambda x: x)

    def run(x: torch.Tensor, *bounds: torch.Tensor) -> torch.Tensor:
        for place, bound in zip(places, bounds, strict=True):
            x = torch.maximum(x, bound) if place == 1 else torch.minimum(x, bound)
        return x

    return node.apply(run, [0, *places])


def same(node: OnnxNode) -> Data:
    """``Identity``: the tensor itself."""
    return node.data(0)


def dropout(node: OnnxNode) -> Data:
    """``Dropout``, which changes nothing outside of training."""
    node.ignore("ratio", "seed", "is_test")
    node.value(1)
    training = node.optional(2)
    if training is not None and bool(training.reshape(())):
        raise node.error("training_mode must be false")
    node.unread(1, "mask")
    return node.data(0)


def cast(node: OnnxNode) -> nn.Module | Data:
    """``Cast`` to float32: nothing for floats, 0 and 1 for truth values."""
    target = node.required("to")
    node.ignore("saturate", "round_mode")
    return _to_float(node, target)


def cast_like(node: OnnxNode) -> nn.Module | Value:
    """``CastLike`` a float32 tensor, of a constant or of what is computed."""
    value, like = node.value(0), node.value(1)
    node.ignore("saturate", "round_mode")
    if isinstance(value, Static) and isinstance(like, Data):
        # Whatever is computed is float32 or a truth value.
        kind = np.float32 if like.probes[0].dtype == torch.float32 else np.bool_
        return Static(tuple(at.astype(kind) for at in value.at))
    is_float = like is not None and (like.probes[0].dtype == torch.float32 if isinstance(like, Data)
                                     else str(like.at[0].dtype) == "float32")
    return _to_float(node, onnx.TensorProto.FLOAT if is_float else onnx.TensorProto.UNDEFINED)


def _to_float(node: OnnxNode, target: int) -> nn.Module | Data:
    data = node.data(0)
    known = data.probes[0].dtype
    if target == onnx.TensorProto.BOOL and known == torch.bool:
        return data
    if target != onnx.TensorProto.FLOAT or known not in (torch.float32, torch.bool):
        raise node.error(f"must make FLOAT of what is computed, "
                         f"not {onnx.TensorProto.DataType.Name(target)}")
    return data if known == torch.float32 else Call(lambda x: x.float())


OPERATORS: dict[str, Reader] = {
    **{name: _plain(function) for name, function in (UNARY | BINARY).items()},
    **{name: _variadic(function) for name, function in VARIADIC.items()},
    "Mod": modulo, "IsInf": is_infinite, "Clip": clip, "Identity": same, "Dropout": dropout,
    "Cast": cast, "CastLike": cast_like,
}
"""What reads each operator of this file, by name."""
