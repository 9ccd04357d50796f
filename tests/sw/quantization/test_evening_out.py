"""Scales of channels between convolutions and the host: the same function, less lost in int8."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from vqrom_sw.codebook import extract_codebook
from vqrom_sw.compress import check_calibration, compress
from vqrom_sw.encoding import Encoded, encode_nearest
from vqrom_sw.importers import capture
from vqrom_sw.network import FloatConv, FloatElementwise, FloatNetwork
from vqrom_sw.quantization import even_out
from vqrom_sw.reference import dequantize, float_output, output_of, quantize_input, run_reference

LENGTH, WIDTH = 5, 16


class Outlier(nn.Module):
    """A residual sum with one channel a hundred times as large, normalised afterwards."""

    weight: torch.Tensor

    def __init__(self, size: float):
        super().__init__()
        self.inner = nn.Linear(WIDTH, WIDTH)
        self.outer = nn.Linear(WIDTH, WIDTH)
        self.head = nn.Linear(WIDTH, 4)
        self.register_buffer("weight", torch.ones(WIDTH).index_fill(0, torch.tensor(3), 0.01))
        with torch.no_grad():
            self.outer.weight[3] *= size

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.outer(self.inner(x).relu())
        return self.head(F.layer_norm(x, (WIDTH,), self.weight))


def network_of(size: float) -> tuple[nn.Module, FloatNetwork]:
    torch.manual_seed(1)
    module = Outlier(size).eval()
    return module, capture(module, torch.zeros(1, LENGTH, WIDTH), "outlier")


@pytest.fixture(scope="module")
def inputs() -> np.ndarray:
    return np.random.default_rng(2).normal(size=(100, LENGTH, WIDTH)).astype(np.float32)


def evened(network: FloatNetwork, inputs: np.ndarray
           ) -> tuple[dict[str, Encoded], FloatNetwork, dict[str, Encoded]]:
    images = check_calibration(network, inputs)
    codebook = extract_codebook([network], codewords=64)
    encoded = encode_nearest(network, codebook, images)
    return encoded, *even_out(network, encoded, images)


def test_the_function_stays(inputs: np.ndarray) -> None:
    module, network = network_of(100)
    encoded, changed, scaled = evened(network, inputs)
    assert any(isinstance(layer, FloatElementwise) for layer in network.layers)
    assert not any(isinstance(layer, FloatElementwise) for layer in changed.layers)
    with torch.no_grad():
        wanted = module(torch.from_numpy(inputs))
    found = float_output(changed, check_calibration(changed, inputs))
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4)
    for name, before in encoded.items():
        np.testing.assert_array_equal(scaled[name].integers, before.integers)
    outer = next(layer for layer in changed.layers if layer.name.startswith("outer"))
    ratio = encoded[outer.name].scale / scaled[outer.name].scale
    np.testing.assert_allclose(ratio, encoded[outer.name].bias / scaled[outer.name].bias)
    assert ratio.max() > 20 * np.median(ratio)


def test_less_is_lost(inputs: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """int8 of one scale leaves the small channels two or three steps."""
    _, network = network_of(100)
    codebook = extract_codebook([network], codewords=64)
    encoded, _, _ = evened(network, inputs)
    exact = float_output(_with(network, encoded), check_calibration(network, inputs)).numpy()

    def lost() -> float:
        compressed = compress(network, codebook, inputs)
        quantized = run_reference(compressed, codebook, quantize_input(compressed, inputs))
        found = dequantize(compressed, output_of(compressed, quantized))
        return np.square(found - exact).mean() / exact.var()

    evenly = lost()
    monkeypatch.setattr("vqrom_sw.quantization.evening_out.UNEVEN", np.inf)
    assert evenly < 0.01 and evenly < 0.1 * lost()


def _with(network: FloatNetwork, encoded: dict[str, Encoded]) -> FloatNetwork:
    """The float network of the encoded weights."""
    return replace(network, layers=tuple(
        replace(layer, weight=encoded[layer.name].integers.float()
                * torch.from_numpy(encoded[layer.name].scale).float().reshape(-1, 1, 1, 1),
                bias=torch.from_numpy(encoded[layer.name].bias).float())
        if isinstance(layer, FloatConv) else layer for layer in network.layers))


def test_even_feature_maps_stay(inputs: np.ndarray) -> None:
    _, network = network_of(1)
    encoded, changed, scaled = evened(network, inputs)
    assert changed.layers == network.layers
    assert all(scaled[name] is before for name, before in encoded.items())


def test_what_the_accelerator_reads_stays() -> None:
    """A convolution reads the uneven one, as well as the host."""
    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
            with torch.no_grad():
                self.first.weight[3] *= 100

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.first(x)
            return self.second(x) * x.sigmoid()

    network = capture(Both().eval(), torch.zeros(1, LENGTH, WIDTH), "both")
    inputs = np.random.default_rng(3).normal(size=(20, LENGTH, WIDTH)).astype(np.float32)
    _, changed, _ = evened(network, inputs)
    weights = [layer.weight for layer in changed.layers
               if isinstance(layer, FloatConv) and layer.name.startswith("first")]
    assert torch.equal(weights[0], next(
        layer.weight for layer in network.layers
        if isinstance(layer, FloatConv) and layer.name.startswith("first")))
