"""Inputs to run a network on: samples of a zoo network, or random ones of the right shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from vqrom_hw.errors import VqromError
from vqrom_sw import zoo
from vqrom_sw.arithmetic import HIGHEST, LOWEST
from vqrom_sw.network import QuantizedNetwork

from .arguments import NetworkLike, check_seed, load_network


@dataclass(frozen=True, eq=False)
class Images:
    """Inputs of a network.

    Members
    -------
    inputs:
        float32 ``[N, C, H, W]``, or ``[N, S, C]`` of a sequence, as the float network takes them.
    labels:
        int64 ``[N]``, the true classes; None for random inputs.
    """

    inputs: np.ndarray
    labels: np.ndarray | None = None


def images(network: str, count: int | None = None) -> Images:
    """Labelled sample inputs of a zoo network.

    Parameters
    ----------
    network:
        Its name.
    count:
        How many, from the first; by default all.

    Raises
    ------
    VqromError
        If there is no such network, it has fewer samples, or what it is loaded from is absent.
    """
    loaded = zoo.load(network)
    available = len(loaded.images)
    if count is not None and not 1 <= count <= available:
        raise VqromError(f"count must be 1 to {available}, the samples of network {network!r}, "
                         f"not {count!r}")
    return Images(loaded.images[:count], loaded.labels[:count])


def random_images(network: NetworkLike, count: int = 1, seed: int = 0) -> Images:
    """Random inputs of a compressed network: uniform over all values that its input can have.

    Cycles and traffic do not depend on values, so these serve for anything but accuracy.

    Parameters
    ----------
    network:
        A compressed network or its ``.vqnet`` file.
    count, seed:
        How many, and the seed of their values.

    Raises
    ------
    VqromError
        If the file cannot be read, or the count is not positive.
    """
    loaded: QuantizedNetwork = load_network(network)
    if count < 1:
        raise VqromError(f"count must be at least 1, not {count!r}")
    height, width, channels = loaded.input_shape
    quantization = loaded.input_quantization
    check_seed(seed)
    levels = np.random.default_rng(seed).integers(
        LOWEST, HIGHEST + 1, (count, channels, height, width)).astype(np.float32)
    values = (levels - np.float32(quantization.zero_point)) * np.float32(quantization.scale)
    return Images(loaded.input_native.tensor(torch.from_numpy(values)).numpy())
