"""Compression, the whole way from a float network to a quantised one on a codebook."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path

import numpy as np
import torch

from vqrom_hw.errors import VqromError
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.construction import Construction, ConstructionSettings, chosen, construct
from vqrom_sw.encoding import Encoded, RawLayers, encode_nearest, encode_outputs, raw_layers
from vqrom_sw.network import FloatNetwork, QuantizedNetwork, map_inputs
from vqrom_sw.quantization import Ranges, even_out, quantize_network

from .held_back import agreement
from .progress import Progress

CALIBRATION_BYTES = 1 << 28
"""Memory that fixes how many calibration inputs ranges are measured on: as many as keep eight
times their bytes below it, but at least 16 and at most 256."""

NEAREST = ConstructionSettings(epochs=0)
"""Settings without training: the codewords that are chosen at first stay."""


class Start(StrEnum):
    """How the codeword of each sub-vector is chosen at first.

    Members
    -------
    NEAREST:
        The codeword nearest to the weights (:func:`vqrom_sw.encoding.encode_nearest`).
    OUTPUTS:
        Kept outputs: codewords with which each layer's outputs on sample inputs stay the same
        (:func:`vqrom_sw.encoding.encode_outputs`).
    """

    NEAREST = "nearest"
    OUTPUTS = "outputs"


def compress(network: FloatNetwork, codebook: UniversalCodebook, calibration: np.ndarray,
             settings: ConstructionSettings = NEAREST, *,
             start: Start = Start.NEAREST, raw: RawLayers = RawLayers.NARROW,
             ranges: Ranges = Ranges.PERCENTILE,
             labels: np.ndarray | None = None, held_back: np.ndarray | None = None,
             checkpoint: Path | None = None, device: str = "cpu",
             progress: Progress | None = None) -> QuantizedNetwork:
    """Put a network on a codebook and quantise it to int8.

    Parameters
    ----------
    network:
        The float network.
    codebook:
        The universal codebook from which each sub-vector of weights takes a codeword.
    calibration:
        Inputs like those to come, float32 as the network takes them. The first ones fix the ranges
        of the feature maps; construction trains on all of them.
    settings:
        How construction trains the assignments; with 0 epochs the first codewords stay.
    start:
        How the first codewords are chosen: nearest to the weights, or keeping layers' outputs.
    raw:
        The rule by which layers keep int8 weights instead of indices.
    ranges:
        How the ranges of feature maps follow from the calibration inputs.
    labels:
        Classes of the calibration inputs, int64 ``[N]``, if construction is to learn them too.
    held_back:
        Inputs of the same kind that nothing is fitted to. Construction ends with the epoch that is
        best on them, and the first codewords stay where the network agrees better with the float
        one with them.
    checkpoint, device:
        Where construction keeps its state, and runs; see :func:`vqrom_sw.construction.construct`.
    progress:
        Callback that is told how far the work is.

    Returns
    -------
    QuantizedNetwork
        The network with indices into the codebook, int8 feature maps and integer factors.

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
    untrained = quantize_network(network, codebook, encoded, first, ranges)
    if not settings.epochs:
        return untrained
    others = None if held_back is None else check_calibration(network, held_back)
    torch.manual_seed(settings.seed)
    construction = Construction(network, codebook, encoded, first, settings.candidates)
    construct(construction, images, replace(settings, augment=chosen(settings.augment, network)),
              labels=None if labels is None else torch.from_numpy(labels), held_back=others,
              checkpoint=checkpoint, device=device, progress=progress)
    construction.settle(first)
    trained = quantize_network(network, codebook, construction.export(), first, ranges)
    if others is None:
        return trained
    after, before = (agreement(network, one, codebook, others.numpy())
                     for one in (trained, untrained))
    return trained if after.as_good_as(before) else untrained


def _start(network: FloatNetwork, codebook: UniversalCodebook, images: torch.Tensor,
           first: torch.Tensor, start: Start, raw: frozenset[str],
           progress: Progress | None) -> dict[str, Encoded]:
    if start == Start.NEAREST:
        return encode_nearest(network, codebook, first, raw, progress)
    return encode_outputs(network, codebook, images, raw, progress)


def check_calibration(network: FloatNetwork, calibration: np.ndarray) -> torch.Tensor:
    """Turn calibration inputs into a tensor, float32 ``[N, C, H, W]``.

    Parameters
    ----------
    network:
        The network whose inputs they are.
    calibration:
        float32 as the network takes them, or feature maps ``[N, C, H, W]``.

    Raises
    ------
    VqromError
        If they do not fit the network, or are not finite.
    """
    name = f"calibration of network {network.name!r}"
    if calibration.dtype != np.float32 or not calibration.ndim or not len(calibration):
        raise VqromError(f"{name} must be float32 of one input or more, "
                         f"not {calibration.dtype} of {calibration.shape!r}")
    try:
        images = map_inputs(calibration, network.input_native, network.input_shape)
    except VqromError as error:
        raise VqromError(f"{name}: {error}") from None
    if not np.isfinite(images).all():
        raise VqromError(f"{name} must be finite")
    return torch.from_numpy(images)
