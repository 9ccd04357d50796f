"""Policies of raw layers: which layers each of them names."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from vqrom_sw.encoding import RawLayers, raw_layers, raw_policy
from vqrom_sw.importers import capture


class Layers(nn.Module):
    """A narrow first layer, an inner one, a depthwise one, and a small linear one."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.inner = nn.Conv2d(8, 8, 3, padding=1)
        self.depthwise = nn.Conv2d(8, 8, 3, groups=8)
        self.head = nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x).relu()
        x = (x + self.inner(x)).relu()
        return self.head(self.depthwise(x).relu().mean((2, 3)))


class Bottlenecks(nn.Module):
    """A bottleneck without a shortcut, and one with it, which goes on along its residual path."""

    def __init__(self):
        super().__init__()
        self.widen = nn.Conv2d(8, 16, 1)
        self.first = nn.Conv2d(16, 8, 1)
        self.widen_again = nn.Conv2d(8, 16, 1)
        self.second = nn.Conv2d(16, 8, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(self.widen(x).relu())
        return x + self.second(self.widen_again(x).relu())


def test_which_layers_stay_raw(monkeypatch: pytest.MonkeyPatch) -> None:
    network = capture(Layers().eval(), torch.zeros(1, 3, 8, 8), "layers")
    assert raw_layers(network, 4, RawLayers.NONE) == set()
    assert raw_layers(network, 4, RawLayers.ALL) == {"stem", "inner", "depthwise", "head"}
    assert raw_layers(network, 4, RawLayers.NARROW) == {"stem", "depthwise"}
    assert raw_layers(network, 4, RawLayers.ENDS) == {"stem", "depthwise", "head"}
    assert raw_layers(network, 4, RawLayers.SMALL) == {"stem", "depthwise"}
    # Of 576 + 40 weights the head holds 6.5 %.
    monkeypatch.setattr(raw_policy, "SMALL_SHARE", 0.065)
    assert raw_layers(network, 4, RawLayers.SMALL) == {"stem", "depthwise", "head"}


def test_what_starts_a_residual_path_can_stay_raw() -> None:
    network = capture(Bottlenecks().eval(), torch.zeros(1, 8, 6, 6), "bottlenecks")
    assert raw_layers(network, 4, RawLayers.SMALL) == set()
    assert raw_layers(network, 4, RawLayers.STREAMS) == {"first"}
