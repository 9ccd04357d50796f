"""Modules on sequences ``[N, S, C]``: captured, compressed and run without an image's shape."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from vqrom_hw.errors import VqromError
from vqrom_sw.codebook import extract_codebook
from vqrom_sw.compress import Start, check_calibration, compress
from vqrom_sw.importers import capture
from vqrom_sw.network import FloatConv, FloatNetwork
from vqrom_sw.reference import dequantize, output_of, quantize_input, run_reference
from vqrom_sw.reference.floating_point import float_output

LENGTH, WIDTH = 6, 16


class Block(nn.Module):
    """Attention, a residual, a norm, and a linear layer for each element."""

    def __init__(self):
        super().__init__()
        self.query, self.key, self.value, self.mix = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mixed = F.scaled_dot_product_attention(self.query(x), self.key(x), self.value(x))
        return self.head(self.norm(x + self.mix(mixed)))


@pytest.fixture(scope="module")
def module() -> nn.Module:
    torch.manual_seed(1)
    return Block().eval()


@pytest.fixture(scope="module")
def network(module: nn.Module) -> FloatNetwork:
    return capture(module, torch.zeros(1, LENGTH, WIDTH), "block")


@pytest.fixture(scope="module")
def inputs() -> np.ndarray:
    return np.random.default_rng(2).normal(size=(200, LENGTH, WIDTH)).astype(np.float32)


def test_each_element_is_a_pixel(network: FloatNetwork) -> None:
    assert network.input_shape == (LENGTH, 1, WIDTH)
    assert network.output_shape == (LENGTH, 8)
    linear = [layer for layer in network.layers if isinstance(layer, FloatConv)]
    assert len(linear) == 5
    assert {layer.shape[:2] for layer in linear} == {(LENGTH, 1)}


def test_captured_as_the_module(module: nn.Module, network: FloatNetwork,
                                inputs: np.ndarray) -> None:
    with torch.no_grad():
        wanted = module(torch.from_numpy(inputs))
    found = float_output(network, check_calibration(network, inputs))
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_the_reference_gives_sequences(module: nn.Module, network: FloatNetwork,
                                       inputs: np.ndarray) -> None:
    codebook = extract_codebook([network], codewords=256)
    compressed = compress(network, codebook, inputs, start=Start.OUTPUTS)
    with torch.no_grad():
        wanted = module(torch.from_numpy(inputs[:50])).numpy()
    quantized = quantize_input(compressed, inputs[:50])
    found = dequantize(compressed, output_of(compressed, run_reference(
        compressed, codebook, quantized)))
    assert found.shape == (50, LENGTH, 8)
    assert np.square(found - wanted).mean() < 0.3 * wanted.var()
    np.testing.assert_array_equal(quantized, quantize_input(
        compressed, inputs[:50].transpose(0, 2, 1)[..., None]))


def test_other_shapes_are_refused(network: FloatNetwork) -> None:
    with pytest.raises(VqromError, match=r"shape \(N, 6, 16\) or \(N, 16, 6, 1\)"):
        check_calibration(network, np.zeros((3, WIDTH, LENGTH), np.float32))
    with pytest.raises(VqromError, match=r"\(1, C, H, W\), \(1, S, C\) or \(1, C\)"):
        capture(nn.Linear(4, 4).eval(), torch.zeros(4), "vector")
