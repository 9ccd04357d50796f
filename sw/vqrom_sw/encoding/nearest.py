"""Encoding by weights: nearest codewords, with each channel's statistics matched.

Nearest codewords shrink the weights, and over many layers the errors add up. Without labels or
gradients most of that is made up for by what batch norm would do after the weights changed: each
channel's mean and spread are put back to what they were (docs/decisions/0006-statistics-matching).
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import torch

from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.network import FloatConv, FloatLayer, FloatNetwork
from vqrom_sw.progress import Progress
from vqrom_sw.reference import fold_layers, linear_part

from .assign import assign
from .encoded import Encoded, Pair, encoded_pair
from .raw_policy import RAW_LIMIT

LARGEST_CHANGE = 2.0
"""Largest factor by which matching changes a scale, up or down, so that a channel that hardly
responds cannot blow up.
"""

LEAST_SPREAD = 1e-6
"""Standard deviation of a channel's outputs up to which it counts as constant: its scale stays."""


@torch.no_grad()
def encode_nearest(network: FloatNetwork, codebook: UniversalCodebook, images: torch.Tensor,
                   raw: Collection[str] = (), progress: Progress | None = None
                   ) -> dict[str, Encoded]:
    """Give every sub-vector its nearest codeword, and every channel its float statistics.

    Layer by layer, with the layers before already encoded, each output channel's scale and bias
    are set so that its pre-activation has the float network's mean and standard deviation: what
    re-estimating the statistics of batch norm would do, for networks whose batch norm is folded or
    that have none.

    Parameters
    ----------
    network:
        The network in float, as it was captured.
    codebook:
        Codewords to choose from.
    images:
        float32 ``[N, C, H, W]`` inputs like those to come.
    raw:
        Names of the layers that keep raw int8 weights.
    progress:
        Called with what is being done, layers done, and layers in all.

    Returns
    -------
    dict
        Each convolution by its layer's name.
    """
    encoded: dict[str, Encoded] = {}
    done = 0

    def run(layer: FloatLayer, inputs: list[Pair]) -> Pair:
        nonlocal done
        if isinstance(layer, FloatConv):
            encoded[layer.name] = _encode(layer, codebook, inputs[0], layer.name in raw)
        done += 1
        if progress:
            progress("assigning codewords", done, len(network.layers))
        return encoded_pair(layer, encoded.get(layer.name), inputs)

    fold_layers(network, (images, images), run)
    return encoded


def _encode(layer: FloatConv, codebook: UniversalCodebook, inputs: Pair, raw: bool) -> Encoded:
    """Encode one convolution, and match its outputs' statistics on these inputs."""
    if raw:
        indices = None
        integers, fitted = _rounded(layer.weight)
    else:
        found = assign(layer.weight, codebook)
        indices, integers, fitted = found.indices, found.integers, found.scale
    wanted, got = inputs
    scale, bias = match_statistics(linear_part(layer, integers.float(), None, got),
                                   linear_part(layer, layer.weight, layer.bias, wanted), fitted)
    return Encoded(indices, integers, fitted, scale, bias)


def _rounded(weight: torch.Tensor) -> tuple[torch.Tensor, np.ndarray]:
    """Round weights to symmetric int8 in a scale of each output channel's, float64 ``[C_out]``."""
    scale = weight.double().flatten(1).abs().amax(1) / RAW_LIMIT
    divisor = torch.where(scale > 0, scale, 1.0).reshape(-1, 1, 1, 1)
    return (weight.double() / divisor).round().to(torch.int8), scale.numpy()


def match_statistics(got: torch.Tensor, wanted: torch.Tensor,
                     fitted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the scale and bias with which ``got`` has the channel statistics of ``wanted``.

    Parameters
    ----------
    got:
        float32 ``[N, C, H, W]``: sums of products with the integer weights, without a bias.
    wanted:
        float32 ``[N, C, H, W]``: what the float layer has before its activation.
    fitted:
        Scale of each channel by its weights, float64 ``[C]``. The result differs from it by at most
        a factor of :data:`LARGEST_CHANGE`, and equals it where a channel hardly varies.

    Returns
    -------
    tuple
        Scale and bias, float64 ``[C]`` each: ``scale * got + bias`` has the mean of ``wanted``, and
        its standard deviation where the scale's bounds allow it.
    """
    dims = (0, 2, 3)
    spread_got, spread_wanted = (part.double().std(dims, correction=0) for part in (got, wanted))
    mean_got, mean_wanted = (part.double().mean(dims) for part in (got, wanted))
    start = torch.from_numpy(fitted)
    usable = (spread_got * start > LEAST_SPREAD) & (spread_wanted > LEAST_SPREAD) \
        & (got.shape[0] > 1)
    ratio = torch.where(usable, spread_wanted / (spread_got * start).clamp(min=1e-12), 1.0)
    scale = start * ratio.clamp(1 / LARGEST_CHANGE, LARGEST_CHANGE)
    return scale.numpy(), (mean_wanted - scale * mean_got).numpy()
