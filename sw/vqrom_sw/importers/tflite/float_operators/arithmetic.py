"""Arithmetic of two operands, and functions of single numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from vqrom_sw.importers.imported_module import Call, WithConstants

from ..float_node import Data, FloatNode, Part, is_leading, widened

Binary = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""A function of two tensors that broadcasts."""

FUSED: dict[str, tuple[Binary, str]] = {
    "ADD": (torch.add, "AddOptions"), "SUB": (torch.sub, "SubOptions"),
    "MUL": (torch.mul, "MulOptions"), "DIV": (torch.div, "DivOptions")}
"""Functions with a fused activation, and their options, by operator."""

PLAIN: dict[str, Binary] = {
    "MAXIMUM": torch.maximum, "MINIMUM": torch.minimum, "POW": torch.pow,
    "SQUARED_DIFFERENCE": lambda a, b: torch.square(a - b)}
"""Functions without options, by operator."""


def binary(node: FloatNode, function: Binary) -> Part:
    """A part of a function of the first two inputs, either of which may be a constant."""
    operands = [node.data(place) if node.is_data(place) else node.real(place)
                for place in (0, 1)]
    shapes = [operand.shape for operand in operands]
    leading, rank = is_leading([tuple(shape) for shape in shapes]), max(map(len, shapes))
    widen = [widened(operand, rank, leading) if isinstance(operand, Data) else (lambda x: x)
             for operand in operands]
    constants = [None if isinstance(operand, Data) else operand for operand in operands]
    data = tuple(operand for operand in operands if isinstance(operand, Data))

    def combined(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        return function(widen[0](first), widen[1](second))

    module = Call(combined) if len(data) == 2 else WithConstants(combined, constants)
    return Part((module,), data, leading)


def fused(node: FloatNode) -> Part:
    """Read an operator of two operands with a fused activation."""
    function, group = FUSED[node.kind]
    if group in ("AddOptions", "SubOptions"):
        node.option(group, "potScaleInt16")
    part = binary(node, function)
    return Part((*part.modules, *node.fused(group)), part.operands, part.leading)


def plain(node: FloatNode) -> Part:
    """Read an operator of two operands without options."""
    return binary(node, PLAIN[node.kind])


def prelu(node: FloatNode) -> Part:
    """Read a PRELU, whose slopes are broadcast."""
    return binary(node, lambda x, slope: torch.where(x >= 0, x, x * slope))


def add_n(node: FloatNode) -> Part:
    """Read a sum of tensors of one shape."""
    data = tuple(node.data(place) for place in range(len(node.operator.inputs)))
    if len({entry.shape for entry in data}) != 1:
        raise node.error("inputs must have one shape")
    return Part((Call(lambda *parts: sum(parts[1:], parts[0])),), data, data[0].leading)


FUNCTIONS: dict[str, Callable[[], nn.Module]] = {
    "RELU": nn.ReLU, "RELU6": nn.ReLU6, "RELU_N1_TO_1": nn.Hardtanh, "TANH": nn.Tanh,
    "RELU_0_TO_1": lambda: nn.Hardtanh(0, 1), "LOGISTIC": nn.Sigmoid, "HARD_SWISH": nn.Hardswish,
    "ELU": nn.ELU, "EXP": lambda: Call(torch.exp), "ABS": lambda: Call(torch.abs),
    "NEG": lambda: Call(torch.neg), "SQRT": lambda: Call(torch.sqrt),
    "RSQRT": lambda: Call(torch.rsqrt), "SQUARE": lambda: Call(torch.square),
    "LOG": lambda: Call(torch.log), "SIN": lambda: Call(torch.sin), "COS": lambda: Call(torch.cos),
    "FLOOR": lambda: Call(torch.floor), "CEIL": lambda: Call(torch.ceil),
    "ROUND": lambda: Call(torch.round), "SIGN": lambda: Call(torch.sign)}
"""The module of each function without options, by operator."""


def function(node: FloatNode) -> Part:
    """Read a function of single numbers."""
    return node.part(FUNCTIONS[node.kind]())


def leaky_relu(node: FloatNode) -> Part:
    """Read a LEAKY_RELU."""
    return node.part(nn.LeakyReLU(node.option("LeakyReluOptions", "alpha")))


def gelu(node: FloatNode) -> Part:
    """Read a GELU, which is exact or by ``tanh``."""
    return node.part(nn.GELU("tanh" if node.option("GeluOptions", "approximate") else "none"))


def same(node: FloatNode) -> Part:
    """Read an operator that changes nothing of float numbers."""
    return node.part(nn.Identity())


def cast(node: FloatNode) -> Part:
    """Read a CAST from float32 to float32; others compute in integers."""
    for name in ("inDataType", "outDataType"):
        node.option("CastOptions", name)
    number = node.operator.outputs[0]
    if node.file.type_of(number) != "FLOAT32":
        raise node.error(f"must make FLOAT32, not {node.file.type_of(number)}")
    return node.part(nn.Identity())


OPERATORS: dict[str, Callable[[FloatNode], Any]] = {
    **dict.fromkeys(FUSED, fused), **dict.fromkeys(PLAIN, plain),
    **dict.fromkeys(FUNCTIONS, function), "PRELU": prelu, "ADD_N": add_n,
    "LEAKY_RELU": leaky_relu, "GELU": gelu, "CAST": cast, "IDENTITY": same,
}
"""What reads each operator of single numbers, by its name."""
