"""Plain and branching convolutional networks: AlexNet, VGG, SqueezeNet, GoogLeNet, DenseNet."""

from __future__ import annotations

import torch
from torch import nn

IMAGE = (1, 3, 32, 32)


def conv_norm(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1,
              activation: type[nn.Module] | None = nn.ReLU) -> nn.Sequential:
    """A convolution without a bias, batch norm, and an activation."""
    parts = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
             nn.BatchNorm2d(outputs)]
    return nn.Sequential(*parts, *([activation()] if activation else []))


def head(channels: int, classes: int = 10) -> nn.Sequential:
    """Global average pooling and a linear layer."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


def alexnet() -> nn.Module:
    """Large kernels, overlapping pooling, dropout and three linear layers."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 7, 2, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2),
        nn.Conv2d(16, 24, 5, padding=2), nn.ReLU(inplace=True),
        nn.Conv2d(24, 16, 3, padding=1), nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d((7, 7)), nn.Flatten(), nn.Dropout(), nn.Linear(16 * 49, 64),
        nn.ReLU(inplace=True), nn.Dropout(), nn.Linear(64, 32), nn.ReLU(inplace=True),
        nn.Linear(32, 10))


def vgg() -> nn.Module:
    """Pairs of convolutions with batch norm, and max pooling between them."""
    return nn.Sequential(
        conv_norm(3, 16, 3), conv_norm(16, 16, 3), nn.MaxPool2d(2),
        conv_norm(16, 32, 3), conv_norm(32, 32, 3), nn.MaxPool2d(2),
        nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(512, 32), nn.ReLU(), nn.Linear(32, 10))


class Fire(nn.Module):
    """A narrow convolution, and two wide ones side by side."""

    def __init__(self, inputs: int, squeezed: int, expanded: int):
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeezed, 1)
        self.narrow = nn.Conv2d(squeezed, expanded, 1)
        self.wide = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.squeeze(x).relu()
        return torch.cat([self.narrow(x).relu(), self.wide(x).relu()], 1)


def squeezenet() -> nn.Module:
    """Fire modules, pooling that rounds up, and a convolution as classifier."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True), Fire(16, 8, 16),
        Fire(32, 8, 16), nn.MaxPool2d(3, 2, ceil_mode=True), Fire(32, 8, 24), nn.Dropout(),
        nn.Conv2d(48, 10, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())


class Inception(nn.Module):
    """Four branches side by side, one of them an average pooling."""

    def __init__(self, inputs: int):
        super().__init__()
        self.branches = nn.ModuleList([
            conv_norm(inputs, 8), nn.Sequential(conv_norm(inputs, 8), conv_norm(8, 12, 3)),
            nn.Sequential(conv_norm(inputs, 4), conv_norm(4, 8, 3), conv_norm(8, 8, 3)),
            nn.Sequential(nn.AvgPool2d(3, 1, 1), conv_norm(inputs, 4))])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([branch(x) for branch in self.branches], 1)


def googlenet() -> nn.Module:
    """Inception modules with pooling between them."""
    return nn.Sequential(conv_norm(3, 16, 7, 2), nn.MaxPool2d(3, 2, ceil_mode=True), Inception(16),
                         nn.MaxPool2d(3, 2, 1), Inception(32), head(32))


class DenseLayer(nn.Module):
    """Norm and activation before each convolution; the input joins the result."""

    def __init__(self, inputs: int, growth: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(inputs), nn.ReLU(), nn.Conv2d(inputs, 2 * growth, 1, bias=False),
            nn.BatchNorm2d(2 * growth), nn.ReLU(),
            nn.Conv2d(2 * growth, growth, 3, padding=1, bias=False))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, self.body(x)], 1)


def densenet() -> nn.Module:
    """Two dense blocks with a transition between them."""
    return nn.Sequential(
        conv_norm(3, 16, 3, 2), DenseLayer(16, 8), DenseLayer(24, 8), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Conv2d(32, 16, 1, bias=False), nn.AvgPool2d(2), DenseLayer(16, 8), nn.BatchNorm2d(24),
        nn.ReLU(), head(24))


FAMILIES = {"AlexNet": (alexnet, IMAGE), "VGG": (vgg, IMAGE), "SqueezeNet": (squeezenet, IMAGE),
            "GoogLeNet": (googlenet, IMAGE), "DenseNet": (densenet, IMAGE)}
