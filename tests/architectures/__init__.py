"""Small networks of the families that people use, written as modules.

Each has the parts, and the way of putting them together, of the family that it is named after, with
few channels and small inputs, so that it can be captured, compressed and run on every engine within
seconds.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from . import attention, classic, mobile, pixels, residual, sequences

Family = tuple[Callable[[], nn.Module], tuple[int, ...]]
"""What makes the module, and the shape of one input, with a batch of 1 in front."""

ARCHITECTURES: dict[str, Family] = {
    **classic.FAMILIES, **residual.FAMILIES, **mobile.FAMILIES, **pixels.FAMILIES,
    **attention.FAMILIES, **sequences.FAMILIES}
"""Families by name."""


def build(name: str, seed: int = 1) -> tuple[nn.Module, torch.Tensor]:
    """Make a module in evaluation mode, with statistics that do something, and an example input.

    Returns
    -------
    tuple
        The module, and float32 zeros of the shape of one input, with a batch of 1.
    """
    torch.manual_seed(seed)
    factory, shape = ARCHITECTURES[name]
    module = factory()
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            assert part.running_mean is not None and part.running_var is not None
            part.running_mean.normal_(std=0.3)
            part.running_var.uniform_(0.5, 2)
            nn.init.uniform_(part.weight, 0.7, 1.3)
            nn.init.normal_(part.bias, std=0.3)
    return module.eval(), torch.zeros(shape)


__all__ = ["ARCHITECTURES", "Family", "build"]
