"""TODO."""

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
from .raw_layers import RAW_LIMIT


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
            weights = round_raw(layer.weight) if layer.name in raw \
                else _assigned(layer.weight, codebook)
            encoded[layer.name] = _matched(layer, *weights, *inputs[0])
        done += 1
        if progress:
            progress("assigning codewords", done, len(network.layers))
        return encoded_pair(layer, encoded.get(layer.name), inputs)

    fold_layers(network, (images, images), run)
    return encoded


def _matched(layer: FloatConv, indices: np.ndarray | None, integers: torch.Tensor,
             fitted: np.ndarray, wanted: torch.Tensor, got: torch.Tensor) -> Encoded:
    scale, bias = match_statistics(linear_part(layer, integers.float(), None, got),
                                   linear_part(layer, layer.weight, layer.bias, wanted), fitted)
    return Encoded(indices, integers, fitted, scale, bias)


def round_raw(weight: torch.Tensor) -> tuple[None, torch.Tensor, np.ndarray]:
    """Symmetric int8 weights and the scale of each output channel, float64 ``[C_out]``."""
    scale = weight.double().flatten(1).abs().amax(1) / RAW_LIMIT
    divisor = torch.where(scale > 0, scale, 1.0).reshape(-1, 1, 1, 1)
    return None, (weight.double() / divisor).round().to(torch.int8), scale.numpy()


def _assigned(weight: torch.Tensor, codebook: UniversalCodebook
              ) -> tuple[np.ndarray, torch.Tensor, np.ndarray]:
    found = assign(weight, codebook)
    return found.indices, found.integers, found.scale


def match_statistics(got: torch.Tensor, wanted: torch.Tensor,
                     fitted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scale and bias with which ``got`` has the channel means and deviations of ``wanted``.

    Parameters
    ----------
    got, wanted:
        float32 ``[N, C, H, W]``.
    fitted:
        Scale of each channel by its weights, float64 ``[C]``; the result is within a factor of 2,
        and equal where a channel hardly varies.
    """
    dims = (0, 2, 3)
    spread_got, spread_wanted = (part.double().std(dims, correction=0) for part in (got, wanted))
    mean_got, mean_wanted = (part.double().mean(dims) for part in (got, wanted))
    start = torch.from_numpy(fitted)
    usable = (spread_got * start > 1e-6) & (spread_wanted > 1e-6) & (got.shape[0] > 1)
    ratio = torch.where(usable, spread_wanted / (spread_got * start).clamp(min=1e-12), 1.0)
    scale = start * ratio.clamp(0.5, 2.0)
    return scale.numpy(), (mean_wanted - scale * mean_got).numpy()
