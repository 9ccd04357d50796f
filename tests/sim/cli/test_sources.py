"""Shapes as the command line takes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vqrom_hw.errors import VqromError
from vqrom_sim.cli.shapes import parse_shape


@given(st.lists(st.integers(1, 1 << 20), min_size=1, max_size=8), st.sampled_from("x,X"))
def test_parse_shape(sizes: list[int], separator: str) -> None:
    assert parse_shape(separator.join(map(str, sizes))) == tuple(sizes)


@pytest.mark.parametrize("text", [
    "", "x", "0x3", "-1x3", "3x", "3.5", "1x2,3", "a", "1xx2", "9999999", "1x" * 8 + "1", "1e3"])
def test_parse_shape_wrong(text: str) -> None:
    with pytest.raises(VqromError, match="shape must be positive integers") as error:
        parse_shape(text)
    assert repr(text) in str(error.value)
