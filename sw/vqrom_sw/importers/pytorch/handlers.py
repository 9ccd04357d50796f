"""What each aten operation becomes: one handler per kind."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch

from vqrom_sw.network import (
    UNBOUNDED,
    FloatAdd,
    FloatConv,
    FloatGlobalAveragePool,
    FloatIdentity,
    FloatMaxPool,
)

from .walk import Operation, Value


def _pair(value: Any) -> tuple[int, int]:
    values = list(value) if isinstance(value, Sequence) else [value]
    return (int(values[0]), int(values[-1]))


def _conv_padding(op: Operation, kernel: tuple[int, int]) -> tuple[int, int, int, int]:
    padding = op.arguments["padding"]
    if padding == "valid":
        return 0, 0, 0, 0
    if padding == "same":
        # As torch does: the odd pixel goes to the bottom and right.
        top, left = ((size - 1) // 2 for size in kernel)
        return top, left, kernel[0] - 1 - top, kernel[1] - 1 - left
    top, left = _pair(padding)
    return top, left, top, left


def _bias(op: Operation, weight: torch.Tensor) -> torch.Tensor:
    bias = op.tensor("bias")
    return torch.zeros(len(weight)) if bias is None else bias


def _weight(op: Operation) -> torch.Tensor:
    weight = op.tensor("weight")
    if weight is None or not weight.isfinite().all():
        raise op.error("weight must be finite")
    return weight


def conv2d(op: Operation) -> None:
    """Convolution with dilation 1."""
    op.require("dilation", [1, 1], 1)
    value, weight = op.image("input"), _weight(op)
    _, channels, height, width = op.shape
    own = _conv_padding(op, _pair(weight.shape[2:]))
    top, left, bottom, right = (one + other for one, other in zip(value.padding, own, strict=True))
    op.emit(lambda name: FloatConv(
        name, (value.layer,), (height, width, channels), "conv", weight, _bias(op, weight),
        _pair(op.arguments["stride"]), (top, left, bottom, right), UNBOUNDED,
        op.arguments["groups"]))


def linear(op: Operation) -> None:
    """A linear layer on everything that an image has: a kernel of the whole feature map."""
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


def batch_norm(op: Operation) -> None:
    """Fold ``(y - mean) / sqrt(var + eps) * gamma + beta`` into the layer before it."""
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


def _activate(op: Operation, lowest: float | None, highest: float | None) -> None:
    value = op.value("self")
    layer = op.producer(value)
    low = -math.inf if lowest is None else float(lowest)
    high = math.inf if highest is None else float(highest)
    if not low < high:
        raise op.error(f"the lower bound must be below the upper one, not {low!r} and {high!r}")
    if isinstance(layer, FloatConv | FloatAdd | FloatIdentity):
        # clamp(clamp(x, a, b), c, d): each bound of the first one clamped by the second.
        bounds = tuple(min(max(bound, low), high) for bound in layer.bounds)
        op.fuse(value, bounds=bounds)
        return
    op.emit(lambda name: FloatIdentity(
        name, (value.layer,), value.map, (1, 1), (0, 0), (low, high)))


def relu(op: Operation) -> None:
    """``max(x, 0)``."""
    _activate(op, 0.0, None)


def hardtanh(op: Operation) -> None:
    """``clamp(x, min_val, max_val)``, ReLU6 among them."""
    _activate(op, op.arguments["min_val"], op.arguments["max_val"])


def clamp(op: Operation) -> None:
    """``clamp(x, min, max)`` with constant bounds."""
    for name in ("min", "max"):
        if not isinstance(op.arguments.get(name), int | float | None):
            raise op.error(f"{name} must be a number")
    _activate(op, op.arguments.get("min"), op.arguments.get("max"))


def max_pool2d(op: Operation) -> None:
    """Max pooling with dilation 1."""
    op.require("dilation", [1, 1], 1)
    op.require("ceil_mode", False)
    value = op.image("self")
    _, channels, height, width = op.shape
    kernel = _pair(op.arguments["kernel_size"])
    stride = _pair(op.arguments["stride"] or kernel)
    top, left = _pair(op.arguments["padding"])
    op.emit(lambda name: FloatMaxPool(
        name, (value.layer,), (height, width, channels), kernel, stride, (top, left, top, left)))


def _global_average(op: Operation, value: Value) -> None:
    op.emit(lambda name: FloatGlobalAveragePool(name, (value.layer,), (1, 1, value.map[2])))


def adaptive_avg_pool2d(op: Operation) -> None:
    """Global average pooling."""
    op.require("output_size", [1, 1])
    _global_average(op, op.image("self"))


def avg_pool2d(op: Operation) -> None:
    """Average pooling whose window is the whole feature map."""
    value = op.image("self")
    op.require("padding", [0, 0], 0)
    op.require("divisor_override", None)
    if _pair(op.arguments["kernel_size"]) != value.map[:2]:
        raise op.error(f"kernel_size must be the whole feature map {value.map[:2]!r}, "
                       f"not {_pair(op.arguments['kernel_size'])!r}")
    _global_average(op, value)


def mean(op: Operation) -> None:
    """Mean over height and width."""
    value = op.image("self")
    dims = op.arguments.get("dim")
    if dims is None or sorted(dim % 4 for dim in dims) != [2, 3]:
        raise op.error(f"dim must be height and width, [2, 3], not {dims!r}")
    _global_average(op, value)


def add(op: Operation) -> None:
    """Sum of two feature maps of one shape, or of a linear layer and its bias."""
    op.require("alpha", 1)
    if op.arguments["other"] in op.walk.constants:
        _add_bias(op)
        return
    first, second = op.value("self"), op.value("other")
    if (first.map, first.shape) != (second.map, second.shape):
        raise op.error(f"both operands must have one shape, not {first.shape!r} and "
                       f"{second.shape!r}")
    op.emit(lambda name: FloatAdd(name, (first.layer, second.layer), first.map, UNBOUNDED))


def _add_bias(op: Operation) -> None:
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


def _extend_identity(op: Operation, value: Value, stride: tuple[int, int],
                     channels: tuple[int, int]) -> None:
    """Add subsampling or zero channels to the identity before, or start one."""
    _, count, height, width = op.shape
    shape = (height, width, count)
    layer = op.producer(value)
    # A clamp comes last in the layer, so nothing can be added after one.
    if isinstance(layer, FloatIdentity) and layer.bounds == UNBOUNDED:
        op.fuse(value, shape=shape,
                stride=(layer.stride[0] * stride[0], layer.stride[1] * stride[1]),
                channels=(layer.channels[0] + channels[0], layer.channels[1] + channels[1]))
        return
    op.emit(lambda name: FloatIdentity(
        name, (value.layer,), shape, stride, channels, UNBOUNDED), "shortcut")


def slice_(op: Operation) -> None:
    """Every n-th row or column; a slice that takes everything is none."""
    value = op.value("self")
    if op.shape == value.shape:
        op.pass_on(value)
        return
    value = op.image("self")
    dim, step = op.arguments["dim"] % 4, op.arguments["step"]
    size, start, end = value.shape[dim], op.arguments["start"] or 0, op.arguments["end"]
    if dim < 2 or start != 0 or (end is not None and end < size):
        raise op.error("only whole maps with a step over rows or columns, x[:, :, ::n, ::n], "
                       f"not [{start}:{end}:{step}] of dimension {dim}")
    _extend_identity(op, value, (step, 1) if dim == 2 else (1, step), (0, 0))


def pad(op: Operation) -> None:
    """Zero channels before and after; zero pixels, where convolutions alone read them."""
    value = op.image("self")
    amounts = [*op.arguments["pad"], 0, 0, 0, 0, 0, 0][:6]
    mode, fill = op.arguments.get("mode", "constant"), op.arguments.get("value") or 0
    if mode == "constant" and fill == 0 and not any(amounts[4:]) and min(amounts) >= 0 \
            and len(op.arguments["pad"]) <= 6 and op.read_by_convolutions:
        top, left, bottom, right = value.padding
        op.pass_on(replace(value, exclusive=False, padding=(
            top + amounts[2], left + amounts[0], bottom + amounts[3], right + amounts[1])))
        return
    if mode != "constant" or fill != 0 or any(amounts[:4]) or min(amounts) < 0 or \
            len(op.arguments["pad"]) > 6:
        raise op.error("only zero padding of channels (that of pixels belongs to a convolution), "
                       f"not pad {list(op.arguments['pad'])!r} with mode {mode!r}, value {fill!r}")
    _extend_identity(op, value, (1, 1), (amounts[4], amounts[5]))


def reshape(op: Operation) -> None:
    """Flatten, view, squeeze: the elements of an image keep their order."""
    value = op.value("self")
    if op.shape[:1] != value.shape[:1]:
        raise op.error(f"must keep the batch dimension, not make {op.shape!r} of {value.shape!r}")
    if op.shape != value.shape and 3 in (len(op.shape), len(value.shape)):
        raise op.error(f"the hardware cannot make {op.shape!r} of {value.shape!r}")
    op.pass_on(value)


def same(op: Operation) -> None:
    """Dropout in evaluation mode, identity, a copy."""
    value = op.value("input" if "input" in op.arguments else "self")
    if op.node.meta["val"].dtype != torch.float32:
        raise op.error(f"must stay float32, not {op.node.meta['val'].dtype}")
    op.pass_on(value)


def getitem(op: Operation) -> None:
    """The first result of a batch norm that returns several."""
    source, item = op.node.args
    if source not in op.walk.values or item != 0:
        raise op.error(f"only the first result has a meaning, not item {item!r}")
    value = op.walk.values[source]  # type: ignore[index]
    op.pass_on(value)


HANDLERS: dict[str, Callable[[Operation], None]] = {
    "conv2d": conv2d, "linear": linear,
    "batch_norm": batch_norm,
    "relu": relu, "relu6": lambda op: _activate(op, 0.0, 6.0), "hardtanh": hardtanh,
    "clamp": clamp, "clamp_min": lambda op: _activate(op, op.arguments["min"], None),
    "max_pool2d": max_pool2d, "adaptive_avg_pool2d": adaptive_avg_pool2d,
    "avg_pool2d": avg_pool2d, "mean": mean, "add": add,
    "slice": slice_, "pad": pad, "constant_pad_nd": pad,
    "flatten": reshape, "view": reshape, "reshape": reshape, "_unsafe_view": reshape,
    "squeeze": reshape, "unsqueeze": reshape, "unflatten": reshape,
    "dropout": same, "dropout2d": same, "feature_dropout": same, "clone": same, "alias": same,
    "detach": same, "contiguous": same, "lift_fresh_copy": same, "getitem": getitem,
}
"""Handler of each kind of aten operation, after in-place operations were made functional."""
