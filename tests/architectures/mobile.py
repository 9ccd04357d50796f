"""Networks for small devices: MobileNets, MNASNet, ShuffleNets, EfficientNet."""

from __future__ import annotations

import torch
from torch import nn

from .classic import IMAGE, conv_norm, head
from .residual import Excitation


def separable(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    """A depthwise and a pointwise convolution."""
    return nn.Sequential(conv_norm(inputs, inputs, 3, stride, inputs, nn.ReLU6),
                         conv_norm(inputs, outputs, activation=nn.ReLU6))


def mobilenet_v1() -> nn.Module:
    """Depthwise separable convolutions."""
    return nn.Sequential(conv_norm(3, 16, 3, 2, activation=nn.ReLU6), separable(16, 32, 1),
                         separable(32, 32, 2), head(32))


class Inverted(nn.Module):
    """An inverted residual: wide inside, narrow at both ends."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, kernel: int = 3,
                 activation: type[nn.Module] = nn.ReLU6, gate: nn.Module | None = None):
        super().__init__()
        inner = 4 * inputs
        self.body = nn.Sequential(
            conv_norm(inputs, inner, activation=activation),
            conv_norm(inner, inner, kernel, stride, inner, activation),
            gate or nn.Identity(), conv_norm(inner, outputs, activation=None))
        self.joins = (inputs, stride) == (outputs, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.body(x) if self.joins else self.body(x)


def mobilenet_v2() -> nn.Module:
    """Inverted residuals with ReLU6."""
    return nn.Sequential(conv_norm(3, 8, 3, 2, activation=nn.ReLU6), Inverted(8, 16, 2),
                         Inverted(16, 16), conv_norm(16, 32, activation=nn.ReLU6), head(32))


def mobilenet_v3() -> nn.Module:
    """Inverted residuals with hard-swish, and gates with hard-sigmoid."""
    gate = Excitation(64, 8, nn.ReLU, nn.Hardsigmoid)
    return nn.Sequential(
        conv_norm(3, 8, 3, 2, activation=nn.Hardswish), Inverted(8, 16, 2, 3, nn.ReLU),
        Inverted(16, 16, 1, 5, nn.Hardswish, gate), conv_norm(16, 32, activation=nn.Hardswish),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 32), nn.Hardswish(), nn.Dropout(),
        nn.Linear(32, 10))


def mnasnet() -> nn.Module:
    """Inverted residuals with ReLU and kernels of 3 and 5."""
    return nn.Sequential(conv_norm(3, 8, 3, 2), Inverted(8, 16, 2, 3, nn.ReLU),
                         Inverted(16, 16, 1, 5, nn.ReLU), head(16))


def efficientnet() -> nn.Module:
    """Inverted residuals with SiLU and gates."""
    return nn.Sequential(
        conv_norm(3, 8, 3, 2, activation=nn.SiLU),
        Inverted(8, 16, 2, 3, nn.SiLU, Excitation(32, 4, nn.SiLU)),
        Inverted(16, 16, 1, 5, nn.SiLU, Excitation(64, 4, nn.SiLU)),
        conv_norm(16, 32, activation=nn.SiLU), head(32))


def shuffle(x: torch.Tensor, groups: int) -> torch.Tensor:
    """Mix channels of groups by a view, a transposition and a view."""
    batch, channels, height, width = x.shape
    x = x.view(batch, groups, channels // groups, height, width).transpose(1, 2).contiguous()
    return x.view(batch, channels, height, width)


class ShuffleV1(nn.Module):
    """Grouped pointwise convolutions with a shuffle between them."""

    def __init__(self, channels: int, groups: int):
        super().__init__()
        self.groups = groups
        self.first = conv_norm(channels, channels, groups=groups)
        self.second = conv_norm(channels, channels, 3, groups=channels, activation=None)
        self.third = conv_norm(channels, channels, groups=groups, activation=None)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x + self.third(self.second(shuffle(self.first(x), self.groups)))).relu()


class ShuffleV2(nn.Module):
    """Half of the channels pass, the others are convolved; both are shuffled."""

    def __init__(self, channels: int):
        super().__init__()
        half = channels // 2
        self.body = nn.Sequential(conv_norm(half, half), conv_norm(
            half, half, 3, groups=half, activation=None), conv_norm(half, half))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, second = x.chunk(2, 1)
        return shuffle(torch.cat([first, self.body(second)], 1), 2)


def shufflenet_v1() -> nn.Module:
    """Two units with four groups."""
    return nn.Sequential(conv_norm(3, 16, 3, 2), nn.MaxPool2d(3, 2, 1), ShuffleV1(16, 4),
                         ShuffleV1(16, 4), head(16))


def shufflenet_v2() -> nn.Module:
    """Two units that split their channels."""
    return nn.Sequential(conv_norm(3, 16, 3, 2), nn.MaxPool2d(3, 2, 1), ShuffleV2(16),
                         ShuffleV2(16), conv_norm(16, 32), head(32))


FAMILIES = {
    "MobileNetV1": (mobilenet_v1, IMAGE), "MobileNetV2": (mobilenet_v2, IMAGE),
    "MobileNetV3": (mobilenet_v3, IMAGE), "MNASNet": (mnasnet, IMAGE),
    "EfficientNet": (efficientnet, IMAGE), "ShuffleNetV1": (shufflenet_v1, IMAGE),
    "ShuffleNetV2": (shufflenet_v2, IMAGE)}
