"""Simulate the shapes of an ONNX file: its layers as they are, its weights random."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from vqrom_sw.arithmetic import HIGHEST, LOWEST
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.importers import capture, images_in_front, read_onnx
from vqrom_sw.io import require_file
from vqrom_sw.network import QuantizedNetwork
from vqrom_sw.untrained import untrained


def random_codebook(codewords: int, subvector: int, seed: int) -> UniversalCodebook:
    """A codebook of ``codewords`` times ``subvector`` entries that are anywhere in int8."""
    shape = (codewords, subvector)
    return UniversalCodebook(
        np.random.default_rng(seed).integers(LOWEST, HIGHEST + 1, shape).astype(np.int8))


def shapes_of(path: Path, codebook: UniversalCodebook, raw: bool, seed: int,
              example_shape: tuple[int, ...] = ()) -> QuantizedNetwork:
    """The network of an ONNX file with random indices or weights; the file may lack its own.

    Parameters
    ----------
    path:
        The ``.onnx`` file.
    codebook:
        The codebook that indices point into.
    raw:
        Whether all layers get int8 weights, not indices.
    seed:
        Seed of the random numbers.
    example_shape:
        Shape of one input, ``(1, ...)``, if the file leaves sizes open.

    Raises
    ------
    VqromError
        If the file is absent, or is not understood.
    """
    imported = read_onnx(require_file(path, "network"), example_shape, invent_weights=True)
    example = torch.zeros(imported.input_shape)
    network = capture(images_in_front(imported.module, example), example, path.stem)
    return untrained(network, codebook, raw, seed)


def random_images(network: QuantizedNetwork, seed: int) -> np.ndarray:
    """One random input of a network, int8 ``[1, H, W, C]``."""
    shape = (1, *network.input_shape)
    return np.random.default_rng(seed).integers(LOWEST, HIGHEST + 1, shape).astype(np.int8)
