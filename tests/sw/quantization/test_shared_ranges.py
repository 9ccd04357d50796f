"""Concatenations whose inputs take their output's quantisation."""

from __future__ import annotations

import torch
from torch import nn

from tests.compressed_architectures import family_codebook
from vqrom_sw.compress import compress
from vqrom_sw.importers import capture
from vqrom_sw.network import Concat, QuantizedNetwork


class Joined(nn.Module):
    """Two convolutions, one with outputs a hundred times as large, pooled and joined.

    ``also_read`` says whether something else reads the smaller one.
    """

    def __init__(self, also_read: bool):
        super().__init__()
        self.small, self.large = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1)
        self.after = nn.Conv2d(4, 4, 1) if also_read else None
        with torch.no_grad():
            self.large.weight *= 100

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        small = self.small(x)
        joined = torch.cat([torch.max_pool2d(small, 1), self.large(x)], 1)
        return (joined, self.after(small)) if self.after else (joined,)


def quantised(also_read: bool) -> QuantizedNetwork:
    torch.manual_seed(0)
    example = torch.randn(8, 4, 6, 6)
    network = capture(Joined(also_read).eval(), example[:1], "joined")
    return compress(network, family_codebook(), example.numpy())


def test_maps_that_nothing_else_reads_take_the_range_of_the_whole() -> None:
    network = quantised(also_read=False)
    joined = next(layer for layer in network.layers if isinstance(layer, Concat))
    assert {network.quantization_of(name) for name in joined.inputs} == {joined.quantization}
    for scale in joined.input_requantization:
        assert (scale.multiplier[0], scale.shift[0]) == (1 << 30, 1), "nothing to compute"


def test_others_keep_a_range_that_is_much_smaller() -> None:
    network = quantised(also_read=True)
    joined = next(layer for layer in network.layers if isinstance(layer, Concat))
    small, large = (network.quantization_of(name) for name in joined.inputs)
    assert small.scale < 0.1 * joined.quantization.scale and large == joined.quantization
