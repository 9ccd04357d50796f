"""What a codebook is in numbers: its limits, its identity, the words of the ROM, index widths."""

from __future__ import annotations

import hashlib
from typing import Literal, get_args

import numpy as np

Subvector = Literal[1, 2, 4, 8, 16]
"""Type of ``d``, the weights of one codeword."""

SUBVECTORS: tuple[int, ...] = get_args(Subvector)
"""The values that ``d`` may have."""

MIN_CODEWORDS, MAX_CODEWORDS = 2, 65536
"""Least and greatest number of codewords; an index has at most 16 bits."""


def codebook_sha256(codewords: np.ndarray) -> str:
    """The identity of a codebook: network files, ``vqrom.json`` and registers carry it.

    It is the SHA-256 of the shape, as two little-endian uint32, followed by the content.

    Parameters
    ----------
    codewords:
        int8 ``[k, d]``.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    shape = np.array(codewords.shape, dtype="<u4").tobytes()
    content = np.ascontiguousarray(codewords, dtype=np.int8).tobytes()
    return hashlib.sha256(shape + content).hexdigest()


def codewords_as_integers(codewords: np.ndarray) -> list[int]:
    """The words of the ROM: each codeword's bytes as one unsigned integer, first weight lowest."""
    return [int.from_bytes(row.tobytes(), "little") for row in codewords.astype(np.int8)]


def index_width(codewords: int) -> int:
    """Bits of an index into that many codewords: ``max(1, ceil(log2 k))``."""
    return max(1, (codewords - 1).bit_length())
