"""The universal codebook: density, equal sampling, determinism, file."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import gaussian_kde, ks_2samp

from vqrom_hw.errors import VqromError
from vqrom_sw.codebook import Extraction, UniversalCodebook, extract_codebook
from vqrom_sw.codebook.extraction import (
    cluster,
    draw_from_density,
    network_subvectors,
    sample_equally,
    scott_bandwidth,
    to_int8,
)
from vqrom_sw.encoding.assign import assign
from vqrom_sw.network import UNBOUNDED, FloatConv, FloatNetwork, Output, image_native, native_of


def network_of(weight: torch.Tensor, name: str = "net") -> FloatNetwork:
    layer = FloatConv("conv", ("input",), (1, 1, len(weight)), "conv", weight,
                      torch.zeros(len(weight)), (1, 1), (0, 0, 0, 0), UNBOUNDED)
    channels, height, width = weight.shape[1:]
    return FloatNetwork(name, (height, width, channels), (layer,),
                        (Output("conv", native_of((len(weight),))),),
                        image_native((height, width, channels)))


def random_network(channels: int, seed: int, name: str = "net") -> FloatNetwork:
    generator = torch.Generator().manual_seed(seed)
    return network_of(torch.randn(channels, 16, 3, 3, generator=generator), name)


def bimodal(count: int) -> torch.Tensor:
    """Two clusters, as weights with few levels have: float32 ``[count, 2]``."""
    generator = torch.Generator().manual_seed(4)
    centres = torch.tensor([[-2.0, 1.0], [1.5, -0.5]])
    which = torch.randint(2, (count,), generator=generator)
    return centres[which] + 0.5 * torch.randn(count, 2, generator=generator)


def test_draws_follow_the_density_that_scipy_estimates() -> None:
    """Same isotropic kernel: a Kolmogorov-Smirnov test on each coordinate tells them not apart."""
    samples = bimodal(400)
    draws = draw_from_density(samples, 4000, torch.Generator().manual_seed(5)).numpy()
    for axis in range(2):
        column = samples[:, axis].numpy().astype(np.float64)
        factor = scott_bandwidth(samples) / column.std(ddof=1)
        theirs = gaussian_kde(column, factor).resample(4000, seed=6)[0]
        # Any: scipy makes the fields of its results at run time.
        result: Any = ks_2samp(draws[:, axis], theirs)
        assert result.pvalue > 0.01
        # The test can fail: a single normal distribution of the same moments is another.
        normal = np.random.default_rng(7).normal(column.mean(), column.std(), 4000)
        result = ks_2samp(draws[:, axis], normal)
        assert result.pvalue < 1e-6


def test_bandwidth_is_scott_s() -> None:
    samples = torch.randn(1000, 4, generator=torch.Generator().manual_seed(8), dtype=torch.float64)
    factor = np.asarray(gaussian_kde(samples.numpy().T, "scott").factor)
    expected = factor * samples.var(0).mean().sqrt().item()
    assert scott_bandwidth(samples) == pytest.approx(expected, rel=1e-6)


def test_each_network_gives_as_many() -> None:
    """A network of ten times the weights has no more to say."""
    small = network_of(torch.ones(8, 16, 3, 3), "small")
    large = network_of(-torch.ones(80, 16, 3, 3), "large")
    samples = sample_equally([small, large], 4, torch.Generator().manual_seed(9))
    assert (samples > 0).all(1).sum() == (samples < 0).all(1).sum() == 8 * 4 * 9


def test_channels_of_any_magnitude_are_one_population() -> None:
    weight = torch.randn(5, 8, 3, 3, generator=torch.Generator().manual_seed(10))
    scaled = weight * torch.logspace(-6, 6, 5).reshape(-1, 1, 1, 1)
    first, second = (network_subvectors(network_of(part), 4) for part in (weight, scaled))
    torch.testing.assert_close(first, second)
    assert first.square().mean().item() == pytest.approx(1.0, rel=1e-5)


def test_incomplete_subvectors_and_dead_channels_are_left_out() -> None:
    weight = torch.ones(3, 6, 1, 1)
    weight[1] = 0
    assert network_subvectors(network_of(weight), 4).shape == (2, 4)


def test_same_seed_same_codebook() -> None:
    networks = [random_network(32, 1), random_network(16, 2)]
    first, again, other = (extract_codebook(networks, 4, 64, seed) for seed in (0, 0, 1))
    assert first.sha256 == again.sha256 != other.sha256
    assert first.codewords.min() >= -127


@pytest.mark.parametrize(("length", "count"), [(1, 2), (2, 16), (8, 300), (16, 3)])
def test_any_shape(length: int, count: int) -> None:
    codebook = extract_codebook([random_network(16, 3)], length, count)
    assert codebook.codewords.shape == (count, length)
    assert len(np.unique(codebook.codewords, axis=0)) > 1


def test_more_codewords_encode_better() -> None:
    """The codebook is good for something: quantisation noise falls with k."""
    network = random_network(32, 4)
    layer = network.layers[0]
    assert isinstance(layer, FloatConv)
    noise = []
    for count in (16, 64, 256):
        found = assign(layer.weight, extract_codebook([network], 4, count))
        real = found.integers.double() * torch.from_numpy(found.scale).reshape(-1, 1, 1, 1)
        noise.append((real - layer.weight).square().mean().item())
    assert noise[0] > 1.2 * noise[1] > 1.4 * noise[2] and noise[2] < 0.3


def test_one_scale_for_the_whole_codebook() -> None:
    values = torch.tensor([[0.0, -1.0], [0.5, 2.0]])
    np.testing.assert_array_equal(to_int8(values), [[0, -64], [32, 127]])
    assert not to_int8(torch.zeros(2, 2)).any()


def test_refuses_what_cannot_be_extracted() -> None:
    network = network_of(torch.ones(3, 2, 1, 1), "thin")
    for arguments, rule in ((([], 4, 16), "at least one"), (([network], 3, 16), "subvector"),
                            (([network], 4, 1), "codewords"),
                            (([network], 4, 16), "network 'thin' must have a layer with at least")):
        with pytest.raises(VqromError, match=rule):
            extract_codebook(*arguments)


def test_file(tmp_path: Path) -> None:
    path = tmp_path / "codebook.safetensors"
    codebook = extract_codebook([random_network(16, 5)], 4, 16)
    codebook.save(path)
    assert UniversalCodebook.load(path).sha256 == codebook.sha256
    expected = hashlib.sha256(struct.pack("<II", 16, 4) + codebook.codewords.tobytes())
    assert codebook.sha256 == expected.hexdigest(), "as documented"
    content = path.read_bytes()
    for size in range(0, len(content), 7):
        path.write_bytes(content[:size])
        with pytest.raises(VqromError, match="codebook"):
            UniversalCodebook.load(path)
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(VqromError, match="was altered"):
        UniversalCodebook.load(path)


def test_content_cannot_change() -> None:
    words = np.zeros((2, 4), np.int8)
    codebook = UniversalCodebook(words)
    words[0] = 1
    assert not codebook.codewords.any()
    with pytest.raises(ValueError, match="read-only"):
        codebook.codewords[0] = 1
    for wrong in (np.zeros((2, 4)), np.zeros((1, 4), np.int8), np.zeros((2, 3), np.int8)):
        with pytest.raises(VqromError):
            UniversalCodebook(wrong)


def test_means_are_those_of_their_samples() -> None:
    """Two separate clusters, two means; more means only bring the error down."""
    samples = bimodal(4000)
    means = cluster(samples, 2, torch.Generator().manual_seed(0))
    first = samples[samples[:, 0] < -0.25].mean(0)
    second = samples[samples[:, 0] >= -0.25].mean(0)
    found = means[means[:, 0].argsort()]
    torch.testing.assert_close(found, torch.stack([first, second]), atol=0.02, rtol=0)
    errors = [float((torch.cdist(samples, cluster(samples, count, torch.Generator().manual_seed(0)))
                     .amin(1) ** 2).mean()) for count in (2, 8, 32)]
    assert errors[0] > 2 * errors[1] > 4 * errors[2]


def test_k_means_fits_the_weights_better_than_draws() -> None:
    network = random_network(32, 1)
    parts = network_subvectors(network, 4)
    errors = {}
    for method in Extraction:
        codebook = extract_codebook([network], 4, 64, seed=0, method=method)
        words = torch.from_numpy(codebook.codewords.astype(np.float32))
        scales = [float((torch.cdist(parts * scale, words).amin(1) / scale).square().mean())
                  for scale in (20.0, 30.0, 40.0, 50.0, 60.0)]
        errors[method] = min(scales)
    assert errors[Extraction.KMEANS] < errors[Extraction.KDE]
    with_more = extract_codebook([network], 4, 2000, seed=0, method=Extraction.KMEANS)
    assert with_more.size == 2000, "more codewords than sub-vectors"
