"""CIFAR-10 ResNets with option-A shortcuts, from the data folder.

Such a shortcut has no parameters: it subsamples, and adds zero channels.

Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, section 4.2.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from torch import nn

from vqrom_hw.errors import VqromError
from vqrom_sw.io import read_bytes

from .data_folder import data_folder, read_archive
from .image_set import ImageSet, normalize

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Normalisation of the inputs, by channel."""

MAX_BYTES = 64 << 20
"""Greatest size of a state dict."""


class BasicBlock(nn.Module):
    """A residual block: two 3x3 convolutions and a shortcut without parameters."""

    def __init__(self, channels_in: int, channels_out: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels_out)
        self._added = channels_out - channels_in

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self._added:
            half = self._added // 2
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, half, half))
        return F.relu(y + x)


class ResNet(nn.Module):
    """A ResNet of three stages of ``n`` blocks, at 16, 32 and 64 channels: ``6 n + 2`` layers."""

    def __init__(self, blocks: int):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = self._stage(16, 16, 1, blocks)
        self.layer2 = self._stage(16, 32, 2, blocks)
        self.layer3 = self._stage(32, 64, 2, blocks)
        self.linear = nn.Linear(64, 10)

    @staticmethod
    def _stage(channels_in: int, channels_out: int, stride: int, blocks: int) -> nn.Sequential:
        rest = (BasicBlock(channels_out, channels_out, 1) for _ in range(blocks - 1))
        return nn.Sequential(BasicBlock(channels_in, channels_out, stride), *rest)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(F.adaptive_avg_pool2d(x, 1).flatten(1))


def load_resnet(depth: int) -> tuple[ResNet, ImageSet]:
    """Load a trained ResNet in evaluation mode, and images of CIFAR-10.

    Parameters
    ----------
    depth:
        Number of layers, 20 or 32.

    Raises
    ------
    VqromError
        If the data folder or one of its files is absent, or a file is not the one known here.
    """
    folder = data_folder() / "cifar10_resnet"
    module = ResNet((depth - 2) // 6)
    path = folder / f"resnet{depth}.safetensors"
    try:
        tensors = load_tensors(read_bytes(path, "state dict", MAX_BYTES))
        module.load_state_dict(tensors)
    except (SafetensorError, RuntimeError, ValueError) as error:
        raise VqromError(f"state dict {str(path)!r} must be that of ResNet-{depth}: "
                         f"{' '.join(str(error).split())[:200]}") from None
    images, labels = cifar_images("test_2000.npz")
    calibration, _ = cifar_images("train_10000.npz")
    return module.eval(), ImageSet(normalize(calibration, MEAN, STD),
                                   normalize(images, MEAN, STD), labels)


def cifar_images(file: str) -> tuple[np.ndarray, np.ndarray]:
    """Read images uint8 ``[N, 32, 32, 3]`` and labels int64 ``[N]`` from the data folder.

    Parameters
    ----------
    file:
        Name of the ``.npz`` file.

    Raises
    ------
    VqromError
        If the file is absent or holds something else.
    """
    path = data_folder() / "cifar10_resnet" / file
    images, labels = read_archive(path, "images", "labels")
    if images.dtype != np.uint8 or images.shape[1:] != (32, 32, 3):
        raise VqromError(f"images {str(path)!r} must be uint8 [N, 32, 32, 3], "
                         f"not {images.dtype} {images.shape!r}")
    return images, labels.astype(np.int64)
