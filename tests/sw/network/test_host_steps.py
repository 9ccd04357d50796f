"""Host layers: in float, quantised, in files, and in files that are forged."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from vqrom_hw.config import load_config
from vqrom_hw.errors import VqromError
from vqrom_sw.codebook import extract_codebook
from vqrom_sw.compiler import compile_network
from vqrom_sw.compress import compress
from vqrom_sw.formats import load_network, save_network
from vqrom_sw.importers import capture
from vqrom_sw.network import FloatConv, FloatHost, Host, HostStep, Native, check_steps, run_steps
from vqrom_sw.reference import dequantize, output_of, quantize_input, run_reference
from vqrom_sw.reference.floating_point import float_output


class Concatenation(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, x.softmax(1), 2 * x], 2)


class Attention(nn.Module):
    """A transformer block on a sequence made of an image's rows: two heads, padding mask."""

    def __init__(self):
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(8, 8) for _ in range(4))
        self.norm1, self.norm2 = nn.LayerNorm(8), nn.LayerNorm(8)
        self.inner, self.outer = nn.Linear(8, 16), nn.Linear(16, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.squeeze(3).transpose(1, 2)
        mask = (x.abs().sum(2) > 0)[:, None, None, :]
        x = self.norm1(x)
        q, k, v = (part(x).unflatten(2, (2, 4)).transpose(1, 2)
                   for part in (self.query, self.key, self.value))
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x + self.out(mixed.transpose(1, 2).flatten(2))
        x = self.norm2(x)
        return (x + self.outer(F.gelu(self.inner(x)))).mean(1)


class Scaled(nn.Module):
    """A module that computes with constants of its own."""

    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.rand(6))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :, 1:5].softmax(1) * self.factor.exp()[None, :, None, None] - 0.5


class Masked(nn.Module):
    """A module with a mask of booleans."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mask", torch.tensor([True, False, True, True, False]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.where(self.get_buffer("mask"), x.softmax(1), -1.0)


CASES: dict[str, tuple[Any, tuple[int, int, int], set[str]]] = {
    "softmax": (lambda: nn.Sequential(nn.Conv2d(6, 5, 3), nn.Softmax(1)), (6, 6, 5), {"softmax"}),
    "norm": (lambda: nn.Sequential(nn.Conv2d(6, 4, 3), nn.GroupNorm(2, 4), nn.Hardswish(),
                                   nn.Conv2d(4, 4, 1)), (6, 6, 5), {"group_norm, hardswish"}),
    "mask": (Masked, (6, 4, 5), {"softmax, where"}),
    "pools": (lambda: nn.Sequential(nn.AvgPool2d(2, divisor_override=3),
                                    nn.MaxPool2d(3, ceil_mode=True)),
              (6, 9, 8), {"avg_pool2d, max_pool2d"}),
    "concatenation": (Concatenation, (6, 4, 5), {"softmax, cat"}),
    "constants": (Scaled, (6, 6, 3), {"slice, softmax, mul, sub"}),
    "attention": (Attention, (8, 7, 1), set()),
}


def make(name: str) -> tuple[nn.Module, torch.Tensor]:
    torch.manual_seed(2)
    build, shape, _ = CASES[name]
    x = torch.randn(5, *shape)
    x[2, :, -2:] = 0
    return build().eval(), x


@pytest.mark.parametrize("name", CASES)
def test_computes_what_the_module_computes(name: str) -> None:
    module, x = make(name)
    network = capture(module, x[:1], name)
    with torch.no_grad():
        expected = module(x)
    torch.testing.assert_close(float_output(network, x), expected, rtol=1e-4, atol=1e-5)
    kinds = {layer.kind for layer in network.layers if isinstance(layer, FloatHost)}
    assert kinds >= CASES[name][2]


def test_weights_of_a_transformer_are_on_the_hardware() -> None:
    """The block has six linear layers on the sequence, each element of which is a pixel."""
    module, x = make("attention")
    linear = [layer for layer in capture(module, x[:1]).layers if isinstance(layer, FloatConv)]
    assert [layer.name for layer in linear] == ["query", "key", "value", "out", "inner", "outer"]
    assert {layer.shape[:2] for layer in linear} == {(7, 1)}


@pytest.mark.parametrize("name", CASES)
def test_quantised_written_and_read(name: str, tmp_path: Path) -> None:
    """The outputs are near the float network's, and the file's network gives the same bytes."""
    module, x = make(name)
    network = capture(module, x[:1], name)
    codebook = extract_codebook([capture(nn.Conv2d(8, 64, 3).eval(), torch.zeros(1, 8, 9, 9))],
                                subvector=1, codewords=256, seed=0)
    quantized = compress(network, codebook, x.numpy())
    results = run_reference(quantized, codebook, quantize_input(quantized, x.numpy()))
    outputs = output_of(quantized, results)
    expected = float_output(network, x).numpy()
    assert outputs.shape == expected.shape
    assert np.corrcoef(dequantize(quantized, outputs).ravel(), expected.ravel())[0, 1] > 0.99
    save_network(quantized, tmp_path / "net.vqnet", codebook)
    loaded = load_network(tmp_path / "net.vqnet")
    again = run_reference(loaded, codebook, quantize_input(loaded, x.numpy()))
    np.testing.assert_array_equal(output_of(loaded, again), outputs)
    config = load_config("tiny", subvector=1, codewords=256)
    with pytest.raises(VqromError, match="must be one that the accelerator does"):
        compile_network(loaded, codebook.codewords, config)


def test_products_on_the_host_count() -> None:
    """Two heads of 7 x 7 products of 4 numbers, twice: scores, and what is mixed with them."""
    module, x = make("attention")
    codebook = extract_codebook([capture(module, x[:1])], subvector=1, codewords=256, seed=0)
    network = compress(capture(module, x[:1]), codebook, x.numpy())
    linear = 4 * 8 * 8 + 2 * 8 * 16
    assert sum(map(network.macs_of, network.layers)) == 7 * linear + 2 * (2 * 7 * 7 * 4)
    hosts = [network.macs_of(layer) for layer in network.layers if isinstance(layer, Host)]
    assert sum(hosts) == 2 * (2 * 7 * 7 * 4)


def forged(**changes: Any) -> HostStep:
    return dataclasses.replace(HostStep("softmax.int", ({"input": 0}, 1), {}), **changes)


@pytest.mark.parametrize(("step", "message"), [
    (forged(op="system.default"), "must be a known one, not 'system.default'"),
    (forged(arguments=({"input": 1}, 1)), "host input must be below 1, not 1"),
    (forged(arguments=({"step": 0}, 1)), "host step must be below 0, not 0"),
    (forged(arguments=({"file": 0}, 1)), "must be a reference"),
    (forged(keywords={"dim": [{"constant": -1}]}), "host constant must be below 0, not -1"),
])
def test_forged_steps(step: HostStep, message: str) -> None:
    with pytest.raises(VqromError, match=message):
        check_steps("net", [step], inputs=1, constants=0)


def test_steps_that_do_not_fit() -> None:
    with pytest.raises(VqromError, match=r"'softmax\.int' must fit its arguments"):
        run_steps([forged(arguments=({"input": 0}, 9))], [torch.zeros(1, 2, 1, 1)], [],
                  [Native((2,))], Native((2,)), (1, 1, 2))


def test_other_inputs(tmp_path: Path) -> None:
    module, x = make("softmax")
    codebook = extract_codebook([capture(module, x[:1])], subvector=2, codewords=4, seed=0)
    network = compress(capture(module, x[:1]), codebook, x.numpy())
    host = network.layers[-1]
    assert isinstance(host, Host)
    wrong = dataclasses.replace(network, layers=(
        *network.layers[:-1], dataclasses.replace(host, inputs_native=(Native((7, 4, 3)),))))
    with pytest.raises(VqromError, match=r"host operation 'softmax\.int' must fit its arguments"):
        save_network(wrong, tmp_path / "net.vqnet", codebook)
