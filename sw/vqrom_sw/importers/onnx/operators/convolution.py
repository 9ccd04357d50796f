"""Convolutions and linear layers: ``Conv``, ``ConvTranspose``, ``Gemm``, ``MatMul``.

Source of all formulas here: the operators' definitions in the ONNX standard.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from vqrom_sw.importers.imported_module import Call

from ..node import OnnxNode
from ..values import Data
from .windows import sizes_of, window

CONVOLUTIONS: tuple[Any, ...] = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED: tuple[Any, ...] = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def conv(node: OnnxNode) -> nn.Module:
    """``Conv`` with constant weights ``[C_out, C_in / group, kernel...]``."""
    data, weight = node.data(0), node.weight(1)
    place = window(node, data, _kernel(node, weight, data))
    groups = node.attribute("group", 1)
    channels = node.size(data, 1)
    if groups < 1 or weight.shape[0] % groups or weight.shape[1] * groups != channels:
        raise node.error(f"weights of shape {tuple(weight.shape)!r} do not fit {channels} channels "
                         f"in {groups} groups")
    layer = nn.utils.skip_init(
        CONVOLUTIONS[data.rank - 3], channels, weight.shape[0], place.kernel, place.strides,
        place.before if place.even else 0, place.dilations, groups, bias=node.has(2))
    _fill(layer, weight, node.weight(2) if node.has(2) else None)
    return layer if place.even else nn.Sequential(_zeros(place.before, place.after), layer)


def _zeros(before: tuple[int, ...], after: tuple[int, ...]) -> nn.Module:
    """Zeros around the spatial axes."""
    amounts = tuple(amount for pair in reversed(list(zip(before, after, strict=True)))
                    for amount in pair)
    if len(before) == 2:
        return nn.ZeroPad2d(amounts)  # type: ignore[arg-type]
    return Call(lambda x: F.pad(x, amounts))


def conv_transpose(node: OnnxNode) -> nn.Module:
    """``ConvTranspose`` with constant weights ``[C_in, C_out / group, kernel...]``."""
    data, weight = node.data(0), node.weight(1)
    kernel = _kernel(node, weight, data)
    axes = len(kernel)
    groups, extra = node.attribute("group", 1), node.attribute("output_padding", [0] * axes)
    strides, dilations = sizes_of(node, "strides", axes), sizes_of(node, "dilations", axes)
    full = [(node.size(data, 2 + axis) - 1) * strides[axis]
            + (kernel[axis] - 1) * dilations[axis] + 1 for axis in range(axes)]
    before, after = _removed(node, data, full, strides, extra)
    own = [more + front - back for more, front, back in zip(extra, before, after, strict=True)]
    inside = all(front >= 0 and 0 <= more < max(stride, dilation) for front, more, stride, dilation
                 in zip(before, own, strides, dilations, strict=True))
    layer = nn.utils.skip_init(
        TRANSPOSED[axes - 1], weight.shape[0], weight.shape[1] * groups, tuple(kernel), strides,
        tuple(before) if inside else 0, tuple(own) if inside else tuple(extra), groups,
        bias=node.has(2), dilation=dilations)
    _fill(layer, weight, node.weight(2) if node.has(2) else None)
    amounts = [-amount for pair in reversed(list(zip(before, after, strict=True)))
               for amount in pair]
    return layer if inside else nn.Sequential(layer, Call(lambda x: F.pad(x, amounts)))


def _removed(node: OnnxNode, data: Data, full: list[int], strides: tuple[int, ...],
             extra: list[int]) -> tuple[list[int], list[int]]:
    """What is cut off a transposed convolution's result in front and behind."""
    axes = len(full)
    automatic = node.expect("auto_pad", "NOTSET", ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"))
    pads: list[int] = node.attribute("pads", [0] * 2 * axes)
    shape: list[int] = node.attribute("output_shape", [])
    if automatic.startswith("SAME") and not shape:
        shape = [node.size(data, 2 + axis) * strides[axis] for axis in range(axes)]
    if not shape:
        return (pads[:axes], pads[axes:]) if automatic == "NOTSET" else ([0] * axes, [0] * axes)
    totals = [size + more - wanted for size, more, wanted
              in zip(full, extra, shape[-axes:], strict=True)]
    halves = [total // 2 for total in totals]
    rest = [total - half for total, half in zip(totals, halves, strict=True)]
    return (halves, rest) if automatic == "SAME_UPPER" else (rest, halves)


def gemm(node: OnnxNode) -> nn.Module:
    """``Gemm``: ``alpha * A' B' + beta * C``, a linear layer where ``B`` and ``C`` are constant."""
    alpha, beta = node.attribute("alpha", 1.0), node.attribute("beta", 1.0)
    turn_a, turn_b = node.attribute("transA", 0), node.attribute("transB", 0)
    left, right = node.operand(0), node.operand(1)
    added = node.operand(2) if node.has(2) else None
    if isinstance(left, Data) and isinstance(right, torch.Tensor) and not turn_a:
        weight = alpha * (right if turn_b else right.T)
        if added is None:
            return linear(weight, None)
        if isinstance(added, torch.Tensor) and (added.dim() < 2 or added.shape[0] == 1):
            return linear(weight, (beta * added).reshape(-1).expand(len(weight)))

    def run(a: torch.Tensor, b: torch.Tensor, c: torch.Tensor | None = None) -> torch.Tensor:
        product = alpha * ((a.T if turn_a else a) @ (b.T if turn_b else b))
        return product if c is None else product + beta * c

    node.operands.clear()
    return node.apply(run, range(2 if added is None else 3))


def matmul(node: OnnxNode) -> nn.Module:
    """``MatMul``; with a constant matrix on the right it is a linear layer."""
    right = node.operand(1)
    node.operands.clear()
    if isinstance(right, torch.Tensor) and right.dim() == 2:
        node.data(0)
        return linear(right.T, None)
    return node.apply(torch.matmul)


def einsum(node: OnnxNode) -> nn.Module:
    """``Einsum`` in the notation that ``torch.einsum`` has, too."""
    equation = str(node.required("equation")).replace(" ", "")
    return node.apply(lambda *operands: torch.einsum(equation, *operands))


def linear(weight: torch.Tensor, bias: torch.Tensor | None) -> nn.Linear:
    """A linear layer with the weights ``[C_out, C_in]`` and the bias ``[C_out]``, or none."""
    layer: Any = nn.utils.skip_init(nn.Linear, weight.shape[1], weight.shape[0], bias is not None)
    _fill(layer, weight, bias)
    return layer


def _kernel(node: OnnxNode, weight: torch.Tensor, data: Data) -> list[int]:
    """Sizes of the kernel, which the weights have and an attribute may have."""
    sizes = list(weight.shape[2:])
    if len(sizes) != data.rank - 2 or not 1 <= len(sizes) <= len(CONVOLUTIONS):
        raise node.error(f"weights of shape {tuple(weight.shape)!r} do not fit an input with "
                         f"{data.rank} axes")
    if node.attribute("kernel_shape", sizes) != sizes:
        raise node.error(f"kernel_shape must be that of the weights, {sizes!r}")
    return sizes


def _fill(layer: Any, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
    layer.weight = nn.Parameter(weight.float().contiguous(), requires_grad=False)
    layer.bias = None if bias is None else nn.Parameter(bias.float().contiguous(),
                                                        requires_grad=False)


OPERATORS = {"Conv": conv, "ConvTranspose": conv_transpose, "Gemm": gemm, "MatMul": matmul,
             "Einsum": einsum}
"""What reads each operator of this file, by name."""
