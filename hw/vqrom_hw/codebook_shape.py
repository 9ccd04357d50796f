"""The shapes that a codebook may have, and the width of an index into one."""

from typing import Literal, get_args

Subvector = Literal[1, 2, 4, 8, 16]
"""Type of ``d``, the weights of one codeword."""

SUBVECTORS: tuple[int, ...] = get_args(Subvector)
"""The values that ``d`` may have."""

MIN_CODEWORDS, MAX_CODEWORDS = 2, 65536
"""Least and greatest number of codewords; an index has at most 16 bits."""


def index_width(codewords: int) -> int:
    """Bits of an index into that many codewords: ``max(1, ceil(log2 k))``."""
    return max(1, (codewords - 1).bit_length())
