"""TODO."""

from __future__ import annotations

import torch

CHUNK_ELEMENTS = 1 << 24
"""Distances held at once."""


def nearest(vectors: torch.Tensor, codewords: torch.Tensor, count: int = 1) -> torch.Tensor:
    """Indices of the nearest codewords, int64 ``[n, count]``, the nearest first.

    With ``count == 1`` the lowest of equals.

    Parameters
    ----------
    vectors:
        float32 ``[n, d]``.
    codewords:
        float32 ``[k, d]``.
    """
    # |v - e|^2 / 2 without its constant |v|^2.
    half_norm = codewords.square().sum(1) / 2
    transposed = codewords.T.contiguous()
    rows = max(1, CHUNK_ELEMENTS // len(codewords))
    parts = []
    for chunk in vectors.split(rows):
        distance = torch.addmm(half_norm, chunk, transposed, alpha=-1)
        parts.append(distance.argmin(1, keepdim=True) if count == 1
                     else distance.topk(count, largest=False).indices)
    return torch.cat(parts) if parts else torch.empty(0, count, dtype=torch.int64)


def nearest_masked(parts: torch.Tensor, codewords: torch.Tensor, channels: int,
                   count: int = 1) -> torch.Tensor:
    """As :func:`nearest` for ``[C_out, y, x, groups, d]``: int64 ``[C_out, y, x, groups, count]``.

    Lanes beyond the channels are left out of the distance.
    """
    *outer, groups, length = parts.shape
    whole = channels // length
    found = torch.empty(*outer, groups, count, dtype=torch.int64)
    found[..., :whole, :] = nearest(parts[..., :whole, :].reshape(-1, length), codewords,
                                    count).reshape(*outer, whole, count)
    if whole < groups:
        lanes = channels - whole * length
        tail = parts[..., whole, :lanes].reshape(-1, lanes)
        found[..., whole, :] = nearest(tail, codewords[:, :lanes], count).reshape(*outer, count)
    return found
