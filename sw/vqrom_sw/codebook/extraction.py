"""Extraction of a universal codebook from the weights of float networks.

VQ4ALL (arXiv 2412.06875) takes all networks' sub-vectors as samples of one distribution, estimates
its density with a Gaussian kernel, and draws the codewords from that. The codebook then resembles
the weights of networks in general and not those of one, so that networks which were not there when
it was made can be compressed onto it. k-means and additive codebooks take the place of the draw for
comparison.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import torch

from vqrom_hw.codebook_shape import MAX_CODEWORDS, MIN_CODEWORDS, SUBVECTORS
from vqrom_hw.errors import VqromError
from vqrom_sw.network import FloatConv, FloatNetwork

from .codebook import LIMIT, MAX_STAGES, UniversalCodebook, sums_of
from .search import nearest
from .subvectors import channel_rms, subvectors

MAX_SAMPLES = 100_000
"""Most sub-vectors that one network gives, which bounds memory and time of the extraction."""

CLIP_QUANTILE = 0.999
"""Quantile of the entries' magnitudes that becomes 127; the largest 0.1 % are clipped to it, so
that a few of them do not coarsen all others.
"""

KMEANS_ROUNDS = 20
"""Rounds of Lloyd's algorithm: assigning samples to means, and averaging."""

ADDITIVE_ROUNDS = 10
"""Alternations between the nearest sums and the least-squares tables of an additive codebook."""

MAX_DISTANCES = 1 << 30
"""Most distances between samples and sums in a round of fitting an additive codebook: the more sums
there are, the fewer samples it is fitted to.
"""

RIDGE = 1e-3
"""Weight of a sample at 0 that each vector of an additive table has beside its own samples, which
keeps the least-squares problem solvable where a vector has none.
"""


class Extraction(StrEnum):
    """How codewords follow from the networks' sub-vectors.

    Members
    -------
    KDE:
        Codewords are drawn from the Gaussian kernel density of the sub-vectors, as VQ4ALL does.
    KMEANS:
        Each codeword is the mean of the sub-vectors nearest to it (Lloyd's algorithm).
    ADDITIVE:
        Each codeword is a sum of one vector of each of several tables, which are fitted to the
        sub-vectors.
    """

    KDE = "kde"
    KMEANS = "kmeans"
    ADDITIVE = "additive"


def network_subvectors(network: FloatNetwork, length: int) -> torch.Tensor:
    """Cut all of a network's convolutions, each output channel divided by its root mean square.

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
    """Draw the same number of sub-vectors from each network, without replacement.

    Equal parts keep a network of many weights from deciding the codebook by itself.

    Parameters
    ----------
    networks:
        The smallest one's sub-vectors decide the number, and :data:`MAX_SAMPLES` bounds it.
    length:
        Weights of a sub-vector, ``d``.
    generator:
        Source of the random choice.

    Returns
    -------
    torch.Tensor
        float32 ``[n, d]``.

    Raises
    ------
    VqromError
        If a network has no sub-vector of that length.
    """
    pools = [network_subvectors(network, length) for network in networks]
    for network, pool in zip(networks, pools, strict=True):
        if not len(pool):
            raise VqromError(f"network {network.name!r} must have a layer with at least {length} "
                             "input channels and weights other than 0, to extract a codebook from")
    count = min(MAX_SAMPLES, *(len(pool) for pool in pools))
    return torch.cat([pool[torch.randperm(len(pool), generator=generator)[:count]]
                      for pool in pools])


def scott_bandwidth(samples: torch.Tensor) -> float:
    """Compute the width of an isotropic Gaussian kernel by Scott's rule.

    It is ``sigma * n**(-1 / (d + 4))`` for samples ``[n, d]``, where ``sigma`` is the root mean
    variance of the ``d`` coordinates (D. W. Scott, "Multivariate Density Estimation", 1992).
    """
    count, length = samples.shape
    sigma = samples.var(0).mean().sqrt().item() if count > 1 else 0.0
    return sigma * count ** (-1 / (length + 4))


def draw_from_density(samples: torch.Tensor, count: int,
                      generator: torch.Generator) -> torch.Tensor:
    """Draw ``count`` vectors from the Gaussian kernel density of the samples.

    A draw is an observed sub-vector plus normal noise of the bandwidth (VQ4ALL, arXiv 2412.06875,
    section 4.1). Observed sub-vectors are drawn without replacement as far as they last. The
    result is float32 ``[count, d]``.
    """
    order = torch.cat([torch.randperm(len(samples), generator=generator)
                       for _ in range(-(-count // len(samples)))])[:count]
    noise = torch.randn(count, samples.shape[1], generator=generator)
    return samples[order] + scott_bandwidth(samples) * noise


def cluster(samples: torch.Tensor, count: int, generator: torch.Generator) -> torch.Tensor:
    """Find ``count`` means of the samples by Lloyd's algorithm, float32 ``[count, d]``.

    The means start at random samples, or at draws from their density where there are fewer samples
    than means. A mean that no sample is nearest to starts again at a random sample.
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
    """Fit tables whose sums are near the samples, float32 ``[stages, count, d]``.

    Each table is first clustered from what those before it leave over. Then two steps alternate:
    every sample is assigned to its nearest sum, and the tables are set by least squares (Babenko
    and Lempitsky, "Additive Quantization for Extreme Vector Compression", CVPR 2014).
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


def _least_squares(owner: torch.Tensor, samples: torch.Tensor, count: int) -> torch.Tensor:
    """Fit all tables' vectors ``[count, d]`` so that each sample is near the sum of its own.

    ``owner`` is int64 ``[n, m]``: the numbers of each sample's vectors, counted through all tables.
    """
    used = torch.zeros(len(owner), count, dtype=torch.float64).scatter_(1, owner, 1.0)
    normal = used.T @ used + RIDGE * torch.eye(count, dtype=torch.float64)
    return torch.linalg.solve(normal, used.T @ samples.double()).float()


def scale_to_int8(codewords: torch.Tensor) -> float:
    """Find the factor with which the :data:`CLIP_QUANTILE` of the magnitudes becomes 127."""
    magnitudes = codewords.abs().flatten().double().numpy()
    return LIMIT / (float(np.quantile(magnitudes, CLIP_QUANTILE)) or 1.0)


def to_int8(codewords: torch.Tensor, factor: float | None = None) -> np.ndarray:
    """Quantise a codebook to int8 -127..127 with one factor for all of its entries.

    Each layer's channels bring scales of their own, so that the factor itself is not kept. If none
    is given, it is that of :func:`scale_to_int8`.
    """
    scaled = codewords * (factor or scale_to_int8(codewords))
    return scaled.round().clamp(-LIMIT, LIMIT).to(torch.int8).numpy()


def extract_codebook(networks: Sequence[FloatNetwork], subvector: int = 4, codewords: int = 256,
                     seed: int = 0, method: Extraction = Extraction.KDE,
                     stages: int | None = None) -> UniversalCodebook:
    """Extract one codebook for all given networks (VQ4ALL, arXiv 2412.06875).

    Parameters
    ----------
    networks:
        Float networks; each gives the same number of sub-vectors.
    subvector:
        Weights of a codeword, ``d``.
    codewords:
        Number of codewords, ``k``; for an additive codebook, of vectors in each table.
    seed:
        Seed of all random choices; the same seed gives the same codebook.
    method:
        How codewords follow from the sub-vectors.
    stages:
        Number of tables of an additive codebook, 2..4 and by default 2; otherwise 1.

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
