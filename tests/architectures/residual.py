"""Residual networks: ResNet, pre-activation ResNet, ResNeXt, SE-ResNet, RegNet, ConvNeXt."""

from __future__ import annotations

import torch
from torch import nn

from .classic import IMAGE, conv_norm, head


class Excitation(nn.Module):
    """Squeeze and excitation: channels scaled by what their means tell."""

    def __init__(self, channels: int, inner: int, activation: type[nn.Module] = nn.ReLU,
                 gate: type[nn.Module] = nn.Sigmoid):
        super().__init__()
        self.body = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, inner, 1),
                                  activation(), nn.Conv2d(inner, channels, 1), gate())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.body(x)


class LinearExcitation(nn.Module):
    """The same with linear layers on a flattened mean, as the first publication has it."""

    def __init__(self, channels: int, inner: int):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(channels, inner), nn.ReLU(),
                                  nn.Linear(inner, channels), nn.Sigmoid())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, channels, _, _ = x.shape
        scale = self.body(x.mean((2, 3))).view(batch, channels, 1, 1)
        return x * scale.expand_as(x)


class Block(nn.Module):
    """A residual block around any body, with a convolution as shortcut where shapes differ."""

    def __init__(self, inputs: int, outputs: int, stride: int, body: nn.Module):
        super().__init__()
        self.body = body
        self.shortcut = nn.Identity() if (inputs, stride) == (outputs, 1) else \
            conv_norm(inputs, outputs, 1, stride, activation=None)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (self.body(x) + self.shortcut(x)).relu()


def basic(inputs: int, outputs: int, stride: int) -> nn.Module:
    """Two 3x3 convolutions."""
    return Block(inputs, outputs, stride, nn.Sequential(
        conv_norm(inputs, outputs, 3, stride), conv_norm(outputs, outputs, 3, activation=None)))


def bottleneck(inputs: int, outputs: int, stride: int, groups: int,
               *gate: nn.Module) -> nn.Module:
    """1x1, grouped 3x3, and 1x1 convolutions, with a gate at the end."""
    inner = outputs // 2
    return Block(inputs, outputs, stride, nn.Sequential(
        conv_norm(inputs, inner), conv_norm(inner, inner, 3, stride, groups),
        conv_norm(inner, outputs, activation=None), *gate))


def resnet() -> nn.Module:
    """A stem with max pooling, and basic blocks."""
    return nn.Sequential(conv_norm(3, 16, 7, 2), nn.MaxPool2d(3, 2, 1), basic(16, 16, 1),
                         basic(16, 32, 2), head(32))


def resnext() -> nn.Module:
    """Bottlenecks with grouped convolutions."""
    return nn.Sequential(conv_norm(3, 16, 3, 2), bottleneck(16, 32, 1, 4),
                         bottleneck(32, 32, 2, 4), head(32))


def se_resnet() -> nn.Module:
    """Bottlenecks with squeeze and excitation, once of each way to write it."""
    return nn.Sequential(conv_norm(3, 16, 3, 2), bottleneck(16, 32, 1, 1, LinearExcitation(32, 8)),
                         bottleneck(32, 32, 2, 1, Excitation(32, 8)), head(32))


class GatedBottleneck(nn.Module):
    """The body of a RegNetY block: the gate is in the middle."""

    def __init__(self, channels: int, stride: int):
        super().__init__()
        self.body = nn.Sequential(
            conv_norm(channels, channels), conv_norm(channels, channels, 3, stride, channels // 8),
            Excitation(channels, 8), conv_norm(channels, channels, activation=None))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x)


def regnet() -> nn.Module:
    """RegNetY: grouped convolutions and gates."""
    return nn.Sequential(conv_norm(3, 16, 3, 2), Block(16, 16, 1, GatedBottleneck(16, 1)),
                         Block(16, 16, 2, GatedBottleneck(16, 2)), head(16))


class PreActivation(nn.Module):
    """A block with norm and activation before each convolution."""

    def __init__(self, channels: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(channels), nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1),
            nn.BatchNorm2d(channels), nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.body(x)


def preact_resnet() -> nn.Module:
    """ResNet of the second version."""
    return nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1), PreActivation(16), PreActivation(16),
                         nn.BatchNorm2d(16), nn.ReLU(), head(16))


class ConvNextBlock(nn.Module):
    """A depthwise convolution, layer norm over channels, and two linear layers."""

    def __init__(self, channels: int):
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels)
        self.inner = nn.Linear(channels, 4 * channels)
        self.outer = nn.Linear(4 * channels, channels)
        self.scale = nn.Parameter(torch.rand(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.norm(self.depthwise(x).permute(0, 2, 3, 1))
        y = self.scale * self.outer(nn.functional.gelu(self.inner(y)))
        return x + y.permute(0, 3, 1, 2)


def convnext() -> nn.Module:
    """A stem of patches, and blocks that look at channels last."""
    return nn.Sequential(nn.Conv2d(3, 16, 4, 4), ConvNextBlock(16), ConvNextBlock(16), head(16))


FAMILIES = {"ResNet": (resnet, IMAGE), "ResNeXt": (resnext, IMAGE),
            "SE-ResNet": (se_resnet, IMAGE), "RegNet": (regnet, IMAGE),
            "PreAct-ResNet": (preact_resnet, IMAGE), "ConvNeXt": (convnext, IMAGE)}
