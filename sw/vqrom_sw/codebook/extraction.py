"""Extraction of a universal codebook from float networks: kernel density, k-means, additive."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import torch

from vqrom_hw.codebook import MAX_CODEWORDS, MIN_CODEWORDS, SUBVECTORS
from vqrom_hw.errors import VqromError
from vqrom_sw.network import FloatConv, FloatNetwork

from .codebook import LIMIT, MAX_STAGES, UniversalCodebook, sums_of
from .nearest import nearest
from .subvectors import channel_rms, subvectors

MAX_SAMPLES = 100_000
"""Sub-vectors that one network gives."""

CLIP_QUANTILE = 0.999
"""Of the magnitudes of the codewords' entries; what lies above becomes +-127."""

KMEANS_ROUNDS = 20
ADDITIVE_ROUNDS = 10

MAX_DISTANCES = 1 << 30
"""Between samples and sums that an additive codebook is fitted with."""

RIDGE = 1e-3
"""Samples at 0 that each row of an additive table has beside its own."""


class Extraction(StrEnum):
    """Where codewords come from.

    Members
    -------
    KDE:
        Drawn from the Gaussian kernel density of the sub-vectors, as VQ4ALL does.
    KMEANS:
        Means of the sub-vectors nearest to them (Lloyd's algorithm), for comparison.
    ADDITIVE:
        Sums of codewords of several tables, fitted to the sub-vectors, for comparison.
    """

    KDE = "kde"
    KMEANS = "kmeans"
    ADDITIVE = "additive"


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


def cluster(samples: torch.Tensor, count: int, generator: torch.Generator) -> torch.Tensor:
    """Lloyd's algorithm from random samples, float32 ``[count, d]``.

    A mean that no sample is nearest to starts again at a random sample.
    """
    means = draw_from_density(samples, count, generator) if count > len(samples) \
        else samples[torch.randperm(len(samples), generator=generator)[:count]]
    for _ in range(KMEANS_ROUNDS):
        owner = nearest(samples, means).squeeze(1)
        members = torch.bincount(owner, minlength=count)
        sums = torch.zeros_like(means).index_add_(0, owner, samples)
        again = samples[torch.randint(len(samples), (count,), generator=generator)]
        means = torch.where((members > 0)[:, None], sums / members.clamp(min=1)[:, None], again)
    return means


def fit_additive(samples: torch.Tensor, count: int, stages: int,
                 generator: torch.Generator) -> torch.Tensor:
    """Tables whose sums are near the samples, float32 ``[stages, count, d]``.

    Each table is first clustered from what those before leave over; then the assignment of the
    samples to the nearest sums and the least-squares tables alternate (Babenko and Lempitsky,
    "Additive Quantization for Extreme Vector Compression", CVPR 2014).
    """
    limit = max(1, MAX_DISTANCES // count**stages)
    chosen = samples[torch.randperm(len(samples), generator=generator)[:limit]]
    tables, rest = torch.empty(stages, count, samples.shape[1]), chosen
    for stage in range(stages):
        tables[stage] = cluster(rest, count, generator)
        rest = rest - tables[stage][nearest(rest, tables[stage]).squeeze(1)]
    place = torch.tensor([count ** (stages - 1 - stage) for stage in range(stages)])
    first = torch.arange(stages) * count
    for _ in range(ADDITIVE_ROUNDS):
        sums = torch.from_numpy(sums_of(tables.numpy()))
        owner = nearest(chosen, sums) // place % count + first
        tables = _least_squares(owner, chosen, stages * count).reshape(tables.shape)
    return tables


def _least_squares(rows: torch.Tensor, samples: torch.Tensor, count: int) -> torch.Tensor:
    """Rows ``[count, d]`` with which each sample is nearest to the sum of its own ``[n, m]``."""
    used = torch.zeros(len(rows), count, dtype=torch.float64).scatter_(1, rows, 1.0)
    normal = used.T @ used + RIDGE * torch.eye(count, dtype=torch.float64)
    return torch.linalg.solve(normal, used.T @ samples.double()).float()


def scale_to_int8(codewords: torch.Tensor) -> float:
    """Factor with which all but the largest magnitudes reach 127."""
    magnitudes = codewords.abs().flatten().double().numpy()
    return LIMIT / (float(np.quantile(magnitudes, CLIP_QUANTILE)) or 1.0)


def to_int8(codewords: torch.Tensor, factor: float | None = None) -> np.ndarray:
    """Quantise with one factor for the whole codebook; int8, -127..127."""
    scaled = codewords * (factor or scale_to_int8(codewords))
    return scaled.round().clamp(-LIMIT, LIMIT).to(torch.int8).numpy()


def extract_codebook(networks: Sequence[FloatNetwork], subvector: int = 4, codewords: int = 256,
                     seed: int = 0, method: Extraction = Extraction.KDE,
                     stages: int | None = None) -> UniversalCodebook:
    """One codebook for all given networks (VQ4ALL, arXiv 2412.06875).

    Parameters
    ----------
    networks:
        Each gives the same number of sub-vectors.
    subvector, codewords:
        ``d`` and ``k``; of each table, if additive.
    seed:
        The same seed gives the same codebook.
    method:
        Where codewords come from.
    stages:
        Tables of an additive codebook, 2 by default.

    Raises
    ------
    VqromError
        If ``d``, ``k`` or the stages cannot be built, or a network has no sub-vector of that
        length.
    """
    if not networks:
        raise VqromError("networks must be at least one to extract a codebook from, not none")
    if subvector not in SUBVECTORS:
        raise VqromError(f"subvector must be one of {SUBVECTORS}, not {subvector!r}")
    stages = _checked_stages(method, stages)
    if codewords < MIN_CODEWORDS or codewords**stages > MAX_CODEWORDS:
        raise VqromError(f"codewords must be {MIN_CODEWORDS}.."
                         f"{int(MAX_CODEWORDS ** (1 / stages))}, not {codewords!r}")
    generator = torch.Generator().manual_seed(seed)
    samples = sample_equally(networks, subvector, generator)
    if method == Extraction.ADDITIVE:
        tables = fit_additive(samples, codewords, stages, generator)
        factor = scale_to_int8(torch.from_numpy(sums_of(tables.numpy())))
        return UniversalCodebook.additive(to_int8(tables, factor))
    make = draw_from_density if method == Extraction.KDE else cluster
    return UniversalCodebook(to_int8(make(samples, codewords, generator)))


def _checked_stages(method: Extraction, stages: int | None) -> int:
    given = (2 if method == Extraction.ADDITIVE else 1) if stages is None else stages
    least, most = (2, MAX_STAGES) if method == Extraction.ADDITIVE else (1, 1)
    if not least <= given <= most:
        raise VqromError(f"stages of extraction {method.value!r} must be {least}..{most}, "
                         f"not {given!r}")
    return given
