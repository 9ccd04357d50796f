"""The reference models of MLPerf Tiny, float TFLite files from the data folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from vqrom_hw.errors import VqromError
from vqrom_sw.importers import read_tflite
from vqrom_sw.io import cached_array, source_digest

from .cifar import cifar_images
from .data_folder import data_folder, read_archive
from .image_set import ImageSet
from .keyword_features import keyword_features

BATCH = 500
"""Inputs that the network classifies at a time."""

SPECTRA = 2000
"""Number of random spectra to calibrate anomaly detection with."""

KWS_SCALE, KWS_ZERO_POINT = 0.5847029, 83
"""Scale and zero point of the int8 features that the test set of keyword spotting holds."""


def load_tiny(name: str) -> tuple[nn.Module, ImageSet]:
    """Load a model in evaluation mode, and its inputs.

    The autoencoder has no data: its inputs are noise of the range of such spectra. Keyword
    spotting has a test set only, so that it calibrates on synthetic sounds; making them takes a
    minute, the first time.

    Parameters
    ----------
    name:
        ``"resnet8"`` (CIFAR-10, 0..255), ``"ds_cnn"`` (keywords, cepstral coefficients) or
        ``"autoencoder"`` (anomaly detection in log-mel spectra).

    Raises
    ------
    VqromError
        If a file is absent, or is not the one known here.
    """
    file, load = _MODELS[name]
    path = data_folder() / "mlperf_tiny" / f"{file}_float.tflite"
    module = read_tflite(path).module
    return module, load(path, module)


def _resnet8() -> ImageSet:
    calibration, _ = cifar_images("train_10000.npz")
    images, labels = cifar_images("test_2000.npz")
    return ImageSet(_raw(calibration), _raw(images), labels)


def _raw(images: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32)


def _ds_cnn(model: Path, module: nn.Module) -> ImageSet:
    features, labels = read_archive(data_folder() / "kws" / "test_500.npz", "features", "labels")
    if features.dtype != np.int8 or features.shape[1:] != (49, 10, 1):
        raise VqromError("keyword features must be int8 [N, 49, 10, 1], "
                         f"not {features.dtype} {features.shape!r}")
    real = (features.astype(np.float32) - KWS_ZERO_POINT) * np.float32(KWS_SCALE)
    calibration = cached_array("keyword-features", [model, source_digest(__name__)], lambda: (
        keyword_features(lambda found: _classes(module, found))))
    return ImageSet(calibration, real.transpose(0, 3, 1, 2).copy(), labels.astype(np.int64))


@torch.no_grad()
def _classes(module: nn.Module, inputs: np.ndarray) -> np.ndarray:
    return torch.cat([module(part).argmax(1) for part in
                      torch.from_numpy(inputs).split(BATCH)]).numpy()


def _autoencoder() -> ImageSet:
    """Inputs of five neighbouring frames of 128 log-mel bands: smooth noise around -30 dB."""
    rng = np.random.default_rng(0)
    bands = rng.normal(0, 1.2, (SPECTRA, 1, 128)).cumsum(2)
    frames = bands + rng.normal(0, 2, (SPECTRA, 5, 128))
    spectra = (frames - 30).reshape(SPECTRA, 640, 1, 1).astype(np.float32)
    return ImageSet(spectra, spectra[:8], np.full(8, -1))


_MODELS: dict[str, tuple[str, Callable[[Path, nn.Module], ImageSet]]] = {
    "resnet8": ("resnet8", lambda *_: _resnet8()), "ds_cnn": ("ds_cnn_kws", _ds_cnn),
    "autoencoder": ("autoencoder_ad", lambda *_: _autoencoder())}
