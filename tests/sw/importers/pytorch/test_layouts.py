"""Maps that the graph sees in other shapes and orders, and inputs of every kind."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from tests.sw.importers.pytorch.captured import Calling, captured, kinds
from vqrom_sw.importers.pytorch.layout import BATCH, Atom, layout_of
from vqrom_sw.network import FloatConv, Native

SHAPE = (4, 6, 8)
"""Height, width and channels of a map."""

H, W, C = (Atom("H", 4), Atom("W", 6), Atom("C", 8))


def test_reshapes_merge_and_split_axes() -> None:
    image = layout_of(SHAPE, *"NCHW")
    flat = image.reshaped((BATCH, 192))
    assert flat is not None and flat.groups[1] == (C, H, W)
    assert flat.reshaped((BATCH, 8, 4, 6)) == image
    split = image.reshaped((BATCH, 2, 4, 24))
    assert split is not None
    assert split.groups[1:] == ((Atom("C", 2, 4),), (Atom("C", 4),), (H, W))
    assert image.reshaped((BATCH, 8, 6, 4)) is None
    assert image.reshaped((BATCH, 8, 4)) is None
    assert image.reshaped((BATCH, 8, 48)) is None
    both = image.reshaped((4 * BATCH, 2, 24))
    assert both is not None and both.groups[0] == (Atom("N", BATCH), Atom("C", 4, 2))


def test_views_as_networks_have_them() -> None:
    image = layout_of(SHAPE, *"NCHW")
    assert image.native(SHAPE) == Native((8, 4, 6))
    assert image.permuted((0, 2, 3, 1)).native(SHAPE) == Native((4, 6, 8), "HWC")
    sequence = image.reshaped((BATCH, 8, 24))
    assert sequence is not None
    assert sequence.permuted((0, 2, 1)).native(SHAPE) == Native((24, 8), "HWC")
    assert image.permuted((1, 0, 2, 3)).native(SHAPE) is None
    groups = image.reshaped((BATCH, 2, 4, 4, 6))
    assert groups is not None
    assert groups.permuted((0, 2, 1, 3, 4)).native(SHAPE) is None
    assert groups.permuted((0, 2, 1, 3, 4)).channels() is not None


CASES: dict[str, tuple[Callable, dict[str, nn.Module], tuple[int, ...], str]] = {
    "flattened": (lambda s, x: s.b(s.a(x).flatten(1)),
                  {"a": nn.Conv2d(4, 6, 1), "b": nn.Linear(432, 3)}, (4, 8, 9), "Conv Conv"),
    "flattened with channels last": (
        lambda s, x: s.b(s.a(x).permute(0, 2, 3, 1).reshape(x.shape[0], -1)),
        {"a": nn.Conv2d(4, 6, 1), "b": nn.Linear(432, 3)}, (4, 8, 9), "Conv Conv"),
    "channels last inside": (
        lambda s, x: s.b(s.a(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2),
        {"a": nn.Conv2d(4, 6, 1), "b": nn.Linear(6, 3)}, (4, 8, 9), "Conv Conv"),
    "channels last outside": (
        lambda s, x: s.a(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1),
        {"a": nn.Conv2d(4, 6, 3)}, (8, 9, 4), "Conv"),
    "images and pixels in one dimension": (
        lambda s, x: s.b(s.a(x).permute(0, 2, 3, 1).reshape(-1, 6)).view(-1, 8, 9, 3).mean((1, 2)),
        {"a": nn.Conv2d(4, 6, 1), "b": nn.Linear(6, 3)}, (4, 8, 9),
        "Conv Conv GlobalAveragePool"),
    "images last": (lambda s, x: s.a(x.transpose(0, 1)).transpose(0, 1), {"a": nn.Linear(8, 3)},
                    (5, 8), "Conv"),
    "width is multiplied": (lambda s, x: s.a(x), {"a": nn.Linear(9, 3)}, (4, 8, 9),
                            "Host(a_order) Conv"),
    "rows and columns exchanged": (lambda s, x: s.a(x.transpose(2, 3)),
                                   {"a": nn.Conv2d(4, 6, (3, 2))}, (4, 8, 9),
                                   "Host(a_order) Conv"),
    "boxes": (lambda s, x: s.a(x).view(-1, 2, 3, 8, 9).permute(0, 1, 3, 4, 2).contiguous(),
              {"a": nn.Conv2d(4, 6, 1)}, (4, 8, 9), "Conv Host(clone_order)"),
}


@pytest.mark.parametrize("name", CASES)
def test_layers(name: str) -> None:
    function, parts, shape, wanted = CASES[name]
    assert kinds(captured(Calling(function, **parts), *shape)) == wanted


def test_an_image_that_is_flattened_first_is_a_vector() -> None:
    """So its columns are sub-vectors, as they are without the image's shape."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(784, 16), nn.ReLU(), nn.Linear(16, 4))
    network = captured(module, 1, 28, 28)
    assert network.input_shape == (1, 1, 784)
    assert network.input_native == Native((1, 28, 28))
    first = network.layers[0]
    assert isinstance(first, FloatConv) and first.weight.shape == (16, 784, 1, 1)


def test_a_vector() -> None:
    network = captured(nn.Sequential(nn.Linear(40, 16), nn.ReLU(), nn.Linear(16, 4)), 40)
    assert (network.input_shape, network.input_native) == ((1, 1, 40), Native((40,)))


class Outputs(nn.Module):
    """A dictionary of outputs, one of which other layers read."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(4, 6, 1), nn.Conv2d(6, 2, 1)

    def forward(self, x: torch.Tensor) -> dict[str, object]:
        y = self.first(x)
        return {"deep": self.second(y.relu()), "parts": [y, y.mean((2, 3))]}


def test_several_outputs() -> None:
    network = captured(Outputs(), 4, 8, 9)
    assert [(output.name, output.native.sizes) for output in network.outputs] == [
        ("deep", (2, 8, 9)), ("parts.0", (6, 8, 9)), ("parts.1", (6,))]
    assert network.outputs[1].layer == "first"
