"""Nearest codewords against all distances, and scales against least squares."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from vqrom_sw.codebook import (
    UniversalCodebook,
    channel_rms,
    merge,
    nearest,
    nearest_masked,
    subvectors,
)
from vqrom_sw.encoding.assign import assign


def codebook_of(size: int, length: int, seed: int = 0) -> UniversalCodebook:
    rng = np.random.default_rng(seed)
    return UniversalCodebook(rng.integers(-127, 128, (size, length)).astype(np.int8))


@pytest.mark.parametrize(("size", "length"), [(2, 1), (16, 2), (100, 4), (256, 8), (5, 16)])
def test_nearest_equals_brute_force(size: int, length: int) -> None:
    codebook = codebook_of(size, length).codewords.astype(np.float32)
    vectors = np.random.default_rng(1).normal(0, 60, (500, length)).astype(np.float32)
    found = nearest(torch.from_numpy(vectors), torch.from_numpy(codebook))[:, 0].numpy()
    distances = cdist(vectors, codebook, "sqeuclidean")
    np.testing.assert_allclose(distances[np.arange(500), found], distances.min(1), rtol=1e-5)


def test_of_equal_codewords_the_first() -> None:
    codewords = torch.tensor([[9.0], [5.0], [5.0]])
    assert nearest(torch.tensor([[5.0], [7.0]]), codewords).flatten().tolist() == [1, 0]


def test_lanes_beyond_the_channels_are_free() -> None:
    """Six channels, d = 4: the second sub-vector has two lanes, compared on these alone."""
    codewords = torch.tensor([[0.0, 0, 0, 0], [3, 3, 99, -99]])
    weight = torch.full((1, 6, 1, 1), 3.0)
    found = nearest_masked(subvectors(weight, 4), codewords, channels=6)
    assert found.flatten().tolist() == [0, 1]


@pytest.mark.parametrize("channels", [1, 3, 4, 6, 8])
def test_subvectors_run_along_input_channels(channels: int) -> None:
    weight = torch.arange(5 * channels * 6.0).reshape(5, channels, 3, 2) + 1
    parts = subvectors(weight, 4)
    assert parts.shape == (5, 3, 2, -(-channels // 4), 4)
    assert parts[2, 1, 1, 0, 0] == weight[2, 0, 1, 1]
    torch.testing.assert_close(merge(parts, channels), weight)
    assert parts.sum() == weight.sum(), "lanes beyond the channels are zero"


def test_scale_is_the_least_squares_one() -> None:
    codebook = codebook_of(64, 4)
    weight = torch.randn(7, 10, 3, 3, generator=torch.Generator().manual_seed(2))
    weight *= torch.logspace(-3, 3, 7).reshape(-1, 1, 1, 1)
    found = assign(weight, codebook)
    entries = found.integers.numpy().astype(np.float64).reshape(7, -1)
    for channel in range(7):
        best, *_ = np.linalg.lstsq(entries[channel][:, None],
                                   weight[channel].double().numpy().ravel(), rcond=None)
        assert found.scale[channel] == pytest.approx(best[0], rel=1e-9)
    looked_up = torch.from_numpy(codebook.codewords[found.indices].astype(np.float32))
    torch.testing.assert_close(merge(looked_up, 10), found.integers.float())


def test_any_magnitude_gives_the_same_indices() -> None:
    codebook = codebook_of(32, 4)
    weight = torch.randn(4, 8, 3, 3, generator=torch.Generator().manual_seed(3))
    first, second = assign(weight, codebook), assign(weight * 1024, codebook)
    np.testing.assert_array_equal(first.indices, second.indices)
    np.testing.assert_allclose(second.scale, first.scale * 1024)


def test_dead_channel() -> None:
    weight = torch.zeros(2, 4, 1, 1)
    weight[1] = 1.0
    assert channel_rms(weight).tolist() == [0.0, 1.0]
    found = assign(weight, codebook_of(16, 4))
    assert np.isfinite(found.scale).all() and (found.scale >= 0).all()
    assert np.abs(found.scale[0] * found.integers[0].numpy()).max() < 1e-6
