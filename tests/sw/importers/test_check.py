"""The comparison of imports with their source finds mistakes and says where they are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from tests.sw.importers.onnx_models import normal
from vqrom_hw.errors import VqromError
from vqrom_sw.importers import capture, capture_check
from vqrom_sw.importers.capture_check import check_capture
from vqrom_sw.importers.check import (
    BATCHES,
    check_inputs,
    check_module,
    difference,
)
from vqrom_sw.importers.imported_module import Call, ImportedModule
from vqrom_sw.network import FloatConv, FloatLayer
from vqrom_sw.reference import float_layer


class Source:
    """A network of two steps, as an interpreter of a file would run it."""

    name = "the interpreter"

    def outputs(self, x: np.ndarray) -> list[np.ndarray]:
        return [self.intermediates(x)["b"]]

    def intermediates(self, x: np.ndarray) -> Mapping[str, np.ndarray]:
        a = np.maximum(x, 0)
        return {"a": a, "b": a.mean(1, keepdims=True)}


def module(first, second) -> ImportedModule:
    made = ImportedModule("x")
    made.append("one", Call(first), ["x"], "a")
    made.append("two", Call(second), ["a"], "b")
    made.result = "b"
    return made


def right_mean(x: torch.Tensor) -> torch.Tensor:
    return x.mean(1, keepdim=True)


def test_right_modules_pass() -> None:
    for x in check_inputs((1, 4, 5)):
        check_module(module(torch.relu, right_mean), Source(), x)


@pytest.mark.parametrize(("first", "second", "where"), [
    (torch.abs, right_mean, "tensor 'a'"),
    (torch.relu, lambda x: x.sum(1, keepdim=True), "tensor 'b'"),
    (torch.relu, lambda x: x.mean(2, keepdim=True), "tensor 'b'"),
    (torch.nn.functional.relu6, right_mean, "tensor 'a'"),
    (lambda x: x.relu() * 1.001, right_mean, "tensor 'a'"),
])
def test_the_first_tensor_that_differs_is_named(first, second, where: str) -> None:
    with pytest.raises(VqromError, match=f"{where} must be what the interpreter computes"):
        for x in check_inputs((1, 4, 50)):
            check_module(module(first, second), Source(), x)


class Rounds(Source):
    """A network whose sums differ in the last digits from those of the module."""

    def intermediates(self, x: np.ndarray) -> Mapping[str, np.ndarray]:
        a = x * 3 + np.float32(1e-6)
        return {"x": x, "a": a, "b": a.round()}


def test_modules_that_round_are_compared_part_by_part() -> None:
    x = normal(3, 50)
    x[0, 0] = 0.5 / 3 - 1e-7  # Three times that is below 1/2, and above with 1e-6 more.
    rounds = module(lambda x: x * 3, torch.round)
    with pytest.raises(VqromError, match="tensor 'b' must be"):
        check_module(rounds, Rounds(), x)
    rounds.jumps = True
    check_module(rounds, Rounds(), x)
    for wrong in (module(lambda x: x * 3, torch.floor), module(lambda x: x * 3.01, torch.round)):
        wrong.jumps = True
        with pytest.raises(VqromError, match="must be what the interpreter computes"):
            check_module(wrong, Rounds(), x)


def test_inputs_reach_both_sides_of_bends() -> None:
    inputs = list(check_inputs((1, 3, 8, 8)))
    assert [len(x) for x in inputs] == list(BATCHES)
    assert inputs[1].max() > 6 and inputs[1].min() < -6 and inputs[1][2].min() >= 0
    assert all(x.dtype == np.float32 for x in inputs)
    for x in check_inputs((1, 9), integers=True):
        np.testing.assert_array_equal(x, x.round())


def test_difference() -> None:
    x = normal(2, 3)
    assert difference(x, x) == 0
    assert difference(x[None], x) == 0
    assert difference(x.T, x) == math.inf
    assert difference(x + 1, x) == pytest.approx(1 / np.abs(x).max(), rel=1e-5)
    broken = x.copy()
    broken[0, 0] = np.nan
    assert difference(broken, x) == math.inf
    assert difference(broken, broken) == 0
    assert difference(np.array([np.inf]), np.array([-np.inf])) == math.inf


def network(bias: float = 0.0):
    torch.manual_seed(1)
    made = nn.Sequential(nn.Conv2d(4, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 5, 1)).eval()
    captured = capture(made, torch.zeros(1, 4, 8, 8), "net")
    layers = tuple(replace(layer, bias=layer.bias + bias)
                   if isinstance(layer, FloatConv) and layer.name == "3" else layer
                   for layer in captured.layers)
    return made, replace(captured, layers=layers)


def test_captured_network_is_compared_with_its_module() -> None:
    made, captured = network()
    check_capture(captured, made, torch.from_numpy(normal(4, 4, 8, 8)))


def test_the_first_layer_that_differs_is_named() -> None:
    made, captured = network(0.01)
    with pytest.raises(VqromError, match=r"network 'net': layer '3' must be what the module comp"):
        check_capture(captured, made, torch.from_numpy(normal(4, 4, 8, 8)))


class Steps(nn.Module):
    """Whole numbers of a convolution's sums."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 1, 1)
        nn.init.ones_(self.first.weight)
        nn.init.zeros_(self.first.bias)  # type: ignore[arg-type]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.first(x).round()


def test_captured_networks_may_round_single_numbers_otherwise() -> None:
    made, x = Steps().eval(), torch.from_numpy(4 * normal(3, 1, 64, 64))
    captured = capture(made, x[:1], "net")

    def shifted(bias: float):
        return replace(captured, layers=tuple(
            replace(layer, bias=layer.bias + bias) if isinstance(layer, FloatConv) else layer
            for layer in captured.layers))

    x[0, 0, 0, 0] = 0.5 - 1e-6
    check_capture(shifted(2e-6), made, x)
    for bias, numbers in ((0.01, x), (2e-6, torch.full_like(x, 0.5 - 1e-6))):
        with pytest.raises(VqromError, match="must be what the module computes"):
            check_capture(shifted(bias), made, numbers)


class Mixed(nn.Module):
    """One image's result depends on the others, which a capture of one image cannot see."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.relu() - (x - x[:1]).mean()


def test_a_layer_that_does_not_run_is_named(monkeypatch) -> None:
    def run(layer: FloatLayer, inputs: list[torch.Tensor]) -> torch.Tensor:
        if layer.name == "3" and len(inputs[0]) > 1:
            raise RuntimeError("sizes of tensors must match")
        return float_layer(layer, inputs)

    made, captured = network()
    monkeypatch.setattr(capture_check, "float_layer", run)
    with pytest.raises(VqromError, match="'net': layer '3' must run with 3 images, but: sizes of"):
        check_capture(captured, made, torch.from_numpy(normal(3, 4, 8, 8)))


def test_networks_that_are_right_for_one_image_only() -> None:
    captured = capture(nn.Sequential(nn.ReLU()).eval(), torch.zeros(1, 4, 8, 8), "net")
    x = torch.from_numpy(normal(3, 4, 8, 8))
    with pytest.raises(VqromError, match="with 3 images"):
        check_capture(captured, Mixed().eval(), x + 1)
