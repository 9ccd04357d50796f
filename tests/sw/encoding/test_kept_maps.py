"""Inputs that are added on the way have the maps that they would have had from the start."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from vqrom_sw.codebook import extract_codebook
from vqrom_sw.encoding import encode_nearest, encoded_layer, kept_maps
from vqrom_sw.encoding.encoded import encoded_pair
from vqrom_sw.encoding.kept_maps import KeptMaps, inputs_by_layer
from vqrom_sw.importers import capture
from vqrom_sw.network import FloatNetwork
from vqrom_sw.reference import float_layer, fold_layers


class Narrowing(nn.Module):
    """Maps of 8x8x8, 4x4x8 (and a residual there), 2x2x8 and 1x1x6."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(4, 8, 3, padding=1)
        self.down = nn.Conv2d(8, 8, 3, stride=2, padding=1)
        self.inner = nn.Conv2d(8, 8, 3, padding=1)
        self.narrow = nn.Conv2d(8, 8, 3, stride=2, padding=1)
        self.head = nn.Linear(8, 6)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.down(self.stem(x).relu()).relu()
        x = (x + self.inner(x)).relu()
        return self.head(self.narrow(x).relu().mean((2, 3)))


@pytest.fixture(scope="module")
def network() -> FloatNetwork:
    torch.manual_seed(0)
    return capture(Narrowing().eval(), torch.zeros(1, 4, 8, 8), "narrowing")


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for 16 inputs of the largest map, 2048 bytes."""
    monkeypatch.setattr(kept_maps, "LARGEST_BYTES", 16 * 2048)
    monkeypatch.setattr(kept_maps, "CHUNK", 5)


@pytest.mark.usefixtures("tight")
def test_as_many_as_fit(network: FloatNetwork) -> None:
    counts = list(inputs_by_layer(network, 90).values())
    # 512 bytes a map where 8x8 is past; all 90 where 4x4 is.
    assert counts[:2] == [16, 16]
    assert counts[2] == 64
    assert counts[-1] == 90
    assert counts == sorted(counts)
    assert set(inputs_by_layer(network, 10).values()) == {10}


@pytest.mark.usefixtures("tight")
def test_added_inputs_are_like_the_first(network: FloatNetwork) -> None:
    images = torch.randn(90, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    codebook = extract_codebook([network], 4, 16, seed=0)
    encoded = encode_nearest(network, codebook, images)
    maps = KeptMaps(network, images, encoded)
    largest = 0
    for layer in network.layers:
        inputs = maps.prepare(layer)
        assert {len(part) for pair in inputs for part in pair} == {maps.counts[layer.name]}
        maps.put(layer, encoded_pair(layer, encoded.get(layer.name), inputs))
        largest = max(largest, *(pair[0].nbytes for pair in maps.results.values()))
    (last,) = maps.results.values()
    for side, run in enumerate((
            float_layer, lambda layer, x: encoded_layer(layer, encoded.get(layer.name), x))):
        torch.testing.assert_close(last[side], fold_layers(network, images, run)[0])
    assert largest <= kept_maps.LARGEST_BYTES
