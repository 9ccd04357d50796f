"""Convolutions of a network under construction: integer weights that a gradient reaches."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from vqrom_sw.codebook import UniversalCodebook, merge, nearest_masked, subvectors
from vqrom_sw.encoding import RAW_LIMIT, Encoded
from vqrom_sw.network import FloatConv
from vqrom_sw.reference import linear_part

NEAR = 1e-3
"""Least distance between a sub-vector and a codeword, in codeword units, that logits tell."""

LEAD = 0.999
"""Distance of the codeword where construction starts, relative to the nearest one's at most."""


class ConstructionLayer(nn.Module, ABC):
    """``activation(batch_norm(conv(x, integers)))``: what will be exported, trained as it is.

    Batch norm takes the place of scale and bias, so that statistics follow the weights while
    these change; layers of one pixel keep the statistics that they were settled with.

    Parameters
    ----------
    layer:
        Float layer.
    encoded:
        Where to start.
    x:
        float32 ``[N, C_in, H, W]``, the layer's input: its statistics are the first ones.

    Members
    -------
    norm:
        Its affine part is trained.
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
        """Integer weights as float32 ``[C_out, C_in / groups, y, x]``, with a gradient."""

    @property
    @abstractmethod
    def indices(self) -> np.ndarray | None:
        """As in :class:`Encoded`."""

    @property
    def scale(self) -> torch.Tensor:
        """Of each output channel, ``[C_out]``."""
        return self.norm.weight / self._deviation

    @property
    def bias(self) -> torch.Tensor:
        """Of each output channel, ``[C_out]``."""
        return self.norm.bias - self.scale * self._mean

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The layer with its activation, float32 ``[N, C_out, H, W]``."""
        norm = self.norm
        sums = linear_part(self._layer, self.integers(), None, x)
        changing = self.training and self._has_pixels
        return F.batch_norm(sums, norm.running_mean, norm.running_var, norm.weight, norm.bias,
                            changing, norm.momentum or 0.0, norm.eps).clamp(*self._layer.bounds)

    @torch.no_grad()
    def settle(self, x: torch.Tensor) -> torch.Tensor:
        """Take the statistics of these inputs, then run: as :meth:`forward`."""
        if self._has_pixels:
            self._take_statistics(linear_part(self._layer, self.integers(), None, x))
        self.eval()
        return self(x)

    @torch.no_grad()
    def export(self) -> Encoded:
        """What the forward pass computes after :meth:`settle`."""
        scale, bias = (part.double().cpu().numpy() for part in (self.scale, self.bias))
        # A negative scale is the same function as a positive one; the hardware has the latter.
        integers = self.integers().to(torch.int8).cpu()
        return Encoded(self.indices, integers, scale, scale, bias)

    @property
    def _has_pixels(self) -> bool:
        return self._layer.shape[0] * self._layer.shape[1] > 1

    @property
    def _mean(self) -> torch.Tensor:
        assert self.norm.running_mean is not None
        return self.norm.running_mean

    @property
    def _deviation(self) -> torch.Tensor:
        assert self.norm.running_var is not None
        return (self.norm.running_var + self.norm.eps).sqrt()

    def _take_statistics(self, sums: torch.Tensor) -> None:
        assert self.norm.running_var is not None
        variance, mean = torch.var_mean(sums, (0, 2, 3), correction=0)
        self._mean.copy_(mean)
        self.norm.running_var.copy_(variance)


class AssignedConv(ConstructionLayer):
    """Differentiable assignment of VQ4ALL (arXiv 2412.06875), hard in the forward pass.

    Every sub-vector has ``candidates`` nearest codewords and a logit for each, at first
    ``log(farthest distance / distance)``. The forward pass uses the codeword of the largest
    logit; the gradient is that of the softmax-weighted sum. A frozen sub-vector keeps its
    codeword.

    Parameters
    ----------
    codebook:
        The universal codebook.
    candidates:
        Codewords that a sub-vector chooses among, at most ``k``.

    Members
    -------
    logits:
        float32 ``[C_out, y, x, groups, candidates]``.
    sharpness:
        Factor on the logits. It grows during construction, so that all decide in the end.
    frozen:
        bool ``[C_out, y, x, groups]``; never goes back to False.
    """

    candidates: torch.Tensor
    entries: torch.Tensor
    frozen: torch.Tensor
    chosen: torch.Tensor

    def __init__(self, layer: FloatConv, encoded: Encoded, x: torch.Tensor,
                 codebook: UniversalCodebook, candidates: int):
        super().__init__(layer, encoded, x)
        codewords = torch.from_numpy(codebook.codewords.astype(np.float32))
        channels = layer.weight.shape[1]
        parts = subvectors(_aim(layer, encoded), codebook.subvector)
        found = nearest_masked(parts, codewords, channels, min(candidates, codebook.size))
        assert encoded.indices is not None
        found = _first(found, torch.from_numpy(encoded.indices.astype(np.int64)))
        entries = codewords[found]
        lanes = subvectors(torch.ones(1, channels, 1, 1), codebook.subvector).unsqueeze(-2)
        distance = ((entries - parts.unsqueeze(-2)) * lanes).norm(dim=-1).clamp(min=NEAR)
        # What was chosen leads, even if its weights are not the nearest ones.
        distance[..., 0] = distance.amin(-1) * LEAD
        farthest = distance.amax(-1, keepdim=True)
        self.sharpness = 1.0
        self.register_buffer("candidates", found)
        self.register_buffer("entries", entries, persistent=False)
        self.register_buffer("frozen", torch.zeros(found.shape[:-1], dtype=torch.bool))
        self.register_buffer("chosen", torch.zeros(found.shape[:-1], dtype=torch.int64))
        self.logits = nn.Parameter((farthest / distance).log())

    @property
    def ratios(self) -> torch.Tensor:
        """Softmax of the sharpened logits: how far each sub-vector has decided."""
        return (self.logits * self.sharpness).softmax(-1)

    def choice(self) -> torch.Tensor:
        """Number of each sub-vector's candidate, int64 ``[C_out, y, x, groups]``."""
        return torch.where(self.frozen, self.chosen, self.logits.argmax(-1))

    def integers(self) -> torch.Tensor:
        """The chosen codewords' entries, with the gradient of the ratios where not frozen."""
        choice = self.choice()[..., None, None].expand(*self.frozen.shape, 1, self._length)
        hard = self.entries.gather(-2, choice).squeeze(-2)
        if torch.is_grad_enabled():
            soft = (self.ratios.unsqueeze(-2) @ self.entries).squeeze(-2)
            hard = hard + (soft - soft.detach()) * ~self.frozen.unsqueeze(-1)
        return merge(hard, self._layer.weight.shape[1])

    @property
    def indices(self) -> np.ndarray:
        """Codebook indices, uint16 ``[C_out, y, x, groups]``."""
        found = self.candidates.gather(-1, self.choice().unsqueeze(-1)).squeeze(-1)
        return found.cpu().numpy().astype(np.uint16)

    def indecision(self) -> torch.Tensor:
        """``sum r (1 - r)`` of the sub-vectors that are not frozen, on average; a scalar."""
        ratios, undecided = self.ratios, ~self.frozen
        spread = (ratios * (1 - ratios)).sum(-1) * undecided
        return spread.sum() / undecided.sum().clamp(min=1)

    @torch.no_grad()
    def freeze(self, threshold: float) -> None:
        """Freeze the sub-vectors whose largest ratio is at least ``threshold``."""
        self.chosen.copy_(self.choice())
        self.frozen |= self.ratios.amax(-1) >= threshold

    @property
    def _length(self) -> int:
        return self.entries.shape[-1]


class RawConv(ConstructionLayer):
    """int8 weights, rounded in the forward pass; the gradient passes the rounding."""

    def __init__(self, layer: FloatConv, encoded: Encoded, x: torch.Tensor):
        super().__init__(layer, encoded, x)
        self.weight = nn.Parameter(encoded.integers.float() / RAW_LIMIT)

    def integers(self) -> torch.Tensor:
        """Rounded weights, -127..127."""
        exact = self.weight * RAW_LIMIT
        rounded = exact.detach().round().clamp(-RAW_LIMIT, RAW_LIMIT)
        return rounded + (exact - exact.detach())

    @property
    def indices(self) -> None:
        """None: the weights are raw."""
        return None


def _aim(layer: FloatConv, encoded: Encoded) -> torch.Tensor:
    """What codewords stand for, in their units, float32 ``[C_out, C_in / groups, y, x]``."""
    if encoded.aim is not None:
        return encoded.aim
    fitted = torch.from_numpy(encoded.fitted).float().reshape(-1, 1, 1, 1)
    return layer.weight / torch.where(fitted > 0, fitted, 1.0)


def _first(candidates: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    """Candidates ``[..., n]`` with the chosen one ``[...]`` first, in the last one's place if new.
    """
    chosen = chosen.unsqueeze(-1)
    order = (candidates != chosen).long()
    order[..., -1:] *= 1 - (order.all(-1, keepdim=True)).long()
    ranked = candidates.gather(-1, order.argsort(dim=-1, stable=True))
    ranked[..., :1] = chosen
    return ranked
