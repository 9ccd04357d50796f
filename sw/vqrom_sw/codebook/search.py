"""Search for the codewords nearest to sub-vectors, by all distances at once."""

from __future__ import annotations

import torch

CHUNK_ELEMENTS = 1 << 24
"""Distances that are held at once, which bounds the memory of a search: 64 MiB of float32."""


def nearest(vectors: torch.Tensor, codewords: torch.Tensor, count: int = 1) -> torch.Tensor:
    """Find the codewords with the least Euclidean distance to each vector.

    Parameters
    ----------
    vectors:
        float32 ``[n, d]``.
    codewords:
        float32 ``[k, d]``.
    count:
        How many codewords are asked for, at most ``k``.

    Returns
    -------
    torch.Tensor
        Their indices, int64 ``[n, count]``, the nearest one first. With ``count == 1``, the lowest
        index among equally near codewords.
    """
    # |v - e|^2 / 2 without its constant |v|^2.
    half_norm = codewords.square().sum(1) / 2
    transposed = codewords.T.contiguous()
    at_once = max(1, CHUNK_ELEMENTS // len(codewords))
    parts = []
    for chunk in vectors.split(at_once):
        distance = torch.addmm(half_norm, chunk, transposed, alpha=-1)
        parts.append(distance.argmin(1, keepdim=True) if count == 1
                     else distance.topk(count, largest=False).indices)
    return torch.cat(parts) if parts else torch.empty(0, count, dtype=torch.int64)


def nearest_masked(parts: torch.Tensor, codewords: torch.Tensor, channels: int,
                   count: int = 1) -> torch.Tensor:
    """Find the nearest codewords of a layer's sub-vectors, which may reach beyond its channels.

    Where the input channels are no multiple of ``d``, the last sub-vector has surplus lanes. No
    activation ever meets these, so that they are left out of its distances.

    Parameters
    ----------
    parts:
        float32 ``[C_out, kernel_y, kernel_x, s, d]``, from :func:`.subvectors.subvectors`.
    codewords:
        float32 ``[k, d]``.
    channels:
        Input channels of the layer, of one group if it is grouped: ``s == ceil(channels / d)``.
    count:
        As in :func:`nearest`.

    Returns
    -------
    torch.Tensor
        Indices, int64 ``[C_out, kernel_y, kernel_x, s, count]``, the nearest one first.
    """
    *outer, in_all, length = parts.shape
    whole = channels // length
    found = torch.empty(*outer, in_all, count, dtype=torch.int64)
    found[..., :whole, :] = nearest(parts[..., :whole, :].reshape(-1, length), codewords,
                                    count).reshape(*outer, whole, count)
    if whole < in_all:
        lanes = channels - whole * length
        tail = parts[..., whole, :lanes].reshape(-1, lanes)
        found[..., whole, :] = nearest(tail, codewords[:, :lanes], count).reshape(*outer, count)
    return found
