"""Networks that PyTorch exports, with the number of images open or fixed, against the module."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from vqrom_sw.importers import capture, read_onnx


class VisionTransformer(nn.Module):
    """Patches, a class token, positions and one encoder layer."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 4, 4)
        self.token = nn.Parameter(torch.randn(1, 1, 16))
        self.positions = nn.Parameter(torch.randn(1, 5, 16))
        self.encoder = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        self.head = nn.Linear(16, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.positions
        return self.head(self.encoder(x)[:, 0])


class Upsampling(nn.Module):
    """A U-Net of one level, whose first convolution has mirrored borders."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1, padding_mode="reflect")
        self.inner = nn.Conv2d(8, 8, 3, padding=1)
        self.up = nn.ConvTranspose2d(8, 8, 2, 2)
        self.last = nn.Conv2d(24, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x).relu()
        inner = self.inner(F.max_pool2d(x, 2)).relu()
        smooth = F.interpolate(inner, scale_factor=2, mode="bilinear")
        return self.last(torch.cat([x, self.up(inner), smooth], 1))


class Excited(nn.Module):
    """Squeeze and excitation, with two outputs."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.down, self.up = nn.Conv2d(8, 2, 1), nn.Conv2d(2, 8, 1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = F.silu(self.first(x))
        factor = self.up(self.down(F.adaptive_avg_pool2d(x, 1)).relu()).sigmoid()
        left, right = (x * factor).chunk(2, 1)
        return F.hardswish(left), F.avg_pool2d(right, 3, 2, 1, ceil_mode=True)


class Heads(nn.Module):
    """Predictions of three anchors, each of which is moved to the last axis."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 18, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)
        count, _, height, width = x.shape
        x = x.view(count, 3, 6, height, width).permute(0, 1, 3, 4, 2).contiguous()
        return x.sigmoid().view(count, -1, 6)


class Steps(nn.Module):
    """Two recurrent layers, the last step's state of which counts."""

    def __init__(self):
        super().__init__()
        self.first = nn.LSTM(6, 8, 2, batch_first=True, bidirectional=True)
        self.second = nn.GRU(16, 5, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(x)[0])[0][:, -1]


MODULES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "vision transformer": (VisionTransformer, (3, 8, 8)), "u-net": (Upsampling, (3, 8, 8)),
    "squeeze and excitation": (Excited, (3, 8, 8)), "anchors": (Heads, (3, 4, 4)),
    "recurrent": (Steps, (3, 6)),
    "perceptron": (lambda: nn.Sequential(nn.Linear(40, 16), nn.BatchNorm1d(16), nn.Mish(),
                                         nn.Linear(16, 4)), (40,)),
    "conv1d": (lambda: nn.Sequential(nn.Conv1d(4, 8, 3, padding=1), nn.PReLU(8),
                                     nn.AdaptiveAvgPool1d(2), nn.Flatten(), nn.LogSoftmax(1)),
               (4, 12)),
}
"""Makes each module, and the shape of one input of it."""


@pytest.mark.parametrize("images", ["any", "one"])
@pytest.mark.parametrize("name", MODULES)
def test_exports_compute_what_the_module_does(name: str, images: str, tmp_path: Path) -> None:
    torch.manual_seed(1)
    make, shape = MODULES[name]
    module, x = make().eval(), torch.randn(3, *shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module, (x[:1],), str(tmp_path / "net.onnx"), dynamo=False, input_names=["x"],
            opset_version=17, dynamic_axes={"x": {0: "n"}} if images == "any" else None)
    imported = read_onnx(tmp_path / "net.onnx")
    with torch.no_grad():
        torch.testing.assert_close(imported.module(x), module(x), rtol=1e-4, atol=1e-5)
    assert imported.input_shape == (1, *shape)
    if images == "any":
        assert capture(imported.module, x[:1], name).outputs


def test_the_newest_exporter(tmp_path: Path) -> None:
    """It writes weights to a second file, and the number of images into sizes."""
    torch.manual_seed(1)
    module, x = VisionTransformer().eval(), torch.randn(3, 3, 8, 8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, (x[:1],), str(tmp_path / "net.onnx"), dynamo=True,
                          external_data=True, verbose=False)
    assert (tmp_path / "net.onnx.data").exists()
    with torch.no_grad():
        torch.testing.assert_close(read_onnx(tmp_path / "net.onnx").module(x), module(x),
                                   rtol=1e-4, atol=1e-5)
