"""One layer's weights on the codebook: nearest codewords, and the scale that fits them best.

A codeword stands for weights up to a scale that each output channel has of its own. Which codewords
are nearest depends on the scale, and the best scale on the codewords, so the two alternate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from vqrom_sw.codebook import UniversalCodebook, channel_rms, merge, nearest_masked, subvectors

ROUNDS = 4
"""Alternations of codewords and scale; the error falls by less than 1 % after these."""


@dataclass(frozen=True)
class Assignment:
    """A layer's weights on the codebook: ``weight = scale * codeword entry``, nearly.

    Members
    -------
    indices:
        uint16 ``[C_out, kernel_y, kernel_x, ceil(C_in / d)]``.
    scale:
        float64 ``[C_out]``, not negative.
    integers:
        int8 ``[C_out, C_in, kernel_y, kernel_x]``: the codewords' entries in the weights' places.
    """

    indices: np.ndarray
    scale: np.ndarray
    integers: torch.Tensor


def assign(weight: torch.Tensor, codebook: UniversalCodebook) -> Assignment:
    """Give every sub-vector of a layer its nearest codeword, and every output channel a scale.

    The scale starts where the channel and the codebook have the same root mean square; then
    assignment and the least-squares scale ``<w, e> / <e, e>`` of the weights ``w`` and the
    codewords' entries ``e`` alternate.

    Parameters
    ----------
    weight:
        float32 ``[C_out, C_in, kernel_y, kernel_x]``; ``C_in`` of one group if it is grouped.
    codebook:
        Codewords to choose from.
    """
    weight = weight.double()
    codewords = torch.from_numpy(codebook.codewords.astype(np.float32))
    spread = codewords.square().mean().sqrt().item() or 1.0
    scale = channel_rms(weight) / spread
    channels, length = weight.shape[1], codebook.subvector
    for _ in range(ROUNDS):
        divisor = torch.where(scale > 0, scale, 1.0).reshape(-1, 1, 1, 1)
        parts = subvectors((weight / divisor).float(), length)
        indices = nearest_masked(parts, codewords, channels).squeeze(-1)
        integers = merge(codewords[indices], channels)
        scale = _least_squares_scale(weight, integers.double(), scale)
    return Assignment(indices.numpy().astype(np.uint16), scale.numpy(), integers.to(torch.int8))


def _least_squares_scale(weight: torch.Tensor, integers: torch.Tensor,
                         scale: torch.Tensor) -> torch.Tensor:
    """Fit each output channel's scale, float64 ``[C_out]``; keep those that would not be positive.
    """
    power = integers.square().sum((1, 2, 3))
    fitted = (weight * integers).sum((1, 2, 3)) / power.clamp(min=1)
    return torch.where(fitted > 0, fitted, scale)
