"""Shapes of feature maps, and the name under which layers refer to the network's input.

The accelerator knows one shape: an image. A sequence ``[N, S, C]`` is an image of ``S`` rows and
one column, a vector one of a single pixel.
"""

from __future__ import annotations

import numpy as np
import torch

INPUT = "input"
"""Name under which layers refer to the network's input."""


def native(x: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """A feature map ``[N, C, H, W]`` in the float network's shape ``[N, *shape]``."""
    if len(shape) == 2:
        return x.flatten(2).transpose(1, 2)
    return x.reshape(len(x), *shape)


def feature_map(x: torch.Tensor, size: tuple[int, int, int]) -> torch.Tensor:
    """Undo :func:`native`: ``[N, C, H, W]`` with ``size`` = ``(H, W, C)``."""
    height, width, channels = size
    if x.dim() == 3:
        x = x.transpose(1, 2)
    return x.reshape(len(x), channels, height, width)


def image_shaped(array: np.ndarray) -> np.ndarray:
    """A sequence ``[N, S, C]`` as ``[N, C, S, 1]``; any other array as it is."""
    return array.transpose(0, 2, 1)[..., None] if array.ndim == 3 else array
