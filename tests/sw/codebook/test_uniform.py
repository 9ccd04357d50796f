"""Uniform grids as codebooks."""

from __future__ import annotations

import numpy as np
import pytest

from vqrom_hw.errors import VqromError
from vqrom_sw.codebook import uniform_codebook


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_indices_are_packed_numbers(bits: int) -> None:
    """Each index of 8 bits holds 8 / bits numbers in two's complement, the first one lowest."""
    codebook = uniform_codebook(bits)
    assert (codebook.size, codebook.subvector) == (256, 8 // bits)
    for index in (0, 1, 0x21, 0x8f, 255):
        numbers = [index >> bits * place & (1 << bits) - 1 for place in range(8 // bits)]
        signed = [number - (1 << bits) if number >> bits - 1 else number for number in numbers]
        assert codebook.codewords[index].tolist() == [
            number << 8 - bits for number in signed]
    assert len(np.unique(codebook.codewords, axis=0)) == 256
    assert len(np.unique(codebook.codewords)) == 1 << bits


def test_other_widths_are_refused() -> None:
    with pytest.raises(VqromError, match=r"must be one of \(2, 4, 8\), not 3"):
        uniform_codebook(3)
