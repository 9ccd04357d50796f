"""Uniform grids as codebooks: int4 and int2 weights on an accelerator that looks weights up."""

from __future__ import annotations

import numpy as np

from vqrom_hw.errors import VqromError

from .codebook import UniversalCodebook

GRID_BITS = (2, 4, 8)
"""Bits of a weight whose groups fill an index of 8 bits."""


def uniform_codebook(bits: int) -> UniversalCodebook:
    """The codebook whose indices are packed numbers of a uniform grid.

    A weight of ``b`` bits in two's complement is the signed number times ``2 ** (8 - b)``, so that
    the grid fills int8. Index 0x21 with ``b = 4`` stands for the weights 1 and 2 (times 16): the
    first weight has the lowest bits. The lookup is wiring, and a synthesised ROM comes to nothing.

    Parameters
    ----------
    bits:
        Bits of a weight: 2, 4 or 8.

    Returns
    -------
    UniversalCodebook
        256 codewords of ``8 / bits`` weights.

    Raises
    ------
    VqromError
        If groups of such weights do not fill 8 bits.
    """
    if bits not in GRID_BITS:
        raise VqromError(f"bits of a uniform codebook must be one of {GRID_BITS}, not {bits!r}")
    indices = np.arange(256)
    parts = indices[:, None] >> np.arange(0, 8, bits) & (1 << bits) - 1
    return UniversalCodebook((parts << 8 - bits).astype(np.uint8).view(np.int8))
