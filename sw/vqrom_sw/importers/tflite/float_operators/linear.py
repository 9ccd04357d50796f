"""Linear layers and products of two tensors."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import torch
from torch import nn

from vqrom_sw.importers.imported_module import Call, WithConstants

from ..float_node import Data, FloatNode, Part, is_leading, widened
from .windows import fill


def fully_connected(node: FloatNode) -> Part:
    """Read a linear layer, which sees its input as rows as long as its weights.

    The result has the input's axes but the last where the file says so, else a row for each.
    """
    group = "FullyConnectedOptions"
    for name in ("asymmetricQuantizeInputs", "quantizedBiasType"):
        node.option(group, name)  # What LiteRT does with the input of int8 weights; and a type.
    if node.option(group, "weightsFormat"):
        raise node.error("weights must not be shuffled")
    weight, data = node.real(1), node.data()
    total = prod(data.shape)
    if weight.dim() != 2 or total % max(weight.shape[1], 1):
        raise node.error(f"weights of {tuple(weight.shape)!r} must fit {data.shape!r}")
    outputs, length = weight.shape
    linear = nn.Linear(length, outputs, bias=node.has(2))
    fill(linear, weight, node.bias(2, outputs))
    layers, rows = (linear, *node.fused(group)), total // length
    if node.option(group, "keepNumDims"):
        if data.shape[-1] != length:
            raise node.error(f"last axis of {data.shape!r} must be {length}")
        return node.part(*layers)
    if rows == 1:
        flatten = [nn.Flatten()] if data.probe.dim() != 2 else []
        return node.part(*flatten, *layers, leading=True)
    split = [Call(lambda x: x.reshape(-1, rows, length))] \
        if data.probe.shape[1:] != (rows, length) else []
    return node.part(*split, *layers, leading=False)


def batch_matmul(node: FloatNode) -> Part:
    """Read a matrix product, either operand of which may be a constant, or transposed."""
    group = "BatchMatMulOptions"
    turned = [bool(node.option(group, name)) for name in ("adjX", "adjY")]
    node.option(group, "asymmetricQuantizeInputs")
    operands = [node.data(place) if node.is_data(place) else node.real(place)
                for place in (0, 1)]
    rank = max(len(operand.shape) for operand in operands)
    if min(len(operand.shape) for operand in operands) < 2:
        raise node.error("operands must have two axes at least")
    leading = rank > 2 and is_leading([tuple(operand.shape) for operand in operands])
    widen = [widened(operand, rank, leading) if isinstance(operand, Data) else (lambda x: x)
             for operand in operands]

    def product(*pair: torch.Tensor) -> torch.Tensor:
        first, second = (
            change(x).transpose(-1, -2) if transposed else change(x)
            for x, change, transposed in zip(pair, widen, turned, strict=True))
        return first @ second

    data = tuple(operand for operand in operands if isinstance(operand, Data))
    constants = [None if isinstance(operand, Data) else operand for operand in operands]
    module = Call(product) if len(data) == 2 else WithConstants(product, constants)
    return Part((module,), data, leading)


OPERATORS: dict[str, Callable[[FloatNode], Part]] = {
    "FULLY_CONNECTED": fully_connected, "BATCH_MATMUL": batch_matmul}
"""What reads each product, by its name."""
