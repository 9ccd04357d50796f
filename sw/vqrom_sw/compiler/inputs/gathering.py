"""Gathering: the pixels of a window side by side in DRAM, as channels of one pixel.

A kernel as wide as its map, or one whose stride is its size, is a matrix product: no pixel belongs
to two windows. The host lays such an input out window by window, so that a window is one pixel of
more channels, and the layer an equal one with a smaller kernel. Each of the two axes is gathered by
itself: a kernel as wide as the map may still move up and down. Rows of windows that overlap can be
gathered, too, if the host writes the rows that two windows share twice: worth it where a pixel has
so few channels that a word has lanes for several rows. The weights stay what they are, in another
order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vqrom_sw.network import Conv

from ..dram_layout import Gathering, Shape, WindowAxis


@dataclass(frozen=True)
class GatheredLayer:
    """A convolution, and how its input lies in DRAM.

    Members
    -------
    layer:
        The convolution over the gathered input, equal to the one that was given.
    shape:
        ``(H, W, C)`` of the gathered input.
    gathering:
        How the input becomes the gathered one; None if it stays as it is.
    """

    layer: Conv
    shape: Shape
    gathering: Gathering | None


def gatherable(layer: Conv) -> tuple[bool, bool]:
    """Along which axes, y and x, it may pay to gather the windows of a convolution.

    Windows that share pixels are gathered along y only: where they overlap along x, LOAD repeats
    pixels by itself.
    """
    apart = layer.shape[1] == 1 or layer.stride[1] > (layer.kernel[1] - 1) * layer.dilation[1]
    return (layer.groups == 1 and layer.kernel[0] > 1,
            layer.groups == 1 and layer.kernel[1] > 1 and apart)


def gather(layer: Conv, shape: Shape, lanes: int, chosen: tuple[bool, bool]) -> GatheredLayer:
    """Gather the windows of a convolution along one or both axes.

    Parameters
    ----------
    layer:
        A convolution; its weights may be absent.
    shape:
        ``(H, W, C)`` of its input.
    lanes:
        Channels that a pixel of the input takes: ``C``, or the next multiple of a sub-vector where
        the layer has indices. Those beyond ``C`` hold the zero point.
    chosen:
        Whether to gather along y and along x.
    """
    axes = tuple(
        WindowAxis(count, kernel, stride, dilation, before) if gathers else None
        for gathers, count, kernel, stride, dilation, before in zip(
            chosen, layer.shape, layer.kernel, layer.stride, layer.dilation, layer.padding,
            strict=False))
    rows, columns = axes
    if rows is None and columns is None:
        return GatheredLayer(layer, shape, None)
    gathering = Gathering(rows, columns, lanes)
    equal = replace(
        layer, indices=_gathered(layer.indices, gathering), raw=_gathered(layer.raw, gathering),
        kernel=_where(axes, layer.kernel, 1), stride=_where(axes, layer.stride, 1),
        dilation=_where(axes, layer.dilation, 1),
        padding=_where(axes, layer.padding[:2], 0) + _where(axes, layer.padding[2:], 0))
    return GatheredLayer(equal, gathering.shape(shape), gathering)


def _where(axes: tuple[WindowAxis | None, ...], given: tuple[int, ...],
           gathered: int) -> tuple[int, int]:
    """A number for each of both axes: ``gathered`` where windows are gathered."""
    rows, columns = (gathered if axis else value for axis, value in zip(axes, given, strict=True))
    return rows, columns


def _gathered(units: np.ndarray | None, gathering: Gathering) -> np.ndarray | None:
    """Weights or indices ``[C_out, kernel_y, kernel_x, U]`` for the gathered input."""
    if units is None:
        return None
    count, kernel_y, kernel_x, _ = units.shape
    if gathering.columns is None:
        # Only kernel rows lie side by side: the kernel's columns stay what they are.
        return np.ascontiguousarray(units.transpose(0, 2, 1, 3)).reshape(count, 1, kernel_x, -1)
    return units.reshape(count, kernel_y if gathering.rows is None else 1, 1, -1)
