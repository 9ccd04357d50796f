"""Packed index maps: no gap between two indices, and the same indices after unpacking."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqrom_hw.codebook_shape import index_width
from vqrom_hw.errors import VqromError
from vqrom_sw.formats.index_packing import pack, packed_bytes, unpack


@st.composite
def index_maps(draw: st.DrawFn) -> tuple[list[int], int]:
    width = draw(st.integers(1, 16))
    return draw(st.lists(st.integers(0, (1 << width) - 1), max_size=70)), width


@given(index_maps())
def test_there_and_back(map_and_width: tuple[list[int], int]) -> None:
    values, width = map_and_width
    indices = np.array(values, np.uint16)
    packed = pack(indices, width)
    assert len(packed) == packed_bytes(len(values), width) == -(-len(values) * width // 8)
    np.testing.assert_array_equal(unpack(packed, len(values), width), indices)


@given(index_maps())
def test_is_one_little_endian_integer(map_and_width: tuple[list[int], int]) -> None:
    """Field ``i`` of the bit string is bits ``i * width`` and up: written as one big integer."""
    values, width = map_and_width
    number = sum(value << width * place for place, value in enumerate(values))
    expected = number.to_bytes(packed_bytes(len(values), width), "little")
    assert pack(np.array(values, np.uint16), width).tobytes() == expected


def test_shape_does_not_matter() -> None:
    indices = np.arange(24, dtype=np.uint16).reshape(2, 3, 4)
    np.testing.assert_array_equal(pack(indices, 5), pack(indices.ravel(), 5))


@pytest.mark.parametrize(("codewords", "width"), [
    (2, 1), (3, 2), (4, 2), (5, 3), (256, 8), (257, 9), (65535, 16), (65536, 16)])
def test_index_width(codewords: int, width: int) -> None:
    assert index_width(codewords) == width


def test_refuses_what_does_not_fit() -> None:
    with pytest.raises(VqromError, match="indices must be below 8, not 9"):
        pack(np.array([1, 9], np.uint16), 3)
    packed = pack(np.array([1, 7, 3], np.uint16), 3)
    with pytest.raises(VqromError, match="4 indices of 5 bits must be 3 bytes"):
        unpack(packed, 4, 5)
    packed[-1] |= 0x80
    with pytest.raises(VqromError, match="bits after the last index must be zero"):
        unpack(packed, 3, 3)
