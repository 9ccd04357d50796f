"""Modules that call a function, and what the captured network of one is compared with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils._pytree import tree_leaves

from vqrom_sw.importers import capture
from vqrom_sw.network import FloatHost, FloatLayer, FloatNetwork, FloatTable, map_inputs
from vqrom_sw.reference import float_outputs


class Calling(nn.Module):
    """A module whose forward pass is a function of its parts and the input."""

    def __init__(self, function: Callable[..., Any], **parts: nn.Module):
        super().__init__()
        self._function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x: torch.Tensor) -> Any:
        return self._function(self, x)


def settle(module: nn.Module) -> nn.Module:
    """Batch norms with statistics that do something, then evaluation mode."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            assert part.running_mean is not None and part.running_var is not None
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 3)
            if part.affine:
                nn.init.normal_(part.weight)
                nn.init.normal_(part.bias)
    return module.eval()


def captured(module: nn.Module, *shape: int) -> FloatNetwork:
    """Capture a module on an input of a shape, and compare both with one image and with five."""
    torch.manual_seed(3)
    network = capture(settle(module), torch.zeros(1, *shape))
    for count in (1, 5):
        x = torch.randn(count, *shape)
        maps = torch.from_numpy(map_inputs(x.numpy(), network.input_native, network.input_shape))
        with torch.no_grad():
            expected = tree_leaves(module(x.clone()))
        for found, right in zip(float_outputs(network, maps), expected, strict=True):
            torch.testing.assert_close(found, right, rtol=1e-3, atol=1e-4)
    return network


def kinds(network: FloatNetwork) -> str:
    """The layers' kinds in order, with the operations of tables and of the host."""
    return " ".join(map(_kind, network.layers))


def _kind(layer: FloatLayer) -> str:
    name = type(layer).__name__.removeprefix("Float")
    operations = f"({layer.kind.replace(', ', ',')})" \
        if isinstance(layer, FloatHost | FloatTable) else ""
    return f"{name}{operations}"
