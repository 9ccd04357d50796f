"""Every family of architectures is captured, and its weights are layers of the accelerator."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from tests.architectures import ARCHITECTURES, build
from vqrom_sw.importers import capture
from vqrom_sw.network import INPUT, FloatConv, FloatNetwork

SHARE = 0.95
"""Share of the multiplications with weights that are layers of the accelerator, at least."""


def macs(network: FloatNetwork) -> int:
    """Multiply-accumulates of the convolutions for one image."""
    return sum(layer.shape[0] * layer.shape[1] * layer.weight.numel() for layer in network.layers
               if isinstance(layer, FloatConv))


def weighted(module: nn.Module, x: torch.Tensor) -> int:
    """Multiply-accumulates of a module's convolutions and products with constants."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(x)
    counts = counter.get_flop_counts()["Global"]
    return sum(count for operation, count in counts.items()
               if not any(name in str(operation) for name in ("bmm", "attention"))) // 2


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_captured(name: str) -> None:
    """The capture compares the network with its module, on one input and on three."""
    module, example = build(name)
    network = capture(module, example, name)
    names = {INPUT, *(layer.name for layer in network.layers)}
    assert all(source in names for layer in network.layers for source in layer.inputs)
    assert macs(network) >= SHARE * weighted(module, example)
