"""Outputs whose images are not along the first dimension, such as the states of a recurrent layer.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.utils._pytree import tree_flatten, tree_unflatten

COUNTS = (2, 3)
"""Numbers of images with which a module runs, to find the dimension that grows with them."""


class ImagesInFront(nn.Module):
    """A module with the images of each output moved to the first dimension.

    Parameters
    ----------
    module:
        The module itself.
    axes:
        The dimension of the images of each output, in order.
    """

    def __init__(self, module: nn.Module, axes: tuple[int, ...]):
        super().__init__()
        self.network = module
        self._axes = axes
        self.train(module.training)

    def forward(self, x: torch.Tensor) -> Any:
        outputs, structure = tree_flatten(self.network(x))
        return tree_unflatten([value.movedim(axis, 0) if axis else value for value, axis
                               in zip(outputs, self._axes, strict=True)], structure)


def images_in_front(module: nn.Module, example: torch.Tensor) -> nn.Module:
    """The module, if all its outputs have their images in front, or one that moves them there.

    Parameters
    ----------
    module:
        A module. One in training mode, or that does not run with several images, is left as it is.
    example:
        An input, ``[N, ...]``.
    """
    if module.training:
        return module
    try:
        with torch.no_grad():
            runs = [tree_flatten(module(torch.cat([example[:1]] * count)))[0] for count in COUNTS]
    except Exception:
        return module
    axes = tuple(_axis(*outputs) for outputs in zip(*runs, strict=False))
    return ImagesInFront(module, axes) if any(axes) else module


def _axis(first: Any, second: Any) -> int:
    """The dimension that has the images; 0 if none or several grow with them."""
    if not all(isinstance(value, torch.Tensor) for value in (first, second)) \
            or first.dim() != second.dim():
        return 0
    grown = [axis for axis, sizes in enumerate(zip(first.shape, second.shape, strict=True))
             if sizes[0] != sizes[1]]
    single = len(grown) == 1 and (first.shape[grown[0]], second.shape[grown[0]]) == COUNTS
    return grown[0] if single else 0
