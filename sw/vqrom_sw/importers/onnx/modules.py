"""ONNX operators that become PyTorch modules: those with weights, windows or an activation.

Source: the operators' definitions of the ONNX standard, operator sets 7 and later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from vqrom_hw.errors import VqromError

Attributes = Mapping[str, Any]
"""Attributes of a node by name."""

Constants = Mapping[str, torch.Tensor]
"""Constants of a model by name."""

MakeModule = Callable[[Any, Attributes, Constants], nn.Module]
"""Makes a module of a node, its attributes by name, and the model's constants by name."""


def _window(node: Any, attributes: Attributes) -> tuple[tuple[int, int, int, int], list[int]]:
    """Padding ``(left, right, top, bottom)`` and stride ``[y, x]`` of a two-dimensional window."""
    automatic = attributes.get("auto_pad", b"NOTSET").decode()
    if automatic not in ("NOTSET", "VALID"):
        raise VqromError(f"node {node.name!r}: auto_pad must be NOTSET or VALID, "
                         f"not {automatic}")
    top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
    return (left, right, top, bottom), list(attributes.get("strides", [1, 1]))


def _conv(node: Any, attributes: Attributes, constants: Constants) -> nn.Module:
    weight = _constant(node, 1, constants)
    if weight.dim() != 4:
        raise VqromError(f"node {node.name!r}: Conv must be two-dimensional")
    (left, right, top, bottom), stride = _window(node, attributes)
    groups = attributes.get("group", 1)
    same = (left, top) == (right, bottom)
    conv = nn.Conv2d(weight.shape[1] * groups, weight.shape[0], (weight.shape[2], weight.shape[3]),
                     (stride[0], stride[1]), (top, left) if same else 0,
                     tuple(attributes.get("dilations", [1, 1])), groups)
    _fill(conv, weight, constants[node.input[2]] if len(node.input) > 2 else None)
    return conv if same else nn.Sequential(nn.ZeroPad2d((left, right, top, bottom)), conv)


def _gemm(node: Any, attributes: Attributes, constants: Constants) -> nn.Module:
    weight = _constant(node, 1, constants)
    if attributes.get("transA", 0):
        raise VqromError(f"node {node.name!r}: transA must be 0")
    weight = (weight if attributes.get("transB", 0) else weight.T) * attributes.get("alpha", 1.0)
    bias = constants[node.input[2]] if len(node.input) > 2 else None
    return linear(weight, None if bias is None else
                  (bias * attributes.get("beta", 1.0)).expand(len(weight)))


def linear(weight: torch.Tensor, bias: torch.Tensor | None) -> nn.Linear:
    """A linear layer with the weights ``[C_out, C_in]`` and the bias ``[C_out]``, or none."""
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    _fill(layer, weight, bias)
    return layer


def _batch_norm(node: Any, attributes: Attributes,
                constants: Constants) -> nn.Module:
    scale, bias, mean, variance = (_constant(node, place, constants) for place in (1, 2, 3, 4))
    norm = nn.BatchNorm2d(len(scale), eps=attributes.get("epsilon", 1e-5))
    with torch.no_grad():
        for target, value in ((norm.weight, scale), (norm.bias, bias), (norm.running_mean, mean),
                              (norm.running_var, variance)):
            assert target is not None
            target.copy_(value)
    return norm


def _layer_norm(node: Any, attributes: Attributes,
                constants: Constants) -> nn.Module:
    weight = _constant(node, 1, constants)
    norm = nn.LayerNorm(weight.shape, attributes.get("epsilon", 1e-5))
    with torch.no_grad():
        norm.weight.copy_(weight)
        norm.bias.copy_(_constant(node, 2, constants) if len(node.input) > 2 else 0 * weight)
    return norm


def _pool(make: Callable[..., nn.Module]) -> MakeModule:
    def build(node: Any, attributes: Attributes, _: object) -> nn.Module:
        (left, right, top, bottom), stride = _window(node, attributes)
        if (left, top) != (right, bottom):
            raise VqromError(f"node {node.name!r}: padding must be the same on all sides")
        extra = {} if make is nn.MaxPool2d else {
            "count_include_pad": bool(attributes.get("count_include_pad", 0))}
        return make(tuple(attributes["kernel_shape"]), tuple(stride), (top, left),
                    ceil_mode=bool(attributes.get("ceil_mode", 0)), **extra)
    return build


def _fill(layer: nn.Conv2d | nn.Linear, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
    with torch.no_grad():
        layer.weight.copy_(weight)
        assert layer.bias is not None
        layer.bias.copy_(torch.zeros(len(weight)) if bias is None else bias)


def _constant(node: Any, place: int, constants: Constants) -> torch.Tensor:
    if node.input[place] not in constants:
        raise VqromError(f"node {node.name!r} ({node.op_type}): input {place} must be a constant")
    return constants[node.input[place]].float()


MODULES: dict[str, MakeModule] = {
    "Conv": _conv, "Gemm": _gemm, "BatchNormalization": _batch_norm,
    "MaxPool": _pool(nn.MaxPool2d), "AveragePool": _pool(nn.AvgPool2d),
    "GlobalAveragePool": lambda *_: nn.AdaptiveAvgPool2d(1),
    "LeakyRelu": lambda _, attributes, __: nn.LeakyReLU(attributes.get("alpha", 0.01)),
    "Softmax": lambda _, attributes, __: nn.Softmax(attributes.get("axis", -1)),
    "Gelu": lambda _, attributes, __: nn.GELU(attributes.get("approximate", b"none").decode()),
    "LayerNormalization": _layer_norm,
    "Elu": lambda _, attributes, __: nn.ELU(attributes.get("alpha", 1.0)),
}
"""What makes the module of each operator, by the operator's name."""
