"""Images of the zoo's networks: normalised, resized, varied."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from vqrom_hw.errors import VqromError

MAX_ANGLE = math.radians(12)
SCALES = (0.85, 1.15)
MAX_SHIFT = 0.2
"""Of half an image's width."""


@dataclass(frozen=True)
class ImageSet:
    """Inputs of one network.

    Members
    -------
    calibration, images:
        float32 ``[N, C, H, W]``, normalised, or ``[N, S, C]``: unlabelled inputs, and samples.
    labels:
        int64 ``[M]`` of the samples; -1 where there is none.
    score:
        How good outputs ``[M, ...]`` for the samples are, if not by their labels.
    """

    calibration: np.ndarray
    images: np.ndarray
    labels: np.ndarray
    score: Callable[[np.ndarray], float] | None = None


def read_archive(path: Path, *names: str) -> tuple[np.ndarray, ...]:
    """Arrays of a ``.npz`` file, by name.

    Raises
    ------
    VqromError
        If it cannot be read or lacks one.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            return tuple(archive[name] for name in names)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise VqromError(f"archive {str(path)!r} cannot be read: {error}") from None


def normalize(images: np.ndarray, mean: tuple[float, ...], std: tuple[float, ...]) -> np.ndarray:
    """``(x / 255 - mean) / std``: uint8 ``[N, H, W, C]`` to float32 ``[N, C, H, W]``."""
    scaled = images.astype(np.float32) / np.float32(255)
    normal = (scaled - np.asarray(mean, np.float32)) / np.asarray(std, np.float32)
    return np.ascontiguousarray(normal.transpose(0, 3, 1, 2))


def vary(images: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Rotated, scaled and shifted copies, so that a few images calibrate like many.

    Parameters
    ----------
    images:
        float32 ``[N, C, H, W]``.
    count:
        Copies in all; each image serves in turn.
    seed:
        The same seed gives the same copies.
    """
    generator = torch.Generator().manual_seed(seed)
    draw = torch.rand(count, 4, generator=generator) * 2 - 1
    angle = draw[:, 0] * MAX_ANGLE
    scale = SCALES[0] + (draw[:, 1] + 1) / 2 * (SCALES[1] - SCALES[0])
    cosine, sine = angle.cos() * scale, angle.sin() * scale
    transform = torch.stack([
        torch.stack([cosine, -sine, draw[:, 2] * MAX_SHIFT], 1),
        torch.stack([sine, cosine, draw[:, 3] * MAX_SHIFT], 1)], 1)
    chosen = torch.from_numpy(images)[torch.arange(count) % len(images)]
    grid = F.affine_grid(transform, list(chosen.shape), align_corners=False)
    return F.grid_sample(chosen, grid, padding_mode="border", align_corners=False).numpy()
