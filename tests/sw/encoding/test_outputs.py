"""Encoding by outputs: what it keeps, what it ignores, and that it repeats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from vqrom_sw.codebook import UniversalCodebook, extract_codebook, nearest
from vqrom_sw.compress import Start, compress
from vqrom_sw.construction import Construction, ConstructionSettings
from vqrom_sw.encoding import (
    Encoded,
    RawLayers,
    encode_nearest,
    encode_outputs,
    encoded_layer,
    raw_layers,
)
from vqrom_sw.encoding.columns import ColumnEncoding, Moments, sub_vector_columns
from vqrom_sw.encoding.statistics import LEAST_IMPORTANCE, layer_statistics, position_importance
from vqrom_sw.formats import save_network
from vqrom_sw.importers import capture
from vqrom_sw.network import FloatConv, FloatNetwork
from vqrom_sw.reference import float_output, fold_layers


class Block(nn.Module):
    """A narrow first layer, a residual, a depthwise, a grouped and a linear layer."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.inner = nn.Conv2d(8, 8, 3, padding=1)
        self.depthwise = nn.Conv2d(8, 8, 3, groups=8, stride=2)
        self.grouped = nn.Conv2d(8, 12, 1, groups=2)
        self.head = nn.Linear(12, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x).relu()
        x = (x + self.inner(x)).relu()
        return self.head(self.grouped(self.depthwise(x).relu()).relu().mean((2, 3)))


def pictures(seed: int) -> torch.Tensor:
    """Smooth noise, whose neighbouring pixels and channels resemble each other."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(128, 3, 4, 4, generator=generator)
    colours = torch.tensor([[1, 0.5, 0.2], [0.5, 1, 0], [0.9, 0.5, 0.1]])
    mixed = torch.einsum("nchw,dc->ndhw", coarse, colours)
    return nn.functional.interpolate(mixed, scale_factor=2, mode="bilinear")


@pytest.fixture(scope="module")
def network() -> FloatNetwork:
    torch.manual_seed(1)
    return capture(Block().eval(), torch.zeros(1, 3, 8, 8), "block")


@pytest.fixture(scope="module")
def codebook(network: FloatNetwork) -> UniversalCodebook:
    return extract_codebook([network], subvector=4, codewords=16, seed=0)


@pytest.fixture(scope="module")
def raw(network: FloatNetwork) -> frozenset[str]:
    return raw_layers(network, 4, RawLayers.NARROW)


@torch.no_grad()
def error(network: FloatNetwork, encoded: dict[str, Encoded], images: torch.Tensor) -> float:
    (last,) = fold_layers(network, images, lambda layer, inputs: encoded_layer(
        layer, encoded.get(layer.name), inputs))
    wanted = float_output(network, images)
    return float((network.outputs[0].native.tensor(last) - wanted).square().mean() / wanted.var())


def test_new_inputs_give_nearly_the_same_outputs(
        network: FloatNetwork, codebook: UniversalCodebook, raw: frozenset[str]) -> None:
    images, others = pictures(2), pictures(3)
    by_weights = error(network, encode_nearest(network, codebook, images, raw), others)
    by_outputs = error(network, encode_outputs(network, codebook, images, raw), others)
    assert by_outputs < 0.5 * by_weights


def test_encoded_is_what_it_says(network: FloatNetwork, codebook: UniversalCodebook,
                                 raw: frozenset[str]) -> None:
    encoded = encode_outputs(network, codebook, pictures(2), raw)
    for layer in network.layers:
        if not isinstance(layer, FloatConv):
            continue
        found = encoded[layer.name]
        assert found.integers.shape == layer.weight.shape and found.integers.dtype == torch.int8
        assert (found.indices is None) == (layer.name in raw) and (found.scale > 0).all()
        if found.indices is not None:
            looked_up = codebook.codewords[found.indices]
            merged = looked_up.reshape(*looked_up.shape[:3], -1)[..., :layer.weight.shape[1]]
            np.testing.assert_array_equal(found.integers.permute(0, 2, 3, 1), merged)


def test_construction_starts_there(network: FloatNetwork, codebook: UniversalCodebook,
                                   raw: frozenset[str]) -> None:
    images = pictures(2)
    encoded = encode_outputs(network, codebook, images, raw)
    made = Construction(network, codebook, encoded, images, 4)
    for name, layer in made.export().items():
        np.testing.assert_array_equal(layer.integers, encoded[name].integers)
    for layer in made.assigned:
        ordered = layer.candidates.sort(-1).values
        assert (ordered[..., 1:] > ordered[..., :-1]).all(), "each candidate once"


def test_weights_on_the_codebook_stay(codebook: UniversalCodebook) -> None:
    """What is a multiple of codewords already is found again, whatever the inputs."""
    generator = torch.Generator().manual_seed(4)
    chosen = torch.randint(codebook.size, (6, 3), generator=generator)
    codewords = torch.from_numpy(codebook.codewords.astype(np.float32))
    weights = codewords[chosen].flatten(1) * torch.linspace(0.01, 3, 6)[:, None]
    factor = torch.randn(12, 12, generator=generator)
    encoding = ColumnEncoding(Moments(factor @ factor.T + 0.1 * torch.eye(12), weights), codewords,
                              sub_vector_columns(12, 12, 4))
    encoding.begin(torch.linspace(0.01, 3, 6))
    encoding.pass_errors_on()
    assert torch.equal(codewords[encoding.indices].flatten(1), encoding.integers)
    np.testing.assert_allclose(encoding.integers, weights / torch.linspace(0.01, 3, 6)[:, None],
                               rtol=1e-4)


def test_improving_never_makes_worse() -> None:
    generator = torch.Generator().manual_seed(5)
    factor = torch.randn(20, 20, generator=generator)
    moments = Moments(factor @ factor.T + torch.eye(20),
                      torch.randn(7, 20, generator=generator))
    codewords = torch.randn(9, 4, generator=generator)
    encoding = ColumnEncoding(moments, codewords, sub_vector_columns(20, 10, 4))
    encoding.begin(torch.ones(7))

    def lost() -> torch.Tensor:
        wrong = encoding.integers - moments.weights
        return (wrong @ moments.inputs * wrong).sum(1)

    encoding.pass_errors_on()
    before = lost()
    for _ in range(3):
        encoding.improve()
        after = lost()
        assert (after <= before * (1 + 1e-5)).all()
        before = after


def test_columns_end_with_the_channels() -> None:
    """Two places of a kernel with six channels each."""
    assert sub_vector_columns(12, 6, 4) == [slice(0, 4), slice(4, 6), slice(6, 10), slice(10, 12)]


def test_what_is_masked_counts_least() -> None:
    class Masked(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 4, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            mask = torch.tensor([1.0, 0, 1, 1]).reshape(1, 1, 1, 4)
            return (self.conv(x) * mask).mean((2, 3))

    network = capture(Masked().eval(), torch.zeros(1, 1, 4, 4), "masked")
    found = position_importance(network, torch.ones(3, 1, 4, 4), 0, {"conv": 3})["conv"]
    assert (found[:, :, 1] == LEAST_IMPORTANCE).all()
    assert (found[:, :, [0, 2, 3]] > 0.5).all()


def test_same_seed_same_network(network: FloatNetwork, codebook: UniversalCodebook,
                                tmp_path: Path) -> None:
    images = pictures(2).numpy()
    settings = ConstructionSettings(epochs=1, batch=64)
    for name in ("first", "again"):
        made = compress(network, codebook, images, settings, start=Start.OUTPUTS)
        save_network(made, tmp_path / name, codebook)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "again").read_bytes()


def test_metric_of_a_choice_is_that_of_the_outputs() -> None:
    """Along a direction that inputs never take, a weight may be anything."""
    codewords = torch.tensor([[0.0, 5.0], [1.0, 0.0]])
    inputs = torch.tensor([[1.0, 0.0], [0.0, 1e-6]])
    encoding = ColumnEncoding(Moments(inputs, torch.tensor([[0.1, 0.0]])), codewords,
                              sub_vector_columns(2, 2, 2))
    encoding.begin(torch.ones(1))
    encoding.pass_errors_on()
    assert nearest(torch.tensor([[0.1, 0.0]]), codewords).item() == 1
    assert encoding.indices.item() == 0


@pytest.mark.parametrize("groups", [1, 2])
def test_statistics_are_weighted_covariances(groups: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of channels that are far from 0, and gathered in several parts."""
    monkeypatch.setattr("vqrom_sw.encoding.statistics.CHUNK_VALUES", 1000)
    generator = torch.Generator().manual_seed(6)
    got = torch.randn(5, 4, 6, 6, generator=generator)
    got[:, 1] += 1000
    aim = torch.randn(5, 6, 4, 4, generator=generator) + got[:, :1, 1:5, 1:5] + 100
    weights = torch.rand(5, 4, 4, generator=generator) + 0.1
    layer = FloatConv("layer", ("input",), (4, 4, 6), "conv", torch.zeros(6, 4 // groups, 3, 3),
                      torch.zeros(6), (1, 1), (0, 0, 0, 0), (-np.inf, np.inf), groups)
    found = layer_statistics(layer, got, aim, weights, 0)
    patches = got.unfold(2, 3, 1).unfold(3, 3, 1).permute(0, 2, 3, 4, 5, 1)
    rows = patches.reshape(80, 9, groups, -1).permute(2, 0, 1, 3).reshape(groups, 80, -1)
    outputs = aim.permute(0, 2, 3, 1).reshape(80, groups, -1).permute(1, 0, 2)
    share = weights.flatten().numpy()
    for group in range(groups):
        both = torch.cat([rows[group], outputs[group]], 1).double().numpy()
        wanted = np.cov(both.T, aweights=share, ddof=0)
        length = rows.shape[2]
        np.testing.assert_allclose(found.inputs[group], wanted[:length, :length], atol=1e-4)
        np.testing.assert_allclose(found.cross[group], wanted[:length, length:], atol=1e-4)
        np.testing.assert_allclose(found.input_mean[group],
                                   np.average(both[:, :length], 0, share), rtol=1e-6, atol=1e-4)
    np.testing.assert_allclose(found.output_mean, np.average(
        aim.permute(0, 2, 3, 1).reshape(80, 6).double(), 0, share), rtol=1e-6)
