"""Networks that give images or boxes: U-Nets, FCN, DeepLab, YOLO, ESPCN, an autoencoder."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from .classic import IMAGE, conv_norm

SMALL = (1, 3, 16, 16)


class UNet(nn.Module):
    """One level down and up, with a skip; up by transposed convolution or by up-sampling."""

    def __init__(self, transposed: bool):
        super().__init__()
        self.down = nn.Sequential(conv_norm(3, 8, 3), conv_norm(8, 8, 3))
        self.bottom = nn.Sequential(nn.MaxPool2d(2), conv_norm(8, 16, 3))
        self.up = nn.ConvTranspose2d(16, 8, 2, 2) if transposed else \
            nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(16, 8, 3, padding=1))
        self.out = nn.Sequential(conv_norm(16, 8, 3), nn.Conv2d(8, 2, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skip = self.down(x)
        return self.out(torch.cat([skip, self.up(self.bottom(skip))], 1))


class FullyConvolutional(nn.Module):
    """Scores at two depths, summed after a transposed convolution."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(conv_norm(3, 8, 3, 2), conv_norm(8, 16, 3, 2))
        self.second = conv_norm(16, 16, 3, 2)
        self.score1, self.score2 = nn.Conv2d(16, 4, 1), nn.Conv2d(16, 4, 1)
        self.up2 = nn.ConvTranspose2d(4, 4, 4, 2, 1, bias=False)
        self.up4 = nn.ConvTranspose2d(4, 4, 8, 4, 2, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)
        return self.up4(self.score1(x) + self.up2(self.score2(self.second(x))))


class DeepLab(nn.Module):
    """Dilated convolutions side by side, the image's mean beside them, bilinear up-sampling."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(conv_norm(3, 16, 3, 2), conv_norm(16, 16, 3, 2))
        self.rates = nn.ModuleList([nn.Sequential(
            nn.Conv2d(16, 8, 3, padding=rate, dilation=rate, bias=False), nn.BatchNorm2d(8),
            nn.ReLU()) for rate in (1, 2, 3)])
        self.pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), conv_norm(16, 8))
        self.out = nn.Sequential(conv_norm(32, 16), nn.Conv2d(16, 3, 1))

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        size = x.shape[-2:]
        x = self.stem(x)
        mean = F.interpolate(self.pooled(x), size=x.shape[-2:], mode="bilinear")
        x = self.out(torch.cat([*(rate(x) for rate in self.rates), mean], 1))
        return {"out": F.interpolate(x, size=size, mode="bilinear", align_corners=False)}


class Yolo(nn.Module):
    """Two heads at two depths, with a top-down path, SiLU, and boxes split off the channels."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(conv_norm(3, 8, 3, 2, activation=nn.SiLU),
                                   conv_norm(8, 16, 3, 2, activation=nn.SiLU))
        self.second = conv_norm(16, 16, 3, 2, activation=nn.SiLU)
        self.lateral = conv_norm(32, 16, 3, activation=nn.SiLU)
        self.fine, self.coarse = nn.Conv2d(16, 3 * 7, 1), nn.Conv2d(16, 3 * 7, 1)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        first = self.first(x)
        second = self.second(first)
        joined = self.lateral(torch.cat([first, F.interpolate(second, scale_factor=2.0)], 1))
        results = []
        for head in (self.fine(joined), self.coarse(second)):
            batch, _, height, width = head.shape
            boxes = head.view(batch, 3, 7, height, width)
            results.append(boxes.permute(0, 1, 3, 4, 2).contiguous())
        return results


def espcn() -> nn.Module:
    """Super-resolution by a pixel shuffle."""
    return nn.Sequential(nn.Conv2d(1, 16, 5, padding=2), nn.Tanh(), nn.Conv2d(16, 8, 3, padding=1),
                         nn.Tanh(), nn.Conv2d(8, 4, 3, padding=1), nn.PixelShuffle(2))


class Autoencoder(nn.Module):
    """Linear layers on a flattened image, and back to an image."""

    def __init__(self):
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(144, 32), nn.ReLU(), nn.Linear(32, 8))
        self.decode = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 144), nn.Sigmoid())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.decode(self.encode(x.flatten(1))).view(-1, 1, 12, 12)


FAMILIES = {
    "U-Net transposed": (lambda: UNet(True), SMALL),
    "U-Net up-sampling": (lambda: UNet(False), SMALL),
    "FCN": (FullyConvolutional, IMAGE), "DeepLab": (DeepLab, IMAGE), "YOLO": (Yolo, IMAGE),
    "ESPCN": (espcn, (1, 1, 12, 12)), "autoencoder": (Autoencoder, (1, 1, 12, 12))}
