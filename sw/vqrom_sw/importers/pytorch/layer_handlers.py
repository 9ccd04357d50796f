"""Handlers of operations that compute: convolutions, activations, pooling and sums.

Each handler takes one node of the graph. It adds a layer to the network, or changes the layer that
made its input; it raises :class:`VqromError` where the hardware cannot do what the node asks for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from vqrom_sw.network import (
    UNBOUNDED,
    FloatConv,
    FloatElementwise,
    FloatGlobalAveragePool,
    FloatMaxPool,
    FloatSelect,
)

from .graph_node import GraphNode
from .walk import TracedMap


def _pair(value: Any) -> tuple[int, int]:
    values = list(value) if isinstance(value, Sequence) else [value]
    return (int(values[0]), int(values[-1]))


def _conv_padding(op: GraphNode, kernel: tuple[int, int]) -> tuple[int, int, int, int]:
    padding = op.arguments["padding"]
    if padding == "valid":
        return 0, 0, 0, 0
    if padding == "same":
        # As torch does: the odd pixel goes to the bottom and right.
        top, left = ((size - 1) // 2 for size in kernel)
        return top, left, kernel[0] - 1 - top, kernel[1] - 1 - left
    top, left = _pair(padding)
    return top, left, top, left


def _bias(op: GraphNode, weight: torch.Tensor) -> torch.Tensor:
    bias = op.tensor("bias")
    return torch.zeros(len(weight)) if bias is None else bias


def _weight(op: GraphNode) -> torch.Tensor:
    weight = op.tensor("weight")
    if weight is None or not weight.isfinite().all():
        raise op.error("weight must be finite")
    return weight


def conv2d(op: GraphNode) -> None:
    """Make a convolution of dilation 1; padding before it becomes its own."""
    op.require("dilation", [1, 1], 1)
    value, weight = op.image("input"), _weight(op)
    _, channels, height, width = op.shape
    own = _conv_padding(op, _pair(weight.shape[2:]))
    top, left, bottom, right = (one + other for one, other in zip(value.padding, own, strict=True))
    op.emit(lambda name: FloatConv(
        name, (value.layer,), (height, width, channels), "conv", weight, _bias(op, weight),
        _pair(op.arguments["stride"]), (top, left, bottom, right), UNBOUNDED,
        op.arguments["groups"]))


def linear(op: GraphNode) -> None:
    """Make a linear layer: a convolution whose kernel is the whole feature map.

    On a sequence it is a convolution with a kernel of one pixel.
    """
    value, weight = op.value("input"), _weight(op)
    height, width, channels = value.map
    if value.shape[1:] == (height, channels) and width == 1:
        # A sequence: every element is a pixel.
        op.emit(lambda name: FloatConv(
            name, (value.layer,), (height, 1, len(weight)), "linear", weight[..., None, None],
            _bias(op, weight), (1, 1), (0, 0, 0, 0), UNBOUNDED))
        return
    if value.shape[1:] != (channels * height * width,):
        raise op.error(f"input must be flattened to (N, {channels * height * width}), "
                       f"not {value.shape!r}")
    kernel = weight.reshape(-1, channels, height, width)
    op.emit(lambda name: FloatConv(
        name, (value.layer,), (1, 1, len(weight)), "linear", kernel, _bias(op, weight),
        (1, 1), (0, 0, 0, 0), UNBOUNDED))


def batch_norm(op: GraphNode) -> None:
    """Fold ``(y - mean) / sqrt(var + eps) * gamma + beta`` into the convolution before it."""
    value = op.value("input")
    layer = op.producer(value)
    mean, variance = op.tensor("running_mean"), op.tensor("running_var")
    if mean is None or variance is None:
        raise op.error("running statistics must be kept (track_running_stats=True)")
    if not isinstance(layer, FloatConv) or layer.bounds != UNBOUNDED:
        raise op.error("must directly follow a convolution or linear layer that nothing else reads")
    gamma, beta = op.tensor("weight"), op.tensor("bias")
    factor = torch.rsqrt(variance.double() + op.arguments["eps"])
    factor = factor if gamma is None else factor * gamma
    bias = (layer.bias - mean) * factor + (0 if beta is None else beta)
    op.fuse(value, weight=(layer.weight * factor.reshape(-1, 1, 1, 1)).float(), bias=bias.float())


def _activate(op: GraphNode, lowest: float | None, highest: float | None) -> None:
    value = op.value("self")
    layer = op.producer(value)
    low = -math.inf if lowest is None else float(lowest)
    high = math.inf if highest is None else float(highest)
    if not low < high:
        raise op.error(f"the lower bound must be below the upper one, not {low!r} and {high!r}")
    if isinstance(layer, FloatConv | FloatElementwise | FloatSelect):
        # clamp(clamp(x, a, b), c, d): each bound of the first one clamped by the second.
        bounds = tuple(min(max(bound, low), high) for bound in layer.bounds)
        op.fuse(value, bounds=bounds)
        return
    op.emit(lambda name: FloatSelect(
        name, (value.layer,), value.map, tuple(range(value.map[2])), (1, 1), (low, high)))


def relu(op: GraphNode) -> None:
    """Fuse ``max(x, 0)`` into the layer before it, or make a layer of its own."""
    _activate(op, 0.0, None)


def relu6(op: GraphNode) -> None:
    """Fuse ``min(max(x, 0), 6)`` into the layer before it, or make a layer of its own."""
    _activate(op, 0.0, 6.0)


def hardtanh(op: GraphNode) -> None:
    """``clamp(x, min_val, max_val)``, made like :func:`relu`; ReLU6 is among them."""
    _activate(op, op.arguments["min_val"], op.arguments["max_val"])


def clamp(op: GraphNode) -> None:
    """``clamp(x, min, max)`` with constant bounds, made like :func:`relu`."""
    for name in ("min", "max"):
        if not isinstance(op.arguments.get(name), int | float | None):
            raise op.error(f"{name} must be a number")
    _activate(op, op.arguments.get("min"), op.arguments.get("max"))


def clamp_min(op: GraphNode) -> None:
    """``max(x, min)`` with a constant bound, made like :func:`relu`."""
    _activate(op, op.arguments["min"], None)


def max_pool2d(op: GraphNode) -> None:
    """Make a max pooling of dilation 1."""
    op.require("dilation", [1, 1], 1)
    op.require("ceil_mode", False)
    value = op.image("self")
    _, channels, height, width = op.shape
    kernel = _pair(op.arguments["kernel_size"])
    stride = _pair(op.arguments["stride"] or kernel)
    top, left = _pair(op.arguments["padding"])
    op.emit(lambda name: FloatMaxPool(
        name, (value.layer,), (height, width, channels), kernel, stride, (top, left, top, left)))


def _global_average(op: GraphNode, value: TracedMap) -> None:
    op.emit(lambda name: FloatGlobalAveragePool(name, (value.layer,), (1, 1, value.map[2])))


def adaptive_avg_pool2d(op: GraphNode) -> None:
    """Make a global average pooling; other output sizes stay on the host."""
    op.require("output_size", [1, 1])
    _global_average(op, op.image("self"))


def avg_pool2d(op: GraphNode) -> None:
    """Make a global average pooling of one whose window is the whole feature map."""
    value = op.image("self")
    op.require("padding", [0, 0], 0)
    op.require("divisor_override", None)
    if _pair(op.arguments["kernel_size"]) != value.map[:2]:
        raise op.error(f"kernel_size must be the whole feature map {value.map[:2]!r}, "
                       f"not {_pair(op.arguments['kernel_size'])!r}")
    _global_average(op, value)


def mean(op: GraphNode) -> None:
    """Make a global average pooling of a mean over height and width."""
    value = op.image("self")
    dims = op.arguments.get("dim")
    if dims is None or sorted(dim % 4 for dim in dims) != [2, 3]:
        raise op.error(f"dim must be height and width, [2, 3], not {dims!r}")
    _global_average(op, value)


def add(op: GraphNode) -> None:
    """Make an addition of two feature maps of one shape; a constant becomes a bias."""
    op.require("alpha", 1)
    if op.arguments["other"] in op.walk.constants:
        _add_bias(op)
        return
    first, second = op.value("self"), op.value("other")
    if (first.map, first.shape) != (second.map, second.shape):
        raise op.error(f"both operands must have one shape, not {first.shape!r} and "
                       f"{second.shape!r}")
    op.emit(lambda name: FloatElementwise(
        name, (first.layer, second.layer), first.map, "add", UNBOUNDED))


def _add_bias(op: GraphNode) -> None:
    value, constant = op.value("self"), op.tensor("other")
    layer = op.producer(value)
    assert constant is not None
    channels = value.map[2]
    place = 1 if len(value.shape) == 4 else len(value.shape) - 1
    wanted = [channels if dim == place else 1 for dim in range(len(value.shape))]
    given = [1] * (len(value.shape) - constant.dim()) + list(constant.shape)
    if not isinstance(layer, FloatConv) or layer.bounds != UNBOUNDED or given != wanted:
        raise op.error("a constant must be the bias of the convolution or linear layer before")
    op.fuse(value, bias=layer.bias + constant.flatten())
