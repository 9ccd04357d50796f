"""Weights cut into sub-vectors of consecutive input channels, and put together again."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def subvectors(weight: torch.Tensor, length: int) -> torch.Tensor:
    """Cut a layer's weights along the input channels, which the accelerator reduces side by side.

    Parameters
    ----------
    weight:
        ``[C_out, C_in, kernel_y, kernel_x]``; of a grouped convolution, the input channels of one
        group.
    length:
        Weights of a sub-vector, ``d``.

    Returns
    -------
    torch.Tensor
        ``[C_out, kernel_y, kernel_x, ceil(C_in / d), d]``; lanes at or above ``C_in`` are zero.
    """
    channels_last = weight.permute(0, 2, 3, 1)
    count = -(-weight.shape[1] // length)
    padded = F.pad(channels_last, (0, count * length - weight.shape[1]))
    return padded.reshape(*channels_last.shape[:3], count, length)


def merge(parts: torch.Tensor, channels: int) -> torch.Tensor:
    """Undo :func:`subvectors`, and drop the lanes beyond the input channels.

    Parameters
    ----------
    parts:
        ``[C_out, kernel_y, kernel_x, ceil(channels / d), d]``.
    channels:
        Input channels of the layer, of one group if it is grouped.

    Returns
    -------
    torch.Tensor
        ``[C_out, channels, kernel_y, kernel_x]``.
    """
    return parts.flatten(3)[..., :channels].permute(0, 3, 1, 2)


def channel_rms(weight: torch.Tensor) -> torch.Tensor:
    """Compute the root mean square of each output channel's weights, ``[C_out]``."""
    return weight.flatten(1).square().mean(1).sqrt()
