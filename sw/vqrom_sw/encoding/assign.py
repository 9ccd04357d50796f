"""Nearest codeword of each sub-vector, and the scale of each output channel that fits best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from vqrom_sw.codebook import UniversalCodebook, channel_rms, merge, nearest_masked, subvectors

ROUNDS = 4
"""Alternations of assignment and scale; the error falls by less than 1 % after these."""


@dataclass(frozen=True)
class Assignment:
    """A layer's weights on the codebook.

    Members
    -------
    indices:
        uint16 ``[C_out, kernel_y, kernel_x, ceil(C_in / d)]``.
    scale:
        float64 ``[C_out]``, not negative: weight = scale * codeword entry.
    integers:
        int8 ``[C_out, C_in, kernel_y, kernel_x]``: the codewords' entries.
    """

    indices: np.ndarray
    scale: np.ndarray
    integers: torch.Tensor


def assign(weight: torch.Tensor, codebook: UniversalCodebook,
           lowest_scale: np.ndarray | None = None) -> Assignment:
    """Encode a layer.

    The scale starts where the channel and the codebook have the same root mean square; then
    assignment and the least-squares scale ``<w, e> / <e, e>`` alternate.

    Parameters
    ----------
    weight:
        float32 ``[C_out, C_in, kernel_y, kernel_x]``.
    lowest_scale:
        float64 ``[C_out]``: the scale must not be below it (see :mod:`quantize`).
    """
    weight = weight.double()
    codewords = torch.from_numpy(codebook.codewords.astype(np.float32))
    floor = torch.zeros(len(weight), dtype=torch.float64) if lowest_scale is None \
        else torch.from_numpy(np.asarray(lowest_scale, dtype=np.float64))
    spread = codewords.square().mean().sqrt().item() or 1.0
    scale = torch.maximum(channel_rms(weight) / spread, floor)
    channels, length = weight.shape[1], codebook.subvector
    for _ in range(ROUNDS):
        divisor = torch.where(scale > 0, scale, 1.0).reshape(-1, 1, 1, 1)
        parts = subvectors((weight / divisor).float(), length)
        indices = nearest_masked(parts, codewords, channels).squeeze(-1)
        integers = merge(codewords[indices], channels)
        scale = refit(weight, integers.double(), scale, floor)
    return Assignment(indices.numpy().astype(np.uint16), scale.numpy(), integers.to(torch.int8))


def refit(weight: torch.Tensor, integers: torch.Tensor, scale: torch.Tensor,
          floor: torch.Tensor) -> torch.Tensor:
    """Least-squares scale of each output channel, float64 ``[C_out]``; kept where not positive."""
    power = integers.square().sum((1, 2, 3))
    fitted = (weight * integers).sum((1, 2, 3)) / power.clamp(min=1)
    return torch.maximum(torch.where(fitted > 0, fitted, scale), floor)
