"""The inputs that come with a network of the zoo, and what normalises and varies images."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

MAX_ANGLE = math.radians(12)
"""Greatest angle by which :func:`vary` rotates an image, either way."""

SCALES = (0.85, 1.15)
"""Least and greatest factor by which :func:`vary` scales an image."""

MAX_SHIFT = 0.2
"""Greatest distance by which :func:`vary` shifts an image, relative to half its width."""


@dataclass(frozen=True)
class ImageSet:
    """The inputs of one network: many without labels to calibrate on, and samples to judge by.

    Members
    -------
    calibration:
        Unlabelled inputs, normalised, float32 ``[N, C, H, W]`` or ``[N, S, C]``.
    images:
        The samples, ``M`` inputs of the same kind.
    labels:
        Classes of the samples, int64 ``[M]``; -1 where there is none.
    score:
        Says how good outputs ``[M, ...]`` for the samples are, where labels cannot; 1 is best.
    """

    calibration: np.ndarray
    images: np.ndarray
    labels: np.ndarray
    score: Callable[[np.ndarray], float] | None = None


def normalize(images: np.ndarray, mean: tuple[float, ...], std: tuple[float, ...]) -> np.ndarray:
    """Normalise images: ``(x / 255 - mean) / std``.

    Parameters
    ----------
    images:
        uint8 ``[N, H, W, C]``.
    mean, std:
        Mean and standard deviation of each channel, for values of 0..1.

    Returns
    -------
    np.ndarray
        float32 ``[N, C, H, W]``.
    """
    scaled = images.astype(np.float32) / np.float32(255)
    normal = (scaled - np.asarray(mean, np.float32)) / np.asarray(std, np.float32)
    return np.ascontiguousarray(normal.transpose(0, 3, 1, 2))


def vary(images: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Make rotated, scaled and shifted copies, so that a few images calibrate like many.

    Parameters
    ----------
    images:
        float32 ``[N, C, H, W]``.
    count:
        Number of copies in all; each image serves in turn.
    seed:
        Seed of the random numbers; the same seed gives the same copies.

    Returns
    -------
    np.ndarray
        float32 ``[count, C, H, W]``.
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
