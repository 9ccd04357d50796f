"""Windows that slide over the spatial axes: kernel, strides, dilations and padding."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from ..node import OnnxNode
from ..values import Data

MAX_AXES = 3
"""Greatest number of spatial axes."""


@dataclass(frozen=True)
class Window:
    """A window and how it moves, one number for each spatial axis.

    Members
    -------
    kernel, strides, dilations:
        Sizes, steps, and distances between the window's elements.
    before, after:
        Padding in front and behind.
    sizes:
        Sizes of the tensor that it slides over.
    """

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    sizes: tuple[int, ...]

    @property
    def even(self) -> bool:
        """Whether the padding is the same in front and behind."""
        return self.before == self.after

    @property
    def reach(self) -> list[int]:
        """How many elements the window spans."""
        return [(kernel - 1) * dilation + 1
                for kernel, dilation in zip(self.kernel, self.dilations, strict=True)]

    def steps(self, ceil: bool) -> list[int]:
        """How many places the window has on each axis.

        Source: the standard's definition of ``AveragePool`` and ``MaxPool``; a window that would
        begin in the padding behind is left out.
        """
        found = []
        for size, before, after, reach, stride in zip(
                self.sizes, self.before, self.after, self.reach, self.strides, strict=True):
            free = size + before + after - reach
            count = (math.ceil(free / stride) if ceil else free // stride) + 1
            found.append(count - (ceil and (count - 1) * stride >= size + before))
        return found

    def padded(self, x: torch.Tensor, value: float, ceil: bool) -> torch.Tensor:
        """Pad a tensor so that every place of the window is inside, and nothing is left over."""
        amounts: list[int] = []
        for size, before, reach, stride, count in reversed(list(zip(
                self.sizes, self.before, self.reach, self.strides, self.steps(ceil),
                strict=True))):
            amounts += [before, (count - 1) * stride + reach - size - before]
        return F.pad(x, amounts, value=value) if any(amounts) else x


def window(node: OnnxNode, data: Data, kernel: Sequence[int]) -> Window:
    """Take the attributes of a node that describe its window.

    Raises
    ------
    VqromError
        If the input has no spatial axes, or too many, or an attribute does not fit them.
    """
    axes = data.rank - 2
    if not 1 <= axes <= MAX_AXES:
        raise node.error(f"its input must have 3 to {2 + MAX_AXES} axes, not {data.rank}")
    strides = sizes_of(node, "strides", axes)
    dilations = sizes_of(node, "dilations", axes)
    pads = node.attribute("pads", [0] * 2 * axes)
    automatic = node.expect("auto_pad", "NOTSET", ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"))
    if len(pads) != 2 * axes or min(pads) < 0 or len(kernel) != axes:
        raise node.error(f"pads and kernel must fit {axes} axes, not {pads!r} and {kernel!r}")
    sizes = tuple(node.size(data, 2 + axis) for axis in range(axes))
    before, after = tuple(pads[:axes]), tuple(pads[axes:])
    if automatic != "NOTSET":
        before = after = (0,) * axes
    if automatic.startswith("SAME"):
        totals = [max((-(-size // stride) - 1) * stride + (k - 1) * dilation + 1 - size, 0)
                  for size, stride, k, dilation in zip(sizes, strides, kernel, dilations,
                                                       strict=True)]
        small, large = tuple(n // 2 for n in totals), tuple(n - n // 2 for n in totals)
        before, after = (small, large) if automatic == "SAME_UPPER" else (large, small)
    return Window(tuple(kernel), strides, dilations, before, after, sizes)


def sizes_of(node: OnnxNode, name: str, axes: int) -> tuple[int, ...]:
    """Take an attribute with one positive number for each spatial axis; 1 where it is absent."""
    values = tuple(node.attribute(name, [1] * axes))
    if len(values) != axes or min(values) < 1:
        raise node.error(f"{name} must be {axes} positive numbers, not {values!r}")
    return values
