"""From a float network to a quantised one on a codebook: the whole way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from vqrom_hw.errors import VqromError

from .codebook import UniversalCodebook
from .construct import ConstructionSettings, Report, construct
from .construction import Construction
from .encoded import RawLayers, encode_nearest, raw_layers
from .float_network import FloatNetwork
from .network import QuantizedNetwork
from .quantize import quantize_network
from .ranges import Ranges

CALIBRATION_BYTES = 1 << 28
"""Calibration inputs used: as many as fit, but at least 16 and at most 256."""

NEAREST = ConstructionSettings(epochs=0)
"""Nearest codewords, not trained."""


def compress(network: FloatNetwork, codebook: UniversalCodebook, calibration: np.ndarray,
             settings: ConstructionSettings = NEAREST, *, raw: RawLayers = RawLayers.NARROW,
             ranges: Ranges = Ranges.PERCENTILE,
             labels: np.ndarray | None = None, checkpoint: Path | None = None,
             device: str = "cpu", progress: Report | None = None) -> QuantizedNetwork:
    """Put a network on a codebook and quantise it to int8.

    Parameters
    ----------
    network:
        Float network.
    codebook:
        Where the weights come from.
    calibration:
        float32 ``[N, C, H, W]`` inputs like those to come. The first ones fix the ranges of the
        feature maps; construction trains on all of them.
    settings:
        Construction; with 0 epochs every sub-vector has its nearest codeword.
    raw:
        Which layers keep raw int8 weights.
    ranges:
        How the ranges of feature maps follow from the calibration inputs.
    labels:
        int64 ``[N]``, if construction shall learn the true classes, too.
    checkpoint, device, progress:
        See :func:`vqrom_sw.construct.construct`.

    Raises
    ------
    VqromError
        If the inputs do not fit the network, a layer cannot be quantised, or construction fails.
    """
    images = check_calibration(network, calibration)
    first = images[:np.clip(CALIBRATION_BYTES // images[:1].nbytes // 8, 16, 256)]
    encoded = encode_nearest(network, codebook, first,
                             raw_layers(network, codebook.subvector, raw))
    if settings.epochs:
        torch.manual_seed(settings.seed)
        construction = Construction(network, codebook, encoded, first, settings.candidates)
        construct(construction, images, settings, checkpoint=checkpoint, device=device,
                  labels=None if labels is None else torch.from_numpy(labels), progress=progress)
        construction.settle(first)
        encoded = construction.export()
    return quantize_network(network, codebook, encoded, first, ranges)


def check_calibration(network: FloatNetwork, calibration: np.ndarray) -> torch.Tensor:
    """Calibration inputs as a tensor.

    Raises
    ------
    VqromError
        If they do not fit the network.
    """
    height, width, channels = network.input_shape
    if calibration.dtype != np.float32 or calibration.ndim != 4 or not len(calibration) \
            or calibration.shape[1:] != (channels, height, width):
        raise VqromError(
            f"calibration of network {network.name!r} must be float32 of shape (N, {channels}, "
            f"{height}, {width}), not {calibration.dtype} of {calibration.shape!r}")
    if not np.isfinite(calibration).all():
        raise VqromError(f"calibration of network {network.name!r} must be finite")
    return torch.from_numpy(np.ascontiguousarray(calibration))
