"""The universal codebook: its content, its file, and its extraction from float networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from vqrom_hw.codebook import codebook_sha256
from vqrom_hw.errors import VqromError

from .atomic import write_bytes
from .float_network import FloatConv, FloatNetwork
from .subvectors import channel_rms, subvectors
from .tensor_file import read_tensors, tensor_bytes

FORMAT = "vqrom.codebook"
VERSION = "1"
MAX_CODEWORDS = 65536
SUBVECTORS = (1, 2, 4, 8, 16)
MAX_FILE_BYTES = 4 << 20
MAX_SAMPLES = 100_000
"""Sub-vectors that one network gives to the density estimate."""

CLIP_QUANTILE = 0.999
"""Of the magnitudes of the codewords' entries; what lies above becomes +-127."""


@dataclass(frozen=True, eq=False)
class UniversalCodebook:
    """What the ROM holds.

    Members
    -------
    codewords:
        int8 ``[k, d]``, each in -127..127 when extracted here.

    Raises
    ------
    VqromError
        If shape or type are not those of a codebook that can be built.
    """

    codewords: np.ndarray

    def __post_init__(self) -> None:
        shape, dtype = self.codewords.shape, self.codewords.dtype
        if dtype != np.int8 or len(shape) != 2:
            raise VqromError(f"codebook must be int8 [k, d], not {dtype} {shape!r}")
        if not 2 <= shape[0] <= MAX_CODEWORDS:
            raise VqromError(f"codewords must be 2..{MAX_CODEWORDS}, not {shape[0]!r}")
        if shape[1] not in SUBVECTORS:
            raise VqromError(f"subvector must be one of {SUBVECTORS}, not {shape[1]!r}")
        frozen = np.ascontiguousarray(self.codewords).copy()
        frozen.flags.writeable = False
        object.__setattr__(self, "codewords", frozen)

    @property
    def size(self) -> int:
        """``k``: number of codewords."""
        return self.codewords.shape[0]

    @property
    def subvector(self) -> int:
        """``d``: weights of one codeword."""
        return self.codewords.shape[1]

    @cached_property
    def sha256(self) -> str:
        """See :func:`vqrom_hw.codebook.codebook_sha256`."""
        return codebook_sha256(self.codewords)

    def save(self, path: str | Path) -> None:
        """Write a safetensors file, whole or not at all."""
        metadata = {"format": FORMAT, "version": VERSION, "sha256": self.sha256}
        write_bytes(Path(path), tensor_bytes({"codewords": self.codewords}, metadata))

    @classmethod
    def load(cls, path: str | Path) -> UniversalCodebook:
        """Read a file that :meth:`save` wrote.

        Raises
        ------
        VqromError
            If it is unreadable, of another kind or version, or its content was altered.
        """
        path = Path(path)
        tensors, metadata = read_tensors(path, "codebook", MAX_FILE_BYTES, FORMAT, VERSION)
        if set(tensors) != {"codewords"}:
            raise VqromError(f"codebook {str(path)!r} must hold the tensor 'codewords' alone, "
                             f"not {sorted(tensors)!r}")
        codebook = cls(tensors["codewords"])
        if metadata.get("sha256") != codebook.sha256:
            raise VqromError(f"codebook {str(path)!r} was altered: its SHA-256 must be "
                             f"{metadata.get('sha256')!r}, not {codebook.sha256!r}")
        return codebook


def network_subvectors(network: FloatNetwork, length: int) -> torch.Tensor:
    """All sub-vectors of a network, each output channel divided by its root mean square.

    The root mean square makes channels of any magnitude one population of unit power; unlike the
    largest weight it does not depend on one outlier, and it is the scale under which a Gaussian
    channel is standard normal. Sub-vectors that reach beyond the last input channel are left out:
    their zero lanes say nothing about the weights.

    Returns
    -------
    torch.Tensor
        float32 ``[n, d]``.
    """
    parts = [torch.empty(0, length)]
    for layer in network.layers:
        if isinstance(layer, FloatConv):
            whole = layer.weight.shape[1] // length * length
            rms = channel_rms(layer.weight)
            alive = rms > 0
            normal = layer.weight[alive] / rms[alive].reshape(-1, 1, 1, 1)
            parts.append(subvectors(normal[:, :whole], length).reshape(-1, length))
    return torch.cat(parts)


def sample_equally(networks: Sequence[FloatNetwork], length: int,
                   generator: torch.Generator) -> torch.Tensor:
    """As many sub-vectors from each network, drawn without replacement: float32 ``[n, d]``."""
    pools = [network_subvectors(network, length) for network in networks]
    for network, pool in zip(networks, pools, strict=True):
        if not len(pool):
            raise VqromError(f"network {network.name!r} must have a layer with at least {length} "
                             "input channels and weights other than 0, to extract a codebook from")
    count = min(MAX_SAMPLES, *(len(pool) for pool in pools))
    return torch.cat([pool[torch.randperm(len(pool), generator=generator)[:count]]
                      for pool in pools])


def scott_bandwidth(samples: torch.Tensor) -> float:
    """Scott's rule for an isotropic Gaussian kernel: ``sigma * n**(-1 / (d + 4))``.

    D. W. Scott, "Multivariate Density Estimation", 1992; ``sigma`` is the root mean variance of
    the ``d`` coordinates.
    """
    count, length = samples.shape
    sigma = samples.var(0).mean().sqrt().item() if count > 1 else 0.0
    return sigma * count ** (-1 / (length + 4))


def draw_from_density(samples: torch.Tensor, count: int,
                      generator: torch.Generator) -> torch.Tensor:
    """Draw from the Gaussian kernel density of the samples, float32 ``[count, d]``.

    A draw is an observed sub-vector plus normal noise of the bandwidth (VQ4ALL, arXiv 2412.06875,
    section 4.1). Observed sub-vectors are drawn without replacement as far as they last.
    """
    order = torch.cat([torch.randperm(len(samples), generator=generator)
                       for _ in range(-(-count // len(samples)))])[:count]
    noise = torch.randn(count, samples.shape[1], generator=generator)
    return samples[order] + scott_bandwidth(samples) * noise


def to_int8(codewords: torch.Tensor) -> np.ndarray:
    """Quantise with one scale for the whole codebook; int8, -127..127."""
    magnitudes = codewords.abs().flatten().double().numpy()
    limit = float(np.quantile(magnitudes, CLIP_QUANTILE)) or 1.0
    return (codewords * (127 / limit)).round().clamp(-127, 127).to(torch.int8).numpy()


def extract_codebook(networks: Sequence[FloatNetwork], subvector: int = 4, codewords: int = 256,
                     seed: int = 0) -> UniversalCodebook:
    """One codebook for all given networks (VQ4ALL, arXiv 2412.06875).

    Parameters
    ----------
    networks:
        Each gives the same number of sub-vectors.
    subvector, codewords:
        ``d`` and ``k``.
    seed:
        The same seed gives the same codebook.

    Raises
    ------
    VqromError
        If ``d`` or ``k`` cannot be built, or a network has no sub-vector of that length.
    """
    if not networks:
        raise VqromError("networks must be at least one to extract a codebook from, not none")
    if subvector not in SUBVECTORS:
        raise VqromError(f"subvector must be one of {SUBVECTORS}, not {subvector!r}")
    if not 2 <= codewords <= MAX_CODEWORDS:
        raise VqromError(f"codewords must be 2..{MAX_CODEWORDS}, not {codewords!r}")
    generator = torch.Generator().manual_seed(seed)
    samples = sample_equally(networks, subvector, generator)
    return UniversalCodebook(to_int8(draw_from_density(samples, codewords, generator)))
