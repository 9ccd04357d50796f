"""Operators that move numbers between the pixels of a block and channels, or images."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from ..float_node import FloatNode, Part


def _image(node: FloatNode) -> tuple[int, int, int]:
    data = node.data()
    if len(data.shape) != 4 or not data.leading:
        raise node.error(f"input must be an image (1, H, W, C), not {data.shape!r}")
    return data.shape[1], data.shape[2], data.shape[3]


def depth_to_space(node: FloatNode) -> Part:
    """Read a DEPTH_TO_SPACE: each pixel's channels are a block's rows, columns and channels."""
    block = node.option("DepthToSpaceOptions", "blockSize")
    height, width, channels = _image(node)
    if block < 1 or channels % (block * block):
        raise node.error(f"block {block} must divide {channels} channels twice")

    def move(x: torch.Tensor) -> torch.Tensor:
        parts = x.reshape(-1, height, width, block, block, channels // (block * block))
        return parts.permute(0, 1, 3, 2, 4, 5).reshape(-1, height * block, width * block,
                                                       channels // (block * block))
    return node.call(move)


def space_to_depth(node: FloatNode) -> Part:
    """Read a SPACE_TO_DEPTH, which undoes a DEPTH_TO_SPACE."""
    block = node.option("SpaceToDepthOptions", "blockSize")
    height, width, channels = _image(node)
    if block < 1 or height % block or width % block:
        raise node.error(f"block {block} must divide {height} rows and {width} columns")

    def move(x: torch.Tensor) -> torch.Tensor:
        parts = x.reshape(-1, height // block, block, width // block, block, channels)
        return parts.permute(0, 1, 3, 2, 4, 5).reshape(-1, height // block, width // block,
                                                       block * block * channels)
    return node.call(move)


def space_to_batch(node: FloatNode) -> Part:
    """Read a SPACE_TO_BATCH_ND: each place within a block becomes an image of its own.

    These stay within the image that they are of, as an axis behind that of images.
    """
    (rows, columns), ((top, bottom), (left, right)) = _blocks(node)
    height, width, channels = _image(node)
    height, width = height + top + bottom, width + left + right
    if height % rows or width % columns:
        raise node.error(f"blocks of {(rows, columns)!r} must divide {(height, width)!r}")

    def move(x: torch.Tensor) -> torch.Tensor:
        x = nn.functional.pad(x, (0, 0, left, right, top, bottom))
        parts = x.reshape(-1, height // rows, rows, width // columns, columns, channels)
        return parts.permute(0, 2, 4, 1, 3, 5).reshape(
            -1, rows * columns, height // rows, width // columns, channels)
    return node.call(move, leading=False)


def batch_to_space(node: FloatNode) -> Part:
    """Read a BATCH_TO_SPACE_ND, which undoes a SPACE_TO_BATCH_ND, and crops."""
    (rows, columns), ((top, bottom), (left, right)) = _blocks(node)
    data = node.data()
    if data.leading or len(data.shape) != 4 or data.shape[0] != rows * columns:
        raise node.error(f"input must be the {rows * columns} parts of an image, "
                         f"not {data.shape!r}")
    _, height, width, channels = data.shape

    def move(x: torch.Tensor) -> torch.Tensor:
        parts = x.reshape(-1, rows, columns, height, width, channels)
        whole = parts.permute(0, 3, 1, 4, 2, 5).reshape(-1, height * rows, width * columns,
                                                        channels)
        return whole[:, top:height * rows - bottom, left:width * columns - right]
    return node.call(move, leading=True)


def _blocks(node: FloatNode) -> tuple[list[int], list[list[int]]]:
    """The size of a block, and the pixels before and after in each direction."""
    block, amounts = node.integers(1), node.static(2)
    if len(block) != 2 or min(block) < 1 or amounts.shape != (2, 2) or (amounts < 0).any():
        raise node.error(f"blocks must be of height and width, not {block!r}")
    return block, [[int(value) for value in row] for row in amounts]


OPERATORS: dict[str, Callable[[FloatNode], Part]] = {
    "DEPTH_TO_SPACE": depth_to_space, "SPACE_TO_DEPTH": space_to_depth,
    "SPACE_TO_BATCH_ND": space_to_batch, "BATCH_TO_SPACE_ND": batch_to_space,
}
"""What reads each operator on blocks, by its name."""
