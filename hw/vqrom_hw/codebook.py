"""A codebook's content: the hash that identifies it, and the words of the ROM."""

from __future__ import annotations

import hashlib

import numpy as np


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
