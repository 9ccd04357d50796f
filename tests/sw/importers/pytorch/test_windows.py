"""Convolutions, transposed convolutions, pooling, pads, crops and up-sampling."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.sw.importers.pytorch.captured import Calling, captured, kinds

IMAGE = (4, 8, 9)

TRANSPOSED: list[tuple[dict[str, Any], str]] = [
    ({"kernel_size": 2, "stride": 2}, "Conv DepthToSpace"),
    ({"kernel_size": 3, "stride": 2, "padding": 1}, "Conv DepthToSpace Conv"),
    ({"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1}, "Conv DepthToSpace"),
    ({"kernel_size": 4, "stride": 2, "padding": 3}, "Conv DepthToSpace"),
    ({"kernel_size": 4, "stride": 4, "padding": 3}, "Conv DepthToSpace Conv"),
    ({"kernel_size": 3, "stride": 1, "padding": 1}, "Conv"),
    ({"kernel_size": 3, "stride": 3, "groups": 2}, "Conv DepthToSpace"),
    ({"kernel_size": 3, "stride": 2, "padding": 2, "dilation": 2, "output_padding": 1},
     "Conv DepthToSpace"),
    ({"kernel_size": 5, "stride": (2, 1), "padding": 2}, "Conv DepthToSpace Select Conv"),
    ({"kernel_size": 1, "stride": 2}, "Conv DepthToSpace Conv"),
]


@pytest.mark.parametrize(("arguments", "wanted"), TRANSPOSED)
def test_transposed_convolutions(arguments: dict[str, Any], wanted: str) -> None:
    """Norm and activation are folded through the pixel shuffle."""
    module = nn.Sequential(nn.ConvTranspose2d(4, 4, **arguments), nn.BatchNorm2d(4), nn.ReLU())
    assert kinds(captured(module, *IMAGE)) == wanted


POOLS: list[tuple[nn.Module, str]] = [
    (nn.AvgPool2d(2), "AveragePool"), (nn.AvgPool2d(3, 2, 1), "AveragePool"),
    (nn.AvgPool2d(3, 2, 1, count_include_pad=False), "AveragePool"),
    (nn.AvgPool2d(3, 2, ceil_mode=True), "AveragePool"),
    (nn.AvgPool2d(3, 2, 1, ceil_mode=True), "Host(avg_pool2d)"),
    (nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False), "AveragePool"),
    (nn.AvgPool2d(2, divisor_override=3), "Host(avg_pool2d)"),
    (nn.AvgPool2d((8, 9)), "GlobalAveragePool"), (nn.MaxPool2d(3, 2, ceil_mode=True), "MaxPool"),
    (nn.MaxPool2d(3, 2, 1, ceil_mode=True), "MaxPool"),
    (nn.MaxPool2d(3, 2, 1, dilation=2), "MaxPool"), (nn.AdaptiveAvgPool2d(1), "GlobalAveragePool"),
    (nn.AdaptiveAvgPool2d((4, 3)), "AveragePool"), (nn.AdaptiveAvgPool2d((8, 9)), ""),
    (nn.AdaptiveAvgPool2d(5), "Host(adaptive_avg_pool2d)"),
    (nn.AdaptiveMaxPool2d((4, 3)), "MaxPool"),
    (Calling(lambda self, x: x.mean(3)), "AveragePool"),
    (Calling(lambda self, x: x.mean([-1, -2])), "GlobalAveragePool"),
    (Calling(lambda self, x: x.sum((2, 3))), "GlobalAveragePool Table(mul)"),
    (Calling(lambda self, x: x.amax((2, 3), keepdim=True)), "MaxPool"),
    (Calling(lambda self, x: x.mean(1)), "Host(mean)"),
]


@pytest.mark.parametrize(("pool", "wanted"), POOLS)
def test_pools(pool: nn.Module, wanted: str) -> None:
    network = captured(nn.Sequential(nn.Conv2d(4, 4, 1), pool), *IMAGE)
    assert kinds(network) == f"Conv {wanted}".strip()


def conv(inputs: int = 4, **arguments: Any) -> nn.Conv2d:
    return nn.Conv2d(inputs, 6, 3, **arguments)


AROUND: dict[str, tuple[Callable, nn.Module, str]] = {
    "zeros": (lambda s, x: s.a(F.pad(x, (1, 2, 0, 1))), conv(), "Conv"),
    "eight amounts": (lambda s, x: s.a(F.pad(x, (1, 2, 0, 1, 0, 0, 0, 0))), conv(), "Conv"),
    "two readers": (lambda s, x: (lambda y: s.a(y) * s.a(y))(F.pad(x, (1, 1, 1, 1))), conv(),
                    "Conv Conv Elementwise"),
    "a number": (lambda s, x: s.a(F.pad(x, (1, 2, 0, 1), value=0.5)), conv(), "Pad Conv"),
    "minus infinity": (
        lambda s, x: F.max_pool2d(F.pad(s.a(x), (0, 1, 0, 1), value=-math.inf), 3, 2), conv(),
        "Conv MaxPool"),
    "zeros before pooling": (lambda s, x: F.max_pool2d(F.pad(s.a(x), (0, 1, 0, 1)), 3, 2), conv(),
                             "Conv Pad MaxPool"),
    "reflect": (lambda s, x: s.a(x), conv(padding=1, padding_mode="reflect"), "Host(pad) Conv"),
    "replicate": (lambda s, x: s.a(x), conv(padding=1, padding_mode="replicate"),
                  "Host(pad) Conv"),
    "circular": (lambda s, x: s.a(x), conv(padding=1, padding_mode="circular"), "Host(pad) Conv"),
    "dilation": (lambda s, x: s.a(x), conv(dilation=2, padding="same"), "Conv"),
    "one row off": (lambda s, x: s.a(x[:, :, 1:]), conv(), "Pad Conv"),
    "many rows off": (lambda s, x: s.a(x[:, :, 4:]), conv(), "Pad Conv"),
    "rows and columns off": (lambda s, x: s.a(x[:, :, 1:-2, 2:]), conv(), "Pad Conv"),
    "every third row from the second": (lambda s, x: s.a(x)[:, :, 1::3], conv(),
                                        "Conv Pad Select"),
    "negative amounts": (lambda s, x: s.a(F.pad(x, (-1, 2, 0, -2))), conv(), "Pad Conv"),
    "rows of a pad": (lambda s, x: s.a(F.pad(x, (0, 0, 3, 4), value=1.0)[:, :, 1:-5]), conv(),
                      "Pad Conv"),
    "padding alone": (lambda s, x: s.a(F.pad(x, (0, 0, 3, 4), value=1.0)[:, :, -3:]), conv(),
                      "Pad Pad Conv"),
    "halves of the rows": (lambda s, x: torch.mul(*s.a(x)[:, :, 2:].split(2, 2)), conv(),
                           "Conv Pad Pad Pad Elementwise"),
    "every second pixel": (lambda s, x: s.a(x[:, :, ::2, ::2]), conv(), "Select Conv"),
    "the first row": (lambda s, x: s.a(x)[:, :, 0], conv(), "Conv Pad"),
    "the last column": (lambda s, x: s.a(x)[:, :, :, -1], conv(), "Conv Pad"),
}


@pytest.mark.parametrize("name", AROUND)
def test_pads_and_crops(name: str) -> None:
    function, part, wanted = AROUND[name]
    assert kinds(captured(Calling(function, a=part), *IMAGE)) == wanted


SIZES: dict[str, tuple[Callable, str]] = {
    "nearest": (lambda s, x: F.interpolate(x, scale_factor=2), "Upsample"),
    "nearest-exact": (lambda s, x: F.interpolate(x, size=(16, 27), mode="nearest-exact"),
                      "Upsample"),
    "bilinear": (lambda s, x: F.interpolate(x, scale_factor=2, mode="bilinear"),
                 "Host(upsample_bilinear2d)"),
    "of one pixel": (lambda s, x: F.interpolate(
        F.adaptive_avg_pool2d(x, 1), size=x.shape[2:], mode="bilinear"),
        "GlobalAveragePool Upsample"),
    "pixel shuffle": (lambda s, x: F.pixel_shuffle(x, 2), "DepthToSpace"),
    "pixel shuffle of views": (
        lambda s, x: x.view(-1, 1, 2, 2, 8, 9).permute(0, 1, 4, 2, 5, 3).reshape(-1, 1, 16, 18),
        "DepthToSpace"),
    "pixel unshuffle": (lambda s, x: F.pixel_unshuffle(x[..., :8], 2), "Pad Conv"),
}


@pytest.mark.parametrize("name", SIZES)
def test_other_numbers_of_pixels(name: str) -> None:
    function, wanted = SIZES[name]
    assert kinds(captured(Calling(function), *IMAGE)) == wanted


SIGNALS: dict[str, tuple[nn.Module, str]] = {
    "convolution": (nn.Sequential(nn.Conv1d(4, 5, 3, padding=2, dilation=2), nn.BatchNorm1d(5),
                                  nn.ReLU(), nn.MaxPool1d(2)), "Conv MaxPool"),
    "pooling": (nn.Sequential(nn.Conv1d(4, 5, 3), nn.AvgPool1d(2), nn.AdaptiveAvgPool1d(1),
                              nn.Flatten(), nn.Linear(5, 3)),
                "Conv AveragePool GlobalAveragePool Conv"),
    "padded": (nn.Sequential(nn.ConstantPad1d((2, 0), 0.0), nn.Conv1d(4, 5, 3)), "Conv"),
    "transposed": (nn.ConvTranspose1d(4, 5, 4, stride=2, padding=1), "Conv DepthToSpace Select"),
}


@pytest.mark.parametrize("name", SIGNALS)
def test_signals(name: str) -> None:
    module, wanted = SIGNALS[name]
    network = captured(module, 4, 12)
    assert kinds(network) == wanted
    assert network.input_shape == (12, 1, 4)


def test_a_cube_is_refused_or_left_to_the_host() -> None:
    with pytest.raises(Exception, match=r"neither the accelerator nor the host does 'aten\.conv"):
        captured(nn.Conv3d(2, 2, 1), 2, 3, 4, 5)


def test_the_mean_of_the_batch_is_no_reduction_of_pixels() -> None:
    with pytest.raises(Exception, match=r"layer .* \(mean\)"):
        captured(Calling(lambda self, x: x - torch.mean(x)), *IMAGE)
