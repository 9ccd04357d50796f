"""From a float network to a quantised one on a codebook: the whole way."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import numpy as np
import torch

from vqrom_hw.errors import VqromError
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.construction import Construction, ConstructionSettings, construct
from vqrom_sw.encoding import Encoded, RawLayers, encode_nearest, encode_outputs, raw_layers
from vqrom_sw.network import FloatNetwork, QuantizedNetwork, image_shaped
from vqrom_sw.quantization import Ranges, even_out, quantize_network

from .progress import Progress

CALIBRATION_BYTES = 1 << 28
"""Calibration inputs used: as many as fit, but at least 16 and at most 256."""

NEAREST = ConstructionSettings(epochs=0)
"""Codewords as they are chosen at first, not trained."""


class Start(StrEnum):
    """How codewords are chosen at first.

    Members
    -------
    NEAREST:
        Nearest to the weights (:mod:`vqrom_sw.encoding.encoded`).
    OUTPUTS:
        Those that keep each layer's outputs (:mod:`vqrom_sw.encoding.outputs`).
    """

    NEAREST = "nearest"
    OUTPUTS = "outputs"


def compress(network: FloatNetwork, codebook: UniversalCodebook, calibration: np.ndarray,
             settings: ConstructionSettings = NEAREST, *,
             start: Start = Start.NEAREST, raw: RawLayers = RawLayers.NARROW,
             ranges: Ranges = Ranges.PERCENTILE,
             labels: np.ndarray | None = None, checkpoint: Path | None = None,
             device: str = "cpu", progress: Progress | None = None) -> QuantizedNetwork:
    """Put a network on a codebook and quantise it to int8.

    Parameters
    ----------
    network:
        Float network.
    codebook:
        Where the weights come from.
    calibration:
        float32 ``[N, C, H, W]`` inputs like those to come, or ``[N, S, C]`` for a sequence. The
        first ones fix the ranges of the feature maps; construction trains on all of them.
    settings:
        Construction; with 0 epochs the first codewords stay.
    start:
        How codewords are chosen at first.
    raw:
        Which layers keep raw int8 weights.
    ranges:
        How the ranges of feature maps follow from the calibration inputs.
    labels:
        int64 ``[N]``, if construction shall learn the true classes, too.
    checkpoint, device, progress:
        See :func:`vqrom_sw.construction.train.construct`.

    Raises
    ------
    VqromError
        If the inputs do not fit the network, a layer cannot be quantised, or construction fails.
    """
    images = check_calibration(network, calibration)
    first = images[:np.clip(CALIBRATION_BYTES // images[:1].nbytes // 8, 16, 256)]
    encoded = _start(network, codebook, images, first, start,
                     raw_layers(network, codebook.subvector, raw), progress)
    network, encoded = even_out(network, encoded, first)
    if settings.epochs:
        torch.manual_seed(settings.seed)
        construction = Construction(network, codebook, encoded, first, settings.candidates)
        construct(construction, images, settings, checkpoint=checkpoint, device=device,
                  labels=None if labels is None else torch.from_numpy(labels), progress=progress)
        construction.settle(first)
        encoded = construction.export()
    return quantize_network(network, codebook, encoded, first, ranges)


def _start(network: FloatNetwork, codebook: UniversalCodebook, images: torch.Tensor,
           first: torch.Tensor, start: Start, raw: frozenset[str],
           progress: Progress | None) -> dict[str, Encoded]:
    if start == Start.NEAREST:
        return encode_nearest(network, codebook, first, raw, progress)
    return encode_outputs(network, codebook, images, raw, progress)


def check_calibration(network: FloatNetwork, calibration: np.ndarray) -> torch.Tensor:
    """Calibration inputs as a tensor ``[N, C, H, W]``.

    Raises
    ------
    VqromError
        If they do not fit the network.
    """
    height, width, channels = network.input_shape
    images = image_shaped(calibration)
    if images.dtype != np.float32 or images.ndim != 4 or not len(images) \
            or images.shape[1:] != (channels, height, width):
        sequence = f" or (N, {height}, {channels})" if width == 1 else ""
        raise VqromError(
            f"calibration of network {network.name!r} must be float32 of shape (N, {channels}, "
            f"{height}, {width}){sequence}, not {calibration.dtype} of {calibration.shape!r}")
    if not np.isfinite(images).all():
        raise VqromError(f"calibration of network {network.name!r} must be finite")
    return torch.from_numpy(np.ascontiguousarray(images))
