"""Codewords that keep one layer's outputs: the search, given the moments of its inputs.

A layer's output is a product of its weights and its inputs, so the mean squared error that weights
``e`` in place of ``w`` cause is the quadratic form ``(w - e) H (w - e)``, ``H`` being the second
moments of the inputs: the means of their products. Inputs are correlated, so ``H`` is not diagonal,
and an error in one weight can be made up for by others.

Sub-vectors are encoded one after the other, and each one's error is moved into the weights that are
still to come (Frantar et al., "GPTQ", arXiv 2210.17323, after Optimal Brain Compression; for
sub-vectors van Baalen et al., "GPTVQ", arXiv 2402.15319). Then each sub-vector is chosen anew in
turn, all others staying as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from vqrom_sw.codebook import UniversalCodebook, channel_rms, nearest

ROUNDS = 2
"""Alternations of codewords and scale; more were tried and brought nothing
(docs/decisions/0018-more-positions).
"""

SWEEPS = 2
"""Times that all sub-vectors are chosen anew in each round."""


@dataclass(frozen=True)
class Moments:
    """What the search has to know of a layer, or of one group of a grouped convolution.

    An output channel of the group has ``n`` weights, in the order y, x, input channel: the columns.

    Members
    -------
    inputs:
        float32 ``[n, n]``: the damped second moments ``H`` of the inputs, their means taken off.
    weights:
        float32 ``[C_out, n]``: the weights whose outputs are nearest to those wanted.
    """

    inputs: torch.Tensor
    weights: torch.Tensor


def on_codebook(moments: Moments, codebook: UniversalCodebook, channels: int
                ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Choose the codewords that keep the outputs, and each output channel's scale.

    Parameters
    ----------
    moments:
        Moments and best weights of the layer, or of one group.
    codebook:
        Codewords to choose from.
    channels:
        Input channels of the group.

    Returns
    -------
    tuple
        Indices int64 ``[C_out, s]`` of ``s`` sub-vectors; the codewords' entries float32
        ``[C_out, n]``; scale float64 ``[C_out]``; and the targets float32 ``[C_out, n]``: what each
        sub-vector would best be, in units of the codewords, with all others as they are.
    """
    codewords = torch.from_numpy(codebook.codewords.astype(np.float32))
    parts = sub_vector_columns(moments.inputs.shape[0], channels, codebook.subvector)
    spread = codewords.square().mean().sqrt().item() or 1.0
    scale = (channel_rms(moments.weights) / spread).double()
    encoding = ColumnEncoding(moments, codewords, parts)
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
    """List the columns of each sub-vector of a channel's weights.

    Sub-vectors run along the input channels at one place of the kernel; the last one of a place is
    shorter if the channels are no multiple of ``d``.

    Parameters
    ----------
    length:
        Weights of an output channel, ``n``.
    channels:
        Input channels of the group.
    subvector:
        Weights of a codeword, ``d``.
    """
    return [slice(place + first, place + min(first + subvector, channels))
            for place in range(0, length, channels) for first in range(0, channels, subvector)]


def positive(scale: torch.Tensor) -> torch.Tensor:
    """Replace scales that are not positive by 1, to divide by them."""
    return torch.where(scale > 0, scale, 1.0)


class ColumnEncoding:
    """The state of a search for codewords, in which all output channels advance together.

    Each channel has an error of its own, but all share the moments: what is computed from these for
    one sub-vector serves every channel.

    Parameters
    ----------
    moments:
        Moments and best weights of the layer, or of one group.
    codewords:
        float32 ``[k, d]``.
    parts:
        Columns of each sub-vector, from :func:`sub_vector_columns`.

    Members
    -------
    indices:
        int64 ``[C_out, s]``: the codeword of each sub-vector so far.
    integers:
        float32 ``[C_out, n]``: the entries of these codewords.
    targets:
        float32 ``[C_out, n]``: what each sub-vector would have been best when it was last chosen by
        :meth:`improve`.
    """

    def __init__(self, moments: Moments, codewords: torch.Tensor, parts: list[slice]):
        self._moments, self._codewords, self._parts = moments, codewords, parts
        self.integers = torch.zeros_like(moments.weights)
        self.targets = torch.zeros_like(moments.weights)
        self.indices = torch.zeros(len(moments.weights), len(parts), dtype=torch.int64)
        self._wanted = moments.weights
        self._factors = [torch.linalg.cholesky(moments.inputs[part, part]) for part in parts]

    def begin(self, scale: torch.Tensor) -> None:
        """Encode in these scales, float32 ``[C_out]``, from now on; what was chosen stays."""
        self._wanted = self._moments.weights / scale.unsqueeze(1)

    def pass_errors_on(self) -> None:
        """Encode from the first column to the last, each error moving into the later columns.

        The amounts follow from the Cholesky factor of the inverse moments, as in GPTQ.
        """
        inverse = torch.linalg.inv(self._moments.inputs.double())
        upper = torch.linalg.cholesky(inverse, upper=True).float()
        rest = self._wanted.clone()
        for number, part in enumerate(self._parts):
            own = torch.linalg.inv(upper[part, part])
            self._choose(number, part, rest[:, part], own)
            error = (rest[:, part] - self.integers[:, part]) @ own
            rest[:, part.stop:] -= error @ upper[part, part.stop:]

    def improve(self) -> None:
        """Choose each sub-vector anew once, all others staying as they are.

        The error of the outputs never grows by this.
        """
        moments = self._moments.inputs
        gradient = (self.integers - self._wanted) @ moments
        for number, part in enumerate(self._parts):
            before, factor = self.integers[:, part].clone(), self._factors[number]
            target = before - torch.cholesky_solve(gradient[:, part].T, factor).T
            self.targets[:, part] = target
            self._choose(number, part, target, factor)
            gradient += (self.integers[:, part] - before) @ moments[part]

    def best_scale(self, scale: torch.Tensor) -> torch.Tensor:
        """Fit each channel's scale to the outputs by least squares, float64 ``[C_out]``.

        A channel keeps the given scale where the best one would not be positive.
        """
        responses = (self.integers @ self._moments.inputs).double()
        fitted = (responses * self._moments.weights).sum(1) \
            / (responses * self.integers).sum(1).clamp(min=1e-12)
        return torch.where(fitted > 0, fitted, scale)

    def _choose(self, number: int, part: slice, target: torch.Tensor,
                metric: torch.Tensor) -> None:
        """Take the codewords nearest to the targets, distances measured after ``metric``."""
        codewords = self._codewords[:, :part.stop - part.start]
        found = nearest(target @ metric, codewords @ metric).squeeze(1)
        self.indices[:, number] = found
        self.integers[:, part] = codewords[found]
