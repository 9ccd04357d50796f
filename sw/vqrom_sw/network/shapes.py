"""Shapes of feature maps, and the name under which layers refer to the network's input.

The accelerator knows one shape: an image. A sequence ``[N, S, C]`` is an image of ``S`` rows and
one column, and a vector is an image of a single pixel.
"""

from __future__ import annotations

import numpy as np
import torch

INPUT = "input"
"""Name under which layers refer to the network's input."""


def native(x: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """Bring a feature map ``[N, C, H, W]`` to the shape that the float network gives it.

    Parameters
    ----------
    x:
        Feature map ``[N, C, H, W]`` of any dtype.
    shape:
        Shape without the batch: an image ``(C, H, W)``, a sequence ``(S, C)`` or a vector ``(C,)``.

    Returns
    -------
    torch.Tensor
        The same numbers as ``[N, *shape]``.
    """
    if len(shape) == 2:
        return x.flatten(2).transpose(1, 2)
    return x.reshape(len(x), *shape)


def feature_map(x: torch.Tensor, size: tuple[int, int, int]) -> torch.Tensor:
    """Undo :func:`native`: bring a tensor to ``[N, C, H, W]``, where ``size`` is ``(H, W, C)``."""
    height, width, channels = size
    if x.dim() == 3:
        x = x.transpose(1, 2)
    return x.reshape(len(x), channels, height, width)


def image_shaped(array: np.ndarray) -> np.ndarray:
    """Bring a sequence ``[N, S, C]`` to ``[N, C, S, 1]``; any other array stays as it is."""
    return array.transpose(0, 2, 1)[..., None] if array.ndim == 3 else array
