"""ONNX operators that become functions: element by element, or with constant arguments.

Source: the operators' definitions of the ONNX standard, operator sets 7 and later.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from vqrom_hw.errors import VqromError

from .modules import Attributes

Given = Sequence[torch.Tensor | None]
"""A node's inputs in order: the tensor of each constant, None for each computed one."""

Function = Callable[..., torch.Tensor]
"""A function of tensors that computes what an operator computes."""

ELEMENTWISE: dict[str, Function] = {
    "Add": torch.add, "Sub": torch.sub, "Mul": torch.mul, "Div": torch.div, "MatMul": torch.matmul,
    "Relu": F.relu, "Sigmoid": torch.sigmoid, "Tanh": torch.tanh, "HardSwish": F.hardswish,
    "Sqrt": torch.sqrt, "Exp": torch.exp, "Neg": torch.neg, "Abs": torch.abs,
    "Reciprocal": torch.reciprocal, "Erf": torch.erf, "Pow": torch.pow, "Mish": F.mish,
    "Identity": nn.Identity(), "Dropout": nn.Identity(),
}
"""The function of each operator that has no attributes that matter, by the operator's name."""


def _integers(value: Any) -> list[int]:
    return [int(item) for item in (value.flatten() if isinstance(value, torch.Tensor) else value)]


def _clip(attributes: Attributes, given: Given) -> Function:
    bounds = [*given[1:], None, None][:2]
    low, high = (float(bound) if bound is not None else attributes.get(name)
                 for bound, name in zip(bounds, ("min", "max"), strict=True))
    return lambda x: x.clamp(low, high)


def _reshape(_: object, given: Given) -> Function:
    if given[1] is None:
        raise VqromError("Reshape must have a constant shape")
    _, *sizes = _integers(given[1])
    return lambda x: x.reshape(len(x), *(x.shape[place + 1] if size == 0 else size
                                         for place, size in enumerate(sizes)))


def _pad(attributes: Attributes, given: Given) -> Function:
    pads = attributes.get("pads") or _integers(given[1] if len(given) > 1 else None)
    half = len(pads) // 2
    amounts = [amount for place in reversed(range(half))
               for amount in (pads[place], pads[half + place])]
    return lambda x: F.pad(x, amounts)


def _axes(attributes: Attributes, given: Given) -> list[int]:
    found = given[1] if len(given) > 1 and given[1] is not None else attributes.get("axes", [])
    return _integers(found)


def _mean(attributes: Attributes, given: Given) -> Function:
    axes, keep = _axes(attributes, given), bool(attributes.get("keepdims", 1))
    return lambda x: x.mean(axes, keepdim=keep)


def _slice(attributes: Attributes, given: Given) -> Function:
    starts, ends = (_integers(given[place] if len(given) > place else attributes[name])
                    for place, name in ((1, "starts"), (2, "ends")))
    axes, steps = (_integers(given[place]) if len(given) > place and given[place] is not None
                   else None for place in (3, 4))
    axes = axes or attributes.get("axes") or list(range(len(starts)))

    def run(x: torch.Tensor) -> torch.Tensor:
        parts = [slice(None)] * x.dim()
        for axis, start, end, step in zip(axes, starts, ends, steps or [1] * len(axes),
                                          strict=True):
            parts[axis] = slice(start, end, step)
        return x[tuple(parts)]

    return run


FUNCTIONS: dict[str, Callable[[Attributes, Given], Function]] = {
    "Clip": _clip, "Reshape": _reshape, "Pad": _pad, "ReduceMean": _mean, "Slice": _slice,
    "Concat": lambda attributes, _: lambda *parts: torch.cat(parts, attributes["axis"]),
    "Flatten": lambda attributes, _: lambda x: x.flatten(attributes.get("axis", 1)),
    "Transpose": lambda attributes, _: lambda x: x.permute(*attributes["perm"]),
    "Squeeze": lambda attributes, given: lambda x: x.squeeze(_axes(attributes, given)),
    "Unsqueeze": lambda attributes, given: lambda x: x.unsqueeze(_axes(attributes, given)[0]),
}
"""What makes the function of each operator from its attributes and constant inputs, by name."""
