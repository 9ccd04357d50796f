"""Windows that convolutions and poolings move over an image, and the shapes that come of it."""

from __future__ import annotations

from dataclasses import dataclass

from vqrom_hw.errors import VqromError

Shape = tuple[int, int, int]
"""Shape ``(H, W, C)`` of a feature map."""

Padding = tuple[int, int, int, int]
"""Pixels around an image, ``(top, left, bottom, right)``."""

NO_PADDING: Padding = (0, 0, 0, 0)
"""The padding of an image that has none."""


@dataclass(frozen=True)
class SlidingWindow:
    """A window over an image.

    Members
    -------
    kernel:
        Size of the window, ``(y, x)``.
    stride:
        Pixels between two windows, ``(y, x)``.
    padding:
        Pixels around the image.
    dilation:
        Pixels between two neighbours within a window, ``(y, x)``.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: Padding
    dilation: tuple[int, int] = (1, 1)

    @property
    def reach(self) -> tuple[int, int]:
        """Pixels that the window spans, ``(y, x)``."""
        return ((self.kernel[0] - 1) * self.dilation[0] + 1,
                (self.kernel[1] - 1) * self.dilation[1] + 1)

    def output(self, shape: Shape, channels: int) -> Shape:
        """The shape ``(H, W, channels)`` of what the window makes of an image.

        Parameters
        ----------
        shape:
            Shape of the image.
        channels:
            Number of output channels.

        Raises
        ------
        VqromError
            If the window does not fit into the image.
        """
        top, left, bottom, right = self.padding
        height = (shape[0] + top + bottom - self.reach[0]) // self.stride[0] + 1
        width = (shape[1] + left + right - self.reach[1]) // self.stride[1] + 1
        if height < 1 or width < 1:
            raise VqromError(f"a kernel of {self.kernel!r} must fit an input of {shape!r}")
        return height, width, channels


def same_padding(sizes: tuple[int, int], reach: tuple[int, int],
                 stride: tuple[int, int]) -> Padding:
    """The padding of TFLite's ``SAME``, whose larger half is at the bottom or right.

    Parameters
    ----------
    sizes:
        Height and width of the image.
    reach:
        Height and width that a window spans, with its dilation.
    stride:
        Pixels between two windows, ``(y, x)``.
    """
    wanted = [max(0, (-(-size // step) - 1) * step + window - size)
              for size, window, step in zip(sizes, reach, stride, strict=True)]
    (top, bottom), (left, right) = ((part // 2, part - part // 2) for part in wanted)
    return top, left, bottom, right
