"""Index maps as strings of bits: every index takes ``width`` bits, with no gap between two."""

from __future__ import annotations

import numpy as np

from vqrom_hw.errors import VqromError


def packed_bytes(count: int, width: int) -> int:
    """Bytes that ``count`` packed indices take; zero bits fill up the last byte."""
    return (count * width + 7) // 8


def pack(indices: np.ndarray, width: int) -> np.ndarray:
    """Pack indices in row-major order, least significant bit first.

    Parameters
    ----------
    indices:
        uint16 of any shape, each below ``2**width``.
    width:
        1..16 bits.

    Returns
    -------
    np.ndarray
        uint8 ``[packed_bytes(indices.size, width)]``.

    Raises
    ------
    VqromError
        If an index does not fit.
    """
    flat = np.ascontiguousarray(indices, dtype="<u2").reshape(-1, 1)
    if flat.size and int(flat.max()) >> width:
        raise VqromError(f"indices must be below {1 << width}, not {int(flat.max())!r}")
    bits = np.unpackbits(flat.view(np.uint8), axis=1, bitorder="little")[:, :width]
    return np.packbits(bits, bitorder="little")


def unpack(data: np.ndarray, count: int, width: int) -> np.ndarray:
    """Undo :func:`pack`.

    Parameters
    ----------
    data:
        uint8 ``[packed_bytes(count, width)]``.
    count:
        Number of indices.
    width:
        Bits of one index, 1..16.

    Returns
    -------
    np.ndarray
        uint16 ``[count]``.

    Raises
    ------
    VqromError
        If the bytes are not as many as ``count`` indices take, or the bits that fill up the last
        byte are not zero.
    """
    if data.dtype != np.uint8 or data.shape != (packed_bytes(count, width),):
        raise VqromError(f"{count} indices of {width} bits must be {packed_bytes(count, width)} "
                         f"bytes, not {data.dtype} {data.shape!r}")
    bits = np.unpackbits(data, bitorder="little")
    if bits[count * width:].any():
        raise VqromError("the bits after the last index must be zero")
    padded = np.zeros((count, 16), dtype=np.uint8)
    padded[:, :width] = bits[:count * width].reshape(count, width)
    return np.packbits(padded, axis=1, bitorder="little").view("<u2").reshape(count).astype(
        np.uint16)
