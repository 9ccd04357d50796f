"""Convolutions and poolings: windows that move over images ``[N, H, W, C]``.

PyTorch's own layers take ``[N, C, H, W]``, so each stands between two permutations.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from vqrom_sw.importers.imported_module import Call

from ..float_node import FloatNode, Part
from ..sliding_window import Padding, same_padding


def to_channels_first() -> nn.Module:
    """A module that brings ``[N, H, W, C]`` to ``[N, C, H, W]``."""
    return Call(lambda x: x.permute(0, 3, 1, 2))


def to_channels_last() -> nn.Module:
    """A module that brings ``[N, C, H, W]`` to ``[N, H, W, C]``."""
    return Call(lambda x: x.permute(0, 2, 3, 1))


def around(node: FloatNode, *modules: nn.Module) -> Part:
    """A part of modules on images with their channels first."""
    data = node.data()
    if len(data.shape) != 4:
        raise node.error(f"input must be an image of four axes, not {data.shape!r}")
    inner = [to_channels_first(), *modules, to_channels_last()]
    if data.leading:
        return node.part(*inner)
    count = data.shape[0]
    return node.part(Call(lambda x: x.flatten(0, 1)), *inner,
                     Call(lambda x: x.unflatten(0, (-1, count))))


def _padding(node: FloatNode, group: str, kernel: tuple[int, int], stride: tuple[int, int],
             dilation: tuple[int, int] = (1, 1)) -> Padding:
    if min(*kernel, *stride, *dilation) < 1:
        raise node.error(f"kernel, stride and dilation must be positive, not {kernel!r}, "
                         f"{stride!r} and {dilation!r}")
    if node.option(group, "padding"):
        return 0, 0, 0, 0
    reach = tuple((size - 1) * step + 1 for size, step in zip(kernel, dilation, strict=True))
    height, width = node.data().shape[1:3]
    return same_padding((height, width), (reach[0], reach[1]), stride)


def _stride(node: FloatNode, group: str) -> tuple[int, int]:
    return node.option(group, "strideH"), node.option(group, "strideW")


def conv_2d(node: FloatNode) -> Part:
    """Read a convolution, grouped where its filters have fewer channels than its input."""
    return _convolution(node, "Conv2DOptions", node.real(1), depthwise=False)


def depthwise_conv_2d(node: FloatNode) -> Part:
    """Read a depthwise convolution; its multiplier follows from the shape of its filters."""
    node.option("DepthwiseConv2DOptions", "depthMultiplier")
    return _convolution(node, "DepthwiseConv2DOptions", node.real(1), depthwise=True)


def _convolution(node: FloatNode, group: str, weight: torch.Tensor, depthwise: bool) -> Part:
    channels = node.data().shape[-1]
    if weight.dim() != 4:
        raise node.error(f"filters must have four axes, not {tuple(weight.shape)!r}")
    weight = weight.permute(3, 0, 1, 2) if depthwise else weight.permute(0, 3, 1, 2)
    groups, rest = divmod(channels, weight.shape[1])
    if rest or len(weight) % max(groups, 1):
        raise node.error(f"filters of {tuple(weight.shape)!r} must fit {channels} channels")
    stride = _stride(node, group)
    dilation = (node.option(group, "dilationHFactor"), node.option(group, "dilationWFactor"))
    kernel = (weight.shape[2], weight.shape[3])
    top, left, bottom, right = _padding(node, group, kernel, stride, dilation)
    if group == "Conv2DOptions":
        node.option(group, "quantizedBiasType")
    even = (top, left) == (bottom, right)
    conv = nn.Conv2d(channels, len(weight), kernel, stride, (top, left) if even else 0,
                     dilation, groups, bias=node.has(2))
    fill(conv, weight, node.bias(2, len(weight)))
    pads = () if even else (nn.ZeroPad2d((left, right, top, bottom)),)
    return around(node, *pads, conv, *node.fused(group))


def fill(layer: nn.Conv2d | nn.ConvTranspose2d | nn.Linear, weight: torch.Tensor,
         bias: torch.Tensor | None) -> None:
    """Set a layer's weights, and its bias if there is one."""
    with torch.no_grad():
        layer.weight.copy_(weight)
        if bias is not None:
            assert layer.bias is not None
            layer.bias.copy_(bias)


def transpose_conv(node: FloatNode) -> Part:
    """Read a transposed convolution: its inputs are the result's shape, filters, map and bias."""
    group = "TransposeConvOptions"
    sizes, weight = node.integers(0), node.real(1)
    data = node.data(2)
    stride = _stride(node, group)
    node.option(group, "quantizedBiasType")
    valid = bool(node.option(group, "padding"))
    if len(sizes) != 4 or weight.dim() != 4 or len(data.shape) != 4 or not data.leading \
            or weight.shape[3] != data.shape[3] or min(stride) < 1:
        raise node.error(f"filters of {tuple(weight.shape)!r} must fit {data.shape!r} "
                         f"and make {sizes!r}")
    kernel = (weight.shape[1], weight.shape[2])
    whole = [(size - 1) * step + window for size, step, window
             in zip(data.shape[1:3], stride, kernel, strict=True)]
    before = (0, 0) if valid else same_padding((sizes[1], sizes[2]), kernel, stride)[:2]
    rests = [wanted - made + 2 * pad for wanted, made, pad
             in zip(sizes[1:3], whole, before, strict=True)]
    beyond = (max(rests[0], 0), max(rests[1], 0))
    if any(rest >= step for rest, step in zip(beyond, stride, strict=True)):
        raise node.error(f"must not make {sizes!r} of {data.shape!r}")
    conv = nn.ConvTranspose2d(data.shape[3], len(weight), kernel, stride, before, beyond,
                              bias=node.has(3))
    fill(conv, weight.permute(3, 0, 1, 2), node.bias(3, len(weight)))
    height, width = sizes[1:3]
    crop = [Call(lambda x: x[:, :, :height, :width])] if min(rests) < 0 else []
    modules = (to_channels_first(), conv, *crop, to_channels_last(), *node.fused(group))
    return Part(modules, (data,), True)


def max_pool_2d(node: FloatNode) -> Part:
    """Read a max pooling; padding never is the maximum."""
    kernel, stride, (top, left, bottom, right) = _pool(node)
    if (top, left) == (bottom, right):
        pool = [nn.MaxPool2d(kernel, stride, (top, left))]
    else:
        pool = [nn.ConstantPad2d((left, right, top, bottom), float("-inf")),
                nn.MaxPool2d(kernel, stride)]
    return around(node, *pool, *node.fused("Pool2DOptions"))


def average_pool_2d(node: FloatNode) -> Part:
    """Read an average pooling, whose padding is not counted."""
    kernel, stride, (top, left, bottom, right) = _pool(node)
    if (top, left) == (bottom, right):
        pool = [nn.AvgPool2d(kernel, stride, (top, left), count_include_pad=False)]
    else:
        pads = (left, right, top, bottom)
        inside = nn.functional.pad(torch.ones(1, 1, *node.data().shape[1:3]), pads)
        share = nn.functional.avg_pool2d(inside, kernel, stride)
        pool = [nn.ZeroPad2d(pads), nn.AvgPool2d(kernel, stride), Scale(1 / share)]
    return around(node, *pool, *node.fused("Pool2DOptions"))


class Scale(nn.Module):
    """A module that multiplies its input with a constant."""

    def __init__(self, factor: torch.Tensor):
        super().__init__()
        self.factor: torch.Tensor
        self.register_buffer("factor", factor)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.factor


def l2_pool_2d(node: FloatNode) -> Part:
    """Read a pooling of squares: the root of their mean; without padding."""
    kernel, stride, padding = _pool(node)
    if any(padding):
        raise node.error(f"must have no padding, not {padding!r}")
    return around(node, Call(torch.square), nn.AvgPool2d(kernel, stride), Call(torch.sqrt),
                  *node.fused("Pool2DOptions"))


def _pool(node: FloatNode) -> tuple[tuple[int, int], tuple[int, int], Padding]:
    group = "Pool2DOptions"
    kernel = (node.option(group, "filterHeight"), node.option(group, "filterWidth"))
    stride = _stride(node, group)
    return kernel, stride, _padding(node, group, kernel, stride)


OPERATORS: dict[str, Callable[[FloatNode], Part]] = {
    "CONV_2D": conv_2d, "DEPTHWISE_CONV_2D": depthwise_conv_2d, "TRANSPOSE_CONV": transpose_conv,
    "MAX_POOL_2D": max_pool_2d, "AVERAGE_POOL_2D": average_pool_2d, "L2_POOL_2D": l2_pool_2d,
}
"""What reads each operator with windows, by its name."""
