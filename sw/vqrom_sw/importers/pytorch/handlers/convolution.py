"""Handlers of convolutions and matrix products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from vqrom_sw.network import UNBOUNDED, FloatConv

from ..graph_node import GraphNode
from ..host_nodes import HostNodes
from ..layout import Atom, whole
from ..walk import TracedMap
from .rearrange import channels_first


def pair(value: Any) -> tuple[int, int]:
    """One number for both axes, or one for each, as ``(y, x)``."""
    values = list(value) if isinstance(value, Sequence) else [value]
    return (int(values[0]), int(values[-1]))


def along(axes: str, value: Any, other: int) -> tuple[int, int]:
    """An argument of a layer as ``(y, x)``; for a signal, of its axis, beside ``other``."""
    if axes == "NCHW":
        return pair(value)
    (number,) = value if isinstance(value, Sequence) else [value]
    return (int(number), other) if axes == "NCH" else (other, int(number))


def as_image_kernel(axes: str, weight: torch.Tensor) -> torch.Tensor:
    """The kernel of a layer as ``[C_out, C_in, y, x]``, that of a signal as well."""
    if axes == "NCHW":
        return weight
    return weight.unsqueeze(3 if axes == "NCH" else 2)


def bias_of(op: GraphNode, count: int) -> torch.Tensor:
    """The argument ``bias``, or zeros."""
    bias = op.tensor("bias")
    return torch.zeros(count) if bias is None else bias


def convolution(op: GraphNode) -> None:
    """Make a convolution of an image or a signal; zeros around its input become its padding."""
    weight = op.weight()
    value, axes = channels_first(op, op.padded("input"), weight.dim())
    kernel = as_image_kernel(axes, weight)
    dilation = along(axes, op.arguments["dilation"], 1)
    own = _padding(op, axes, kernel, dilation)
    top, left, bottom, right = (one + other for one, other in zip(value.padding, own, strict=True))
    stride = along(axes, op.arguments["stride"], 1)
    height = _positions(value.map[0] + top + bottom, kernel.shape[2], stride[0], dilation[0])
    width = _positions(value.map[1] + left + right, kernel.shape[3], stride[1], dilation[1])
    op.emit(lambda name: FloatConv(
        name, (value.layer,), (height, width, len(weight)), "conv", kernel,
        bias_of(op, len(weight)), stride, (top, left, bottom, right), UNBOUNDED,
        op.arguments["groups"], dilation), axes)


def _positions(size: int, kernel: int, stride: int, dilation: int) -> int:
    return (size - (kernel - 1) * dilation - 1) // stride + 1


def _padding(op: GraphNode, axes: str, kernel: torch.Tensor,
             dilation: tuple[int, int]) -> tuple[int, int, int, int]:
    padding = op.arguments["padding"]
    if padding == "valid":
        return 0, 0, 0, 0
    if padding == "same":
        # As torch does: the odd pixel goes to the bottom and right.
        total = [(size - 1) * step for size, step in zip(kernel.shape[2:], dilation, strict=True)]
        top, left = (size // 2 for size in total)
        return top, left, total[0] - top, total[1] - left
    top, left = along(axes, padding, 0)
    return top, left, top, left


def linear(op: GraphNode) -> None:
    """Make a linear layer."""
    weight = op.weight()
    product(op, op.value("input"), weight, bias_of(op, len(weight)))


def matmul(op: GraphNode) -> None:
    """Make a linear layer of a product with a constant matrix, which may be either operand."""
    names = ("self", "other" if "other" in op.arguments else "mat2")
    constant = next((name for name in names if op.arguments[name] in op.walk.constants), None)
    if constant is None:
        raise op.error("one operand must be a constant of the module")
    matrix = _matrix(op, constant)
    value = op.value(names[0] if constant == names[1] else names[1])
    if constant == names[1]:
        product(op, value, matrix.T, torch.zeros(matrix.shape[1]))
        return
    dims = list(range(len(value.layout.groups)))
    dims[-2:] = [dims[-1], dims[-2]]
    turned = TracedMap(value.layer, value.map, value.layout.permuted(dims), value.exclusive)
    product(op, turned, matrix, torch.zeros(len(matrix)), dims)


def addmm(op: GraphNode) -> None:
    """Make a linear layer of ``beta * bias + alpha * (x @ matrix)``."""
    matrix, bias = _matrix(op, "mat2"), op.tensor("self")
    assert bias is not None
    count = matrix.shape[1]
    bias = (bias * op.arguments["beta"]).expand(1, count)[0] if bias.dim() < 2 or len(bias) == 1 \
        else None
    if bias is None:
        raise op.error("the constant must be a bias, the same for each image")
    product(op, op.value("mat1"), matrix.T * op.arguments["alpha"], bias.clone())


def _matrix(op: GraphNode, name: str) -> torch.Tensor:
    matrix = op.tensor(name)
    assert matrix is not None
    while matrix.dim() > 2 and len(matrix) == 1:
        matrix = matrix[0]
    if matrix.dim() != 2 or not matrix.isfinite().all():
        raise op.error(f"the constant must be a finite matrix, not {tuple(matrix.shape)!r}")
    return matrix


def product(op: GraphNode, value: TracedMap, weight: torch.Tensor, bias: torch.Tensor,
            order: Sequence[int] | None = None) -> None:
    """Make a linear layer that multiplies the last dimension of a tensor with a matrix.

    If that dimension holds a whole feature map, the layer is a convolution whose kernel is the
    map. If it holds the channels, the kernel is a single pixel. Otherwise the host moves the
    numbers before.

    Parameters
    ----------
    weight:
        float32 ``[outputs, inputs]``.
    bias:
        float32 ``[outputs]``.
    order:
        The dimensions in the order in which the result has them, if not as the operand's.
    """
    last = value.layout.groups[-1]
    others = [atom for group in value.layout.groups[:-1] for atom in group if atom.axis != "N"]
    count = len(weight)
    if any(atom.axis == "N" for atom in last):
        raise op.error("the last dimension must not hold images")
    if not others:
        kernel, shape = _map_kernel(weight, last, value), (1, 1, count)
    elif all(atom.axis == "C" for atom in last) and \
            all(atom.axis != "C" for atom in others):
        kernel, shape = _map_kernel(weight, last, value, pixel=True), (*value.map[:2], count)
    else:
        moved = HostNodes.rearranged(op.walk, value, op.path or op.kind, "last")
        product(op, moved, weight, bias, order)
        return
    layout = value.layout.replaced(-1, whole(shape, "C"))
    op.emit(lambda name: FloatConv(
        name, (value.layer,), shape, "linear", kernel, bias, (1, 1), (0, 0, 0, 0), UNBOUNDED),
        layout if order is None else layout.permuted(order))


def _map_kernel(weight: torch.Tensor, atoms: tuple[Atom, ...], value: TracedMap,
                pixel: bool = False) -> torch.Tensor:
    """The kernel ``[C_out, C, y, x]`` of a matrix whose columns count the given atoms."""
    height, width, channels = value.map
    kernel = weight.reshape(len(weight), *(atom.length for atom in atoms))
    order = sorted(range(len(atoms)),
                   key=lambda place: ("CHW".index(atoms[place].axis), -atoms[place].step))
    kernel = kernel.permute(0, *(1 + place for place in order))
    size = (1, 1) if pixel else (height, width)
    return kernel.reshape(len(weight), channels, *size).contiguous()
