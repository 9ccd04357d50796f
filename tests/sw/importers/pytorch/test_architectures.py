"""Every family of architectures is captured, and its weights are layers of the accelerator."""

from __future__ import annotations

import pytest

from tests.architectures import ARCHITECTURES
from tests.compressed_architectures import captured
from vqrom_sw.network import INPUT, FloatConv, FloatHost, FloatNetwork
from vqrom_sw.network.host_steps import count_products

SHARE = 0.95
"""Share of the multiplications with weights that are layers of the accelerator, at least."""


def macs(network: FloatNetwork) -> int:
    """Multiply-accumulates of the convolutions for one image."""
    return sum(layer.shape[0] * layer.shape[1] * layer.weight.numel() for layer in network.layers
               if isinstance(layer, FloatConv))


def host_macs(network: FloatNetwork) -> int:
    """Multiply-accumulates of host layers for one image, but for attention's."""
    shapes = {INPUT: network.input_shape} | {layer.name: layer.shape for layer in network.layers}
    return sum(count_products(layer.steps, [shapes[name] for name in layer.inputs],
                              layer.constants, layer.inputs_native, layer.native, layer.shape)
               for layer in network.layers
               if isinstance(layer, FloatHost) and not any(
                   name in layer.kind for name in ("matmul", "attention")))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_captured(name: str) -> None:
    """The capture compares the network with its module, on one input and on three."""
    network = captured(name)
    names = {INPUT, *(layer.name for layer in network.layers)}
    assert all(source in names for layer in network.layers for source in layer.inputs)
    assert macs(network) >= SHARE * (macs(network) + host_macs(network))
