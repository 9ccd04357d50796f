"""Shapes of feature maps, and the name under which layers refer to the network's input.

The accelerator knows one shape: an image ``(H, W, C)``. A float network may see the same numbers
as an image in another order, as a sequence, or as a vector; :class:`Native` says how.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from vqrom_hw.errors import VqromError

INPUT = "input"
"""Name under which layers refer to the network's input."""

Shape = tuple[int, int, int]
"""Shape ``(H, W, C)`` of a feature map."""

AXES = "CHW"
"""The axes of a feature map in the order in which PyTorch keeps them, after the batch."""


@dataclass(frozen=True)
class Native:
    """How the float network sees a feature map.

    The map's axes are put into an order, and the result is reshaped. So an image of PyTorch is
    ``Native((C, H, W))``, one of TensorFlow ``Native((H, W, C), "HWC")``, a sequence of ``S``
    elements, which is an image of ``S`` rows and one column, ``Native((S, C), "HWC")``, a signal of
    a one-dimensional convolution ``Native((C, L))``, and a flattened image ``Native((C * H * W,))``
    or, if it was one of TensorFlow, ``Native((H * W * C,), "HWC")``.

    Members
    -------
    sizes:
        Shape in the float network, without the batch.
    order:
        The axes of the map in the order in which the float network counts through them: a
        permutation of ``"CHW"``.

    Raises
    ------
    VqromError
        If the order is no such permutation.
    """

    sizes: tuple[int, ...]
    order: str = AXES

    def __post_init__(self) -> None:
        if sorted(self.order) != sorted(AXES):
            raise VqromError(f"order of axes must be a permutation of {AXES!r}, "
                             f"not {self.order!r}")

    def tensor(self, x: torch.Tensor) -> torch.Tensor:
        """Bring a feature map ``[N, C, H, W]`` of any dtype to ``[N, *sizes]``."""
        places = [1 + AXES.index(axis) for axis in self.order]
        return x.permute(0, *places).reshape(len(x), *self.sizes)

    def feature_map(self, x: torch.Tensor, shape: Shape) -> torch.Tensor:
        """Undo :meth:`tensor`: bring ``[N, *sizes]`` to ``[N, C, H, W]`` of a map ``(H, W, C)``."""
        lengths = dict(zip("HWC", shape, strict=True))
        ordered = x.reshape(len(x), *(lengths[axis] for axis in self.order))
        return ordered.permute(0, *(1 + self.order.index(axis) for axis in AXES))


@dataclass(frozen=True)
class Output:
    """One output of a network.

    Members
    -------
    layer:
        Name of the layer that makes it.
    native:
        How the float network sees it.
    name:
        What the source calls it; empty if it has no name.
    """

    layer: str
    native: Native
    name: str = ""


def native_of(sizes: tuple[int, ...]) -> Native:
    """The usual meaning of a shape: ``(S, C)`` is a sequence; others are in PyTorch's order."""
    return Native(tuple(sizes), "HWC" if len(sizes) == 2 else AXES)


def image_native(shape: Shape) -> Native:
    """A map ``(H, W, C)`` seen as PyTorch's image ``(C, H, W)``."""
    height, width, channels = shape
    return Native((channels, height, width))


def map_inputs(array: np.ndarray, native: Native, shape: Shape) -> np.ndarray:
    """Bring inputs to feature maps.

    Parameters
    ----------
    array:
        Inputs of any dtype as the float network takes them, ``[N, *native.sizes]``, or feature
        maps already, ``[N, C, H, W]``.
    native:
        How the float network sees its input.
    shape:
        ``(H, W, C)`` of the network's input.

    Returns
    -------
    numpy.ndarray
        ``[N, C, H, W]``, contiguous.

    Raises
    ------
    VqromError
        If the array has neither shape.
    """
    height, width, channels = shape
    if array.ndim and array.shape[1:] == native.sizes:
        found = native.feature_map(torch.from_numpy(np.ascontiguousarray(array)), shape).numpy()
    elif array.ndim and array.shape[1:] == (channels, height, width):
        found = array
    else:
        wanted = " or ".join(dict.fromkeys(
            "(" + ", ".join(map(str, ("N", *sizes))) + ")"
            for sizes in (native.sizes, (channels, height, width))))
        raise VqromError(f"inputs must have shape {wanted}, not {array.shape!r}")
    return np.ascontiguousarray(found)
