"""Convolutions whose codewords are trained: the differentiable assignment of VQ4ALL.

Each sub-vector has a few candidates, the codewords near to it, and a logit for each of them. A
softmax turns logits into ratios, with which the candidates could be mixed; the choice is the
candidate of the largest logit. Training moves the logits, and freezing makes a choice final
(arXiv 2412.06875, sections 4.2 and 4.3).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from vqrom_sw.codebook import UniversalCodebook, merge, nearest_masked, subvectors
from vqrom_sw.encoding import Encoded
from vqrom_sw.network import FloatConv

from .layer import ConstructionLayer

NEAR = 1e-3
"""Least distance between a sub-vector and a codeword, in units of the codewords' entries, so that a
sub-vector on a codeword has a finite logit.
"""

LEAD = 0.999
"""Largest distance that the codeword taken first counts with, relative to the nearest candidate's:
just enough for it to lead. A lead of 0.6 cost MiniLM 3 points (docs/sw/construction).
"""


class AssignedConv(ConstructionLayer):
    """A convolution whose sub-vectors learn which of their candidates to take.

    Logits are ``log(farthest distance / distance)`` at first, so that nearer candidates have larger
    ratios. The forward pass uses the codeword of the largest logit; the gradient is that of the sum
    of all candidates weighted by their ratios. A frozen sub-vector keeps its codeword. In the
    shapes below, ``s`` is the number of sub-vectors along the input channels of one group.

    Parameters
    ----------
    layer, encoded, x:
        As in :class:`.layer.ConstructionLayer`; the layer must have indices.
    codebook:
        The universal codebook.
    candidates:
        Number of codewords that a sub-vector chooses among; at most ``k`` are taken.

    Members
    -------
    candidates:
        int64 ``[C_out, y, x, s, candidates]``: indices of the codewords to choose among, that of
        ``encoded`` first.
    entries:
        float32 ``[C_out, y, x, s, candidates, d]``: these codewords.
    logits:
        float32 ``[C_out, y, x, s, candidates]``: they are trained.
    sharpness:
        Factor on the logits. It grows during construction, so that all decide in the end.
    frozen:
        bool ``[C_out, y, x, s]``: whether the choice is final; never goes back to False.
    chosen:
        int64 ``[C_out, y, x, s]``: number of the candidate that a frozen sub-vector keeps.
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
        """Softmax of the sharpened logits, which tells how far each sub-vector has decided."""
        return (self.logits * self.sharpness).softmax(-1)

    def choice(self) -> torch.Tensor:
        """Number the candidate that each sub-vector takes, int64 ``[C_out, y, x, s]``."""
        return torch.where(self.frozen, self.chosen, self.logits.argmax(-1))

    def integers(self) -> torch.Tensor:
        """Return the chosen codewords' entries, with the gradient of the ratios unless frozen."""
        choice = self.choice()[..., None, None].expand(*self.frozen.shape, 1, self._length)
        hard = self.entries.gather(-2, choice).squeeze(-2)
        if torch.is_grad_enabled():
            soft = (self.ratios.unsqueeze(-2) @ self.entries).squeeze(-2)
            hard = hard + (soft - soft.detach()) * ~self.frozen.unsqueeze(-1)
        return merge(hard, self._layer.weight.shape[1])

    @property
    def indices(self) -> np.ndarray:
        """Codebook indices of the chosen codewords, uint16 ``[C_out, y, x, s]``."""
        found = self.candidates.gather(-1, self.choice().unsqueeze(-1)).squeeze(-1)
        return found.cpu().numpy().astype(np.uint16)

    def indecision(self) -> torch.Tensor:
        """Average ``sum r (1 - r)`` over the sub-vectors that are not frozen, a scalar.

        It is 0 where one candidate has all of the ratio ``r``; construction adds it to the loss.
        """
        ratios, undecided = self.ratios, ~self.frozen
        spread = (ratios * (1 - ratios)).sum(-1) * undecided
        return spread.sum() / undecided.sum().clamp(min=1)

    @torch.no_grad()
    def freeze(self, threshold: float) -> None:
        """Make the choice final where a sub-vector's largest ratio is at least ``threshold``."""
        self.chosen.copy_(self.choice())
        self.frozen |= self.ratios.amax(-1) >= threshold

    @property
    def _length(self) -> int:
        """Weights of a codeword, ``d``."""
        return self.entries.shape[-1]


def _aim(layer: FloatConv, encoded: Encoded) -> torch.Tensor:
    """Return what codewords stand for, in their units, float32 ``[C_out, C_in / groups, y, x]``."""
    if encoded.aim is not None:
        return encoded.aim
    fitted = torch.from_numpy(encoded.fitted).float().reshape(-1, 1, 1, 1)
    return layer.weight / torch.where(fitted > 0, fitted, 1.0)


def _first(candidates: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    """Put the chosen codeword first among the candidates, in the last one's stead if it is new.

    ``candidates`` is int64 ``[..., n]``, the nearest first, and ``chosen`` int64 ``[...]``.
    """
    chosen = chosen.unsqueeze(-1)
    order = (candidates != chosen).long()
    order[..., -1:] *= 1 - (order.all(-1, keepdim=True)).long()
    ranked = candidates.gather(-1, order.argsort(dim=-1, stable=True))
    ranked[..., :1] = chosen
    return ranked
