"""Scaling and shifting of channels: batch norm, and arithmetic with constants."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch.fx import Node

from vqrom_sw.network import UNBOUNDED, FloatConv, FloatDepthToSpace

from ..graph_node import GraphNode
from ..layout import Layout
from ..walk import TracedMap


def batch_norm(op: GraphNode) -> None:
    """``(x - mean) / sqrt(var + eps) * gamma + beta`` by channel.

    It is folded into the convolution before it. After something else it is a convolution of a
    single pixel, each channel by itself.
    """
    value = op.value("input")
    mean, variance = op.tensor("running_mean"), op.tensor("running_var")
    if mean is None or variance is None:
        raise op.error("running statistics must be kept (track_running_stats=True)")
    gamma, beta = op.tensor("weight"), op.tensor("bias")
    factor = torch.rsqrt(variance.double() + op.arguments["eps"])
    factor = factor if gamma is None else factor * gamma
    offset = -mean * factor + (0 if beta is None else beta)
    places = [1] * len(value.layout.groups)
    places[1] = len(mean)
    parts = [by_channel(value, part.reshape(places)) for part in (factor, offset)]
    if parts[0] is None or parts[1] is None:
        raise op.error("the dimension after the images must hold the channels")
    if not scaled(op, value, parts[0], parts[1]):
        _scale_pixels(op, value, parts[0], parts[1])


def scaled(op: GraphNode, value: TracedMap, factor: torch.Tensor, offset: torch.Tensor) -> bool:
    """Fold ``x * factor + offset`` into the convolution that made the operand.

    Parameters
    ----------
    factor, offset:
        A single number, or one for each channel.

    Returns
    -------
    bool
        Whether there is such a convolution.
    """
    found = linear_producer(op, value)
    if found is None:
        return False
    layer, repeat = found
    count = len(layer.weight) // repeat
    factors, offsets = (part.double().expand(count).repeat_interleave(repeat)
                        for part in (factor, offset))
    change = {"weight": (layer.weight * factors.reshape(-1, 1, 1, 1)).float(),
              "bias": (layer.bias * factors + offsets).float()}
    op.change(layer.name, **change)
    op.pass_on(value)
    return True


def linear_producer(op: GraphNode, value: TracedMap) -> tuple[FloatConv, int] | None:
    """The convolution without an activation that made a map.

    Returns
    -------
    tuple
        The convolution, and how many of its channels became one channel of the map, in a pixel
        shuffle. None if there is none that this operation may be fused into.
    """
    layer, repeat = op.producer(value), 1
    if isinstance(layer, FloatDepthToSpace) and layer.name in op.walk.private:
        repeat = layer.block**2
        layer = op.walk.layers[layer.inputs[0]]
    if not isinstance(layer, FloatConv) or layer.bounds != UNBOUNDED:
        return None
    return layer, repeat


def extended(op: GraphNode, value: TracedMap) -> TracedMap:
    """The operand of an operation that broadcasts, with dimensions of size 1 before its own until
    it has as many as the result."""
    missing = len(op.shape) - len(value.layout.groups)
    return replace(value, layout=Layout(((),) * missing + value.layout.groups))


def by_channel(value: TracedMap, constant: torch.Tensor) -> torch.Tensor | None:
    """What a constant, broadcast to a map's tensor, is for each channel.

    Returns
    -------
    torch.Tensor
        A single number, or ``[C]``. None if the constant differs within a channel.
    """
    dims = len(value.layout.groups)
    if constant.numel() == 1 and constant.dim() <= dims:
        return constant.reshape(())
    channels = value.layout.channels()
    if constant.dim() > dims or channels is None:
        return None
    sizes = [1] * (dims - constant.dim()) + list(constant.shape)
    if any(size not in (1, there) for size, there in zip(sizes, channels.shape, strict=True)):
        return None
    found = torch.zeros(value.map[2], dtype=constant.dtype)
    found[channels.flatten()] = constant.reshape(sizes).expand(channels.shape).flatten()
    return found


def constant_of(op: GraphNode, value: TracedMap, argument: Any) -> torch.Tensor | None:
    """A constant operand: a number, or one for each channel; None if it is neither.

    Raises
    ------
    VqromError
        If it is a tensor that varies within a channel.
    """
    if isinstance(argument, bool | int | float):
        return torch.tensor(float(argument))
    if not isinstance(argument, Node) or argument not in op.walk.constants:
        return None
    constant = op.walk.constants[argument].detach().float()
    found = by_channel(value, constant)
    if found is None or not found.isfinite().all():
        raise op.error("a constant must be a finite number for each channel, not of shape "
                       f"{tuple(constant.shape)!r}")
    return found


def _scale_pixels(op: GraphNode, value: TracedMap, factor: torch.Tensor,
                  offset: torch.Tensor) -> None:
    count = value.map[2]
    factors, offsets = (part.float().expand(count) for part in (factor, offset))
    op.emit(lambda name: FloatConv(
        name, (value.layer,), value.map, "conv", factors.reshape(-1, 1, 1, 1).clone(),
        offsets.clone(), (1, 1), (0, 0, 0, 0), UNBOUNDED, count), value.layout)
