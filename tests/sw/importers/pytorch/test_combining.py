"""Two maps combined, concatenations, and what the channels are chosen from."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.sw.importers.pytorch.captured import Calling, captured, kinds
from vqrom_sw.network import FloatSelect

IMAGE = (4, 8, 9)


def conv(inputs: int = 4, outputs: int = 6, kernel: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel)


def _gated(self: nn.Module, x: torch.Tensor, first: bool) -> torch.Tensor:
    y = self.get_submodule("a")(x)
    gate = self.get_submodule("b")(y.mean((2, 3), keepdim=True)).sigmoid()
    return gate * y if first else y * gate


def _expanded(self: nn.Module, x: torch.Tensor) -> torch.Tensor:
    gate = self.get_submodule("b")(F.adaptive_avg_pool2d(x, 1).flatten(1)).sigmoid()
    return x * gate.view(x.shape[0], 4, 1, 1).expand_as(x)


GATE = "Conv GlobalAveragePool Conv Table(sigmoid) Elementwise"

CASES: dict[str, tuple[Callable, dict[str, nn.Module], str]] = {
    "add": (lambda s, x: (s.a(x) + s.b(x)).relu(), {"a": conv(), "b": conv()},
            "Conv Conv Elementwise"),
    "subtract": (lambda s, x: s.a(x) - s.b(x), {"a": conv(), "b": conv()},
                 "Conv Conv Elementwise"),
    "maximum": (lambda s, x: torch.maximum(s.a(x), s.b(x)), {"a": conv(), "b": conv()},
                "Conv Conv Elementwise"),
    "gate": (lambda s, x: _gated(s, x, False), {"a": conv(), "b": conv(6, 6)}, GATE),
    "gate first": (lambda s, x: _gated(s, x, True), {"a": conv(), "b": conv(6, 6)}, GATE),
    "gate expanded": (_expanded, {"b": nn.Linear(4, 4)},
                      "GlobalAveragePool Conv Table(sigmoid) Elementwise"),
    "single pixel minus map": (
        lambda s, x: s.a(x).mean((2, 3), keepdim=True) - s.b(x), {"a": conv(), "b": conv()},
        "Conv GlobalAveragePool Conv Host(sub)"),
    "sum of multiples": (lambda s, x: torch.add(s.a(x), s.b(x), alpha=2),
                         {"a": conv(), "b": conv()}, "Conv Conv Host(add)"),
    "concatenation": (lambda s, x: torch.cat([s.a(x), x, s.b(x)], 1), {"a": conv(), "b": conv()},
                      "Conv Conv Concat"),
    "concatenation of single channels": (
        lambda s, x: torch.cat([s.a(x), s.b(x)], 1), {"a": conv(4, 1), "b": conv(4, 1)},
        "Conv Conv Concat"),
    "concatenation of rows": (lambda s, x: torch.cat([s.a(x), s.b(x)], 2),
                              {"a": conv(), "b": conv()}, "Conv Conv Host(cat)"),
    "zeros beside": (lambda s, x: torch.cat([s.a(x), torch.zeros_like(x)], 1), {"a": conv()},
                     "Conv Select"),
    "new zeros beside": (
        lambda s, x: torch.cat([x.new_zeros(x.shape[0], 2, 8, 9), s.a(x)], 1), {"a": conv()},
        "Conv Select"),
    "chunks": (lambda s, x: (lambda first, second: s.a(first) + s.b(second))(*x.chunk(2, 1)),
               {"a": conv(2), "b": conv(2)}, "Select Select Conv Conv Elementwise"),
    "slices": (lambda s, x: s.a(x)[:, 1:4] - s.b(x).narrow(1, 2, 3), {"a": conv(), "b": conv()},
               "Conv Conv Select Select Elementwise"),
    "shuffle of channels": (
        lambda s, x: s.a(x.view(-1, 2, 2, 8, 9).transpose(1, 2).reshape(-1, 4, 8, 9)),
        {"a": conv()}, "Select Conv"),
    "a list of channels": (lambda s, x: s.a(x)[:, [2, 0, -1]], {"a": conv()}, "Conv Select"),
    "channel shuffle": (lambda s, x: s.b(s.a(x)), {"a": conv(), "b": nn.ChannelShuffle(2)},
                        "Conv Select"),
    "halves by a permutation": (
        lambda s, x: (lambda y: s.a(y[0]) * s.b(y[1]))(
            x.reshape(-1, 2, 2, 72).permute(2, 0, 1, 3).reshape(2, -1, 2, 8, 9)),
        {"a": conv(2, 3), "b": conv(2, 3)}, "Select Conv Select Conv Elementwise"),
}


@pytest.mark.parametrize("name", CASES)
def test_layers(name: str) -> None:
    function, parts, wanted = CASES[name]
    found = kinds(captured(Calling(function, **parts), *IMAGE)).split()
    assert sorted(found) == sorted(wanted.split())


def test_selections_in_a_row_are_one() -> None:
    module = Calling(lambda self, x: F.pad(x[:, 1:, ::2], (0, 0, 0, 0, 1, 0))[:, :3])
    (select,) = captured(module, *IMAGE).layers
    assert isinstance(select, FloatSelect)
    assert (select.sources, select.stride) == ((-1, 1, 2), (2, 1))
