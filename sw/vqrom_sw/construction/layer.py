"""Convolutions of a network under construction: integer weights that a gradient reaches.

The forward pass computes with the integers that will be exported, so that what is trained is what
the accelerator will run. How a gradient gets past them is up to the subclass: by a choice among
codewords (:mod:`vqrom_sw.construction.assigned`), or by rounding, as here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from vqrom_sw.encoding import RAW_LIMIT, Encoded
from vqrom_sw.network import FloatConv
from vqrom_sw.reference import linear_part


class ConstructionLayer(nn.Module, ABC):
    """A convolution with integer weights in training: ``activation(norm(conv(x, integers)))``.

    Batch norm takes the place of scale and bias, so that the outputs keep their statistics while
    codewords change under them; scales and biases trained by themselves did not survive the first
    steps (docs/sw/construction). Layers whose output is one pixel have too few values to take
    statistics in training, and keep those that they were made with.

    Parameters
    ----------
    layer:
        Layer of the float network.
    encoded:
        Weights, scale and bias to start with.
    x:
        float32 ``[N, C_in, H, W]``, the layer's input, which gives the first statistics.

    Members
    -------
    norm:
        The batch norm; its affine part is trained.
    """

    def __init__(self, layer: FloatConv, encoded: Encoded, x: torch.Tensor):
        super().__init__()
        self._layer = layer
        scale, bias = (torch.from_numpy(part).float() for part in (encoded.scale, encoded.bias))
        self.norm = nn.BatchNorm2d(len(scale))
        with torch.no_grad():
            sums = linear_part(layer, encoded.integers.float(), None, x)
            self._take_statistics(sums)
            self.norm.weight.copy_(scale * self._deviation)
            self.norm.bias.copy_(bias + scale * self._mean)

    @abstractmethod
    def integers(self) -> torch.Tensor:
        """Compute integer weights, float32 ``[C_out, C_in / groups, y, x]``, with a gradient."""

    @property
    @abstractmethod
    def indices(self) -> np.ndarray | None:
        """Codebook indices of the ``s`` sub-vectors, uint16 ``[C_out, y, x, s]``; None if raw."""

    @property
    def scale(self) -> torch.Tensor:
        """Scale ``[C_out]`` that batch norm amounts to: real weight = ``scale * integer``."""
        return self.norm.weight / self._deviation

    @property
    def bias(self) -> torch.Tensor:
        """Bias ``[C_out]`` that batch norm amounts to."""
        return self.norm.bias - self.scale * self._mean

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run the layer with its activation, float32 ``[N, C_out, H, W]``."""
        norm = self.norm
        sums = linear_part(self._layer, self.integers(), None, x)
        changing = self.training and self._has_pixels
        return F.batch_norm(sums, norm.running_mean, norm.running_var, norm.weight, norm.bias,
                            changing, norm.momentum or 0.0, norm.eps).clamp(*self._layer.bounds)

    @torch.no_grad()
    def settle(self, x: torch.Tensor) -> torch.Tensor:
        """Take these inputs' statistics for good, and run in evaluation mode as :meth:`forward`."""
        if self._has_pixels:
            self._take_statistics(linear_part(self._layer, self.integers(), None, x))
        self.eval()
        return self(x)

    @torch.no_grad()
    def export(self) -> Encoded:
        """Return weights, scale and bias that compute what the layer does after :meth:`settle`."""
        scale, bias = (part.double().cpu().numpy() for part in (self.scale, self.bias))
        integers = self.integers().to(torch.int8).cpu()
        return Encoded(self.indices, integers, scale, scale, bias)

    @property
    def _has_pixels(self) -> bool:
        """Whether the output has more than one pixel."""
        return self._layer.shape[0] * self._layer.shape[1] > 1

    @property
    def _mean(self) -> torch.Tensor:
        """Mean ``[C_out]`` of the integer sums, as last taken."""
        assert self.norm.running_mean is not None
        return self.norm.running_mean

    @property
    def _deviation(self) -> torch.Tensor:
        """Standard deviation ``[C_out]`` of the integer sums, as last taken."""
        assert self.norm.running_var is not None
        return (self.norm.running_var + self.norm.eps).sqrt()

    def _take_statistics(self, sums: torch.Tensor) -> None:
        assert self.norm.running_var is not None
        variance, mean = torch.var_mean(sums, (0, 2, 3), correction=0)
        self._mean.copy_(mean)
        self.norm.running_var.copy_(variance)


class RawConv(ConstructionLayer):
    """A convolution that keeps int8 weights, which are trained beside the assignments.

    The forward pass rounds them; the gradient passes as if it did not. Parameters are those of
    :class:`ConstructionLayer`.

    Members
    -------
    weight:
        float32 ``[C_out, C_in / groups, y, x]``, the integers over 127: it is trained.
    """

    def __init__(self, layer: FloatConv, encoded: Encoded, x: torch.Tensor):
        super().__init__(layer, encoded, x)
        self.weight = nn.Parameter(encoded.integers.float() / RAW_LIMIT)

    def integers(self) -> torch.Tensor:
        """Round the weights to integers in -127..127, with the gradient of the unrounded ones."""
        exact = self.weight * RAW_LIMIT
        rounded = exact.detach().round().clamp(-RAW_LIMIT, RAW_LIMIT)
        return rounded + (exact - exact.detach())

    @property
    def indices(self) -> None:
        """None, since the weights are raw."""
        return None
