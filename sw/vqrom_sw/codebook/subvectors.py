"""Weights cut into sub-vectors of consecutive input channels."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def subvectors(weight: torch.Tensor, length: int) -> torch.Tensor:
    """Cut a layer's weights.

    Parameters
    ----------
    weight:
        ``[C_out, C_in, kernel_y, kernel_x]``.
    length:
        ``d``.

    Returns
    -------
    torch.Tensor
        ``[C_out, kernel_y, kernel_x, ceil(C_in / d), d]``; lanes at or above ``C_in`` are zero.
    """
    channels_last = weight.permute(0, 2, 3, 1)
    groups = -(-weight.shape[1] // length)
    padded = F.pad(channels_last, (0, groups * length - weight.shape[1]))
    return padded.reshape(*channels_last.shape[:3], groups, length)


def merge(parts: torch.Tensor, channels: int) -> torch.Tensor:
    """Undo :func:`subvectors`, without the surplus lanes: ``[C_out, C_in, kernel_y, kernel_x]``."""
    return parts.flatten(3)[..., :channels].permute(0, 3, 1, 2)


def channel_rms(weight: torch.Tensor) -> torch.Tensor:
    """Root mean square of each output channel's weights, ``[C_out]``."""
    return weight.flatten(1).square().mean(1).sqrt()
