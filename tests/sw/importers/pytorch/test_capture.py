"""Captured networks compute what the module computes; what cannot be built is named."""

from __future__ import annotations

import sys

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.sw.importers.pytorch.captured import settle
from vqrom_hw.errors import VqromError
from vqrom_sw.importers import capture
from vqrom_sw.importers.pytorch.handlers import HANDLERS
from vqrom_sw.network import FloatConv, FloatSelect
from vqrom_sw.reference.floating_point import float_output


class Residual(nn.Module):
    """Option-A shortcut, ReLU after the sum, global average pooling."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(4, 8, 3, 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.second = nn.Conv2d(8, 8, 3, 1, 1)
        self.head = nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shortcut = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 2, 2))
        x = self.second(F.relu(self.norm(self.first(x)))) + shortcut
        x = F.relu(x).mean((2, 3), keepdim=True)
        return self.head(torch.flatten(x, 1))


class Branches(nn.Module):
    """One feature map read three times, with another activation on each way."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 6, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(x)
        return F.relu(y) + F.relu6(y) + y


MODULES = {
    "conv": lambda: nn.Conv2d(4, 7, (3, 2), (2, 1), (1, 0)),
    "same padding": lambda: nn.Conv2d(4, 3, (4, 3), padding="same"),
    "valid padding": lambda: nn.Conv2d(4, 3, 3, padding="valid"),
    "batch norm": lambda: nn.Sequential(nn.Conv2d(4, 6, 3, bias=False), nn.BatchNorm2d(6),
                                        nn.ReLU6(), nn.MaxPool2d(3, 2, 1)),
    "batch norm without affine": lambda: nn.Sequential(
        nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6, affine=False)),
    "linear": lambda: nn.Sequential(nn.Flatten(), nn.Linear(4 * 8 * 9, 10), nn.ReLU(),
                                    nn.Dropout(), nn.Linear(10, 3)),
    "activation first": lambda: nn.Sequential(nn.Hardtanh(-0.5, 0.7), nn.Conv2d(4, 2, 1)),
    "two activations": lambda: nn.Sequential(nn.Conv2d(4, 5, 1), nn.ReLU(), nn.Hardtanh(-1, 0.3)),
    "pool then relu": lambda: nn.Sequential(nn.Conv2d(4, 5, 1), nn.MaxPool2d(2), nn.ReLU()),
    "adaptive pooling": lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                                              nn.Linear(4, 3)),
    "average pooling of everything": lambda: nn.AvgPool2d((8, 9)),
    "residual": Residual,
    "branches": Branches,
}


@pytest.mark.parametrize("name", MODULES)
def test_computes_what_the_module_computes(name: str) -> None:
    torch.manual_seed(1)
    module = settle(MODULES[name]())
    x = torch.randn(6, 4, 8, 9)
    network = capture(module, x[:1], name)
    with torch.no_grad():
        expected = module(x)
    maps = network.input_native.feature_map(x, network.input_shape)
    torch.testing.assert_close(float_output(network, maps), expected, rtol=1e-4, atol=1e-5)
    assert network.output_shape == tuple(expected.shape[1:])


def test_fuses_what_the_hardware_fuses() -> None:
    network = capture(settle(MODULES["batch norm"]()), torch.zeros(1, 4, 8, 9))
    assert [type(layer).__name__ for layer in network.layers] == ["FloatConv", "FloatMaxPool"]
    convolution = network.layers[0]
    assert isinstance(convolution, FloatConv) and convolution.bounds == (0.0, 6.0)
    assert [layer.name for layer in network.layers] == ["0", "3"]


def test_option_a_shortcut_is_one_layer() -> None:
    network = capture(settle(Residual()), torch.zeros(1, 4, 8, 8))
    (shortcut,) = [layer for layer in network.layers if isinstance(layer, FloatSelect)]
    assert (shortcut.stride, shortcut.sources) == ((2, 2), (-1, -1, 0, 1, 2, 3, -1, -1))


class Constant(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(x) + 1


class Branching(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.relu() if x.sum() > 0 else x


class Leaving(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        sys.exit(3)


class Counting(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.arange(x.shape[0], dtype=torch.float32)[:, None, None, None]


class Single(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape(1, 4, 8, 9) * 2


class Constants(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4))

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"result": x * 2, "weight": self.weight * 2}


class Greatest(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.topk(2, 1)[0]


class Places(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.argmax(1)


@pytest.mark.parametrize(("module", "message"), [
    (nn.Sequential(nn.Conv2d(4, 4, 1), nn.ConvTranspose2d(4, 4, 2, (2, 3))),
     r"layer '1' \(conv_transpose2d\): stride must be the same along both axes, not \(2, 3\)"),
    (Greatest(), r"layer 'topk' \(topk\): neither the accelerator nor the host does"),
    (Constant(), "the output must be computed from the network's input, not be a constant"),
    (Constants(), "output 'weight' must be computed from the network's input"),
    (nn.Identity(), "the output must be computed .* not be the input itself"),
    (Places(), r"layer 'argmax' \(argmax\): result must be a float32 tensor"),
    (Counting(), r"layer 'arange' \(arange\): a constant must be the same for each image"),
    (nn.Conv2d(5, 4, 1), "must run on an input of shape"),
    (Single(), "be traced by torch.export for any number of images"),
    (Branching(), "be traced by torch.export"),
    (Leaving(), "must run on an input of shape .* SystemExit: 3"),
])
def test_names_what_cannot_be_built(module: nn.Module, message: str,
                                    capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(VqromError, match=message):
        capture(module.eval(), torch.zeros(1, 4, 8, 9))
    assert capfd.readouterr() == ("", "")


def test_refuses_training_mode_and_other_inputs() -> None:
    with pytest.raises(VqromError, match="evaluation mode"):
        capture(nn.Conv2d(4, 4, 1), torch.zeros(1, 4, 8, 9))
    for wrong in (torch.zeros(2, 4, 8, 9), torch.zeros(4), torch.zeros(1, 4, 8, 9).double()):
        with pytest.raises(VqromError, match="example input must be float32"):
            capture(nn.Conv2d(4, 4, 1).eval(), wrong)


def test_a_handler_that_is_wrong_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HANDLERS, "relu", HANDLERS["relu6"])
    with pytest.raises(VqromError, match=r"layer '0' must be what the module computes"):
        capture(nn.Sequential(nn.ReLU(), nn.Conv2d(4, 2, 1)).eval(), torch.zeros(1, 4, 8, 9))


def test_refuses_weights_that_are_not_finite() -> None:
    module = nn.Conv2d(4, 4, 1).eval()
    with torch.no_grad():
        module.weight[0] = torch.nan
    with pytest.raises(VqromError, match="weight must be finite"):
        capture(module, torch.zeros(1, 4, 8, 9))
