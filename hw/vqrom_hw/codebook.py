"""A codebook as numbers: its identity, and the words of the ROM."""

from __future__ import annotations

import hashlib

import numpy as np


def codebook_sha256(codewords: np.ndarray) -> str:
    """SHA-256 of an int8 ``[k, d]`` codebook, as hexadecimal digits.

    Over the shape as two little-endian uint32 and then the content. Network files, codebook files,
    ``vqrom.json`` and the accelerator's CSRs carry it.
    """
    shape = np.array(codewords.shape, dtype="<u4").tobytes()
    content = np.ascontiguousarray(codewords, dtype=np.int8).tobytes()
    return hashlib.sha256(shape + content).hexdigest()


def codewords_as_integers(codewords: np.ndarray) -> list[int]:
    """Each codeword's bytes as one unsigned integer, first weight lowest."""
    return [int.from_bytes(row.tobytes(), "little") for row in codewords.astype(np.int8)]


def index_width(codewords: int) -> int:
    """Bits that an index into that many codewords takes: ``max(1, ceil(log2 k))``."""
    return max(1, (codewords - 1).bit_length())
