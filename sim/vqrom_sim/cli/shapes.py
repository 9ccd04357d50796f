"""Shapes of inputs as they are typed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vqrom_hw.errors import VqromError

from .lazy import LazyModule

if TYPE_CHECKING:
    from vqrom_sw import io
else:
    io = LazyModule("vqrom_sw.io")


def parse_shape(text: str) -> tuple[int, ...]:
    """``1x28x28`` or ``1,3,32,32`` as a tuple.

    Raises
    ------
    VqromError
        If it is not 1 to 8 positive integers, all with the same separator.
    """
    separator = "," if "," in text else "x"
    parts = text.lower().split(separator)
    sizes = tuple(int(part) for part in parts if re.fullmatch(r"\s*[0-9]{1,8}\s*", part))
    if len(sizes) != len(parts) or len(parts) > io.MAX_DIMENSIONS or not all(
            0 < size <= io.MAX_DIMENSION for size in sizes):
        raise VqromError(
            "shape must be positive integers separated by 'x' or ',', "
            f"such as 1x28x28 or 1,3,32,32, not {text!r}")
    return sizes


def input_shape(text: str) -> tuple[int, ...]:
    """The shape of one input, ``(1, C, H, W)``, ``(1, S, C)`` or ``(1, C)``, with or without the 1.

    Raises
    ------
    VqromError
        If it is none of those.
    """
    shape = parse_shape(text)
    shape = shape if len(shape) == 4 else (1, *shape)
    if len(shape) > 4 or shape[0] != 1:
        raise VqromError("example input must be C x H x W or 1 x C x H x W, S x C, or C, "
                         f"not {text!r}")
    return shape
