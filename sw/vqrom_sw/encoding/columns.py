"""Codewords that keep a layer's outputs: a quadratic form of the weights' error made small.

Sub-vectors are encoded one after the other, each time moving the error into the weights still to
come (Frantar et al., "GPTQ", arXiv 2210.17323; for sub-vectors van Baalen et al., "GPTVQ", arXiv
2402.15319), then improved one at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from vqrom_sw.codebook import UniversalCodebook, channel_rms, nearest

ROUNDS, SWEEPS = 2, 2
"""Alternations with the scale, and improvements of all sub-vectors in each."""


@dataclass(frozen=True)
class Moments:
    """A layer's inputs and wanted outputs, without their means, of one group of channels.

    Members
    -------
    inputs:
        ``[n, n]``, damped: means of products of inputs. ``n`` weights in the order y, x, channel.
    weights:
        ``[C_out, n]``: the weights whose outputs are nearest to those wanted.
    """

    inputs: torch.Tensor
    weights: torch.Tensor


def on_codebook(moments: Moments, codebook: UniversalCodebook, channels: int
                ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Codewords that keep the outputs, and each channel's scale.

    Parameters
    ----------
    channels:
        Input channels of the group.

    Returns
    -------
    tuple
        Indices int64 ``[C_out, n / d]``, integers float32 ``[C_out, n]``, scale float64
        ``[C_out]``, and float32 ``[C_out, n]``: what each sub-vector would best be, with all
        others as they are.
    """
    codewords = torch.from_numpy(codebook.codewords.astype(np.float32))
    groups = sub_vector_columns(moments.inputs.shape[0], channels, codebook.subvector)
    spread = codewords.square().mean().sqrt().item() or 1.0
    scale = (channel_rms(moments.weights) / spread).double()
    encoding = ColumnEncoding(moments, codewords, groups)
    for turn in range(ROUNDS):
        encoding.begin(positive(scale).float())
        if turn == 0:
            encoding.pass_errors_on()
        for _ in range(SWEEPS):
            encoding.improve()
        scale = encoding.best_scale(scale)
    encoding.begin(positive(scale).float())
    encoding.improve()
    return encoding.indices, encoding.integers, encoding.best_scale(scale), encoding.targets


def sub_vector_columns(length: int, channels: int, subvector: int) -> list[slice]:
    """Columns of each sub-vector; the last of a kernel's place may be shorter."""
    return [slice(place + first, place + min(first + subvector, channels))
            for place in range(0, length, channels) for first in range(0, channels, subvector)]


def positive(scale: torch.Tensor) -> torch.Tensor:
    """Scales to divide by: 1 in place of 0."""
    return torch.where(scale > 0, scale, 1.0)


class ColumnEncoding:
    """Sub-vectors of all output channels of a layer, encoded column group by column group."""

    def __init__(self, moments: Moments, codewords: torch.Tensor, groups: list[slice]):
        self._moments, self._codewords, self._groups = moments, codewords, groups
        self.integers = torch.zeros_like(moments.weights)
        self.targets = torch.zeros_like(moments.weights)
        self.indices = torch.zeros(len(moments.weights), len(groups), dtype=torch.int64)
        self._wanted = moments.weights
        self._factors = [torch.linalg.cholesky(moments.inputs[part, part]) for part in groups]

    def begin(self, scale: torch.Tensor) -> None:
        """Encode in these scales, ``[C_out]``, from now on."""
        self._wanted = self._moments.weights / scale.unsqueeze(1)

    def pass_errors_on(self) -> None:
        """Encode once from the first column to the last, errors moving into later columns."""
        inverse = torch.linalg.inv(self._moments.inputs.double())
        upper = torch.linalg.cholesky(inverse, upper=True).float()
        rest = self._wanted.clone()
        for number, part in enumerate(self._groups):
            own = torch.linalg.inv(upper[part, part])
            self._choose(number, part, rest[:, part], own)
            error = (rest[:, part] - self.integers[:, part]) @ own
            rest[:, part.stop:] -= error @ upper[part, part.stop:]

    def improve(self) -> None:
        """Choose each sub-vector anew, all others staying as they are."""
        moments = self._moments.inputs
        gradient = (self.integers - self._wanted) @ moments
        for number, part in enumerate(self._groups):
            before, factor = self.integers[:, part].clone(), self._factors[number]
            target = before - torch.cholesky_solve(gradient[:, part].T, factor).T
            self.targets[:, part] = target
            self._choose(number, part, target, factor)
            gradient += (self.integers[:, part] - before) @ moments[part]

    def best_scale(self, scale: torch.Tensor) -> torch.Tensor:
        """Least-squares scale of the outputs, float64 ``[C_out]``; kept where not positive."""
        responses = (self.integers @ self._moments.inputs).double()
        fitted = (responses * self._moments.weights).sum(1) \
            / (responses * self.integers).sum(1).clamp(min=1e-12)
        return torch.where(fitted > 0, fitted, scale)

    def _choose(self, number: int, part: slice, target: torch.Tensor,
                metric: torch.Tensor) -> None:
        codewords = self._codewords[:, :part.stop - part.start]
        found = nearest(target @ metric, codewords @ metric).squeeze(1)
        self.indices[:, number] = found
        self.integers[:, part] = codewords[found]
