"""Varied inputs to train on, so that a network does not learn its calibration inputs by heart.

The float network teaches what it makes of the varied input, so that no label has to stay true.
"""

from __future__ import annotations

from enum import StrEnum

import torch

from vqrom_sw.network import FloatNetwork

PART = 8
"""An input is moved by at most its side over this number, either way."""


class Augment(StrEnum):
    """How inputs are varied in each step of training.

    Members
    -------
    AUTO:
        By the inputs' shape: square images in colour are moved and mirrored, other square images
        moved, spectrograms of one channel moved in time, and everything else stays.
    NONE:
        Inputs stay as they are.
    SHIFT:
        Moved by up to an eighth of their sides; the pixels at the border repeat.
    FLIP:
        That, and half of them mirrored, left to right.
    TIME:
        Moved along their rows alone, which are the frames of a spectrogram.
    """

    AUTO = "auto"
    NONE = "none"
    SHIFT = "shift"
    FLIP = "flip"
    TIME = "time"


def chosen(augment: Augment, network: FloatNetwork) -> Augment:
    """Turn ``AUTO`` into what fits a network's inputs; anything else stays."""
    if augment != Augment.AUTO:
        return augment
    height, width, channels = network.input_shape
    if min(height, width) < PART:
        return Augment.NONE
    if height == width:
        return Augment.FLIP if channels == 3 else Augment.SHIFT
    return Augment.TIME if channels == 1 else Augment.NONE


def augmented(images: torch.Tensor, augment: Augment, seed: int) -> torch.Tensor:
    """Vary inputs at random.

    Parameters
    ----------
    images:
        float32 ``[N, C, H, W]``.
    augment:
        How; not ``AUTO``.
    seed:
        Seed of the random numbers; the same one gives the same inputs.

    Returns
    -------
    torch.Tensor
        As many inputs of the same shape.
    """
    if augment == Augment.NONE:
        return images
    count, _, height, width = images.shape
    generator = torch.Generator().manual_seed(seed)
    rows = _places(height, count, generator)
    columns = torch.arange(width).expand(count, width)
    if augment != Augment.TIME:
        columns = _places(width, count, generator)
    if augment == Augment.FLIP:
        mirrored = torch.rand(count, 1, generator=generator) < 0.5
        columns = torch.where(mirrored, columns.flip(1), columns)
    found = images[torch.arange(count)[:, None, None], :, rows[:, :, None], columns[:, None]]
    return found.permute(0, 3, 1, 2).contiguous()


def _places(size: int, count: int, generator: torch.Generator) -> torch.Tensor:
    """For each moved input where its rows or columns come from, int64 ``[count, size]``."""
    most = size // PART
    moves = torch.randint(-most, most + 1, (count, 1), generator=generator)
    return (torch.arange(size) - moves).clamp(0, size - 1)
