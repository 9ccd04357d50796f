"""Functions of single numbers: tables, fused bounds, and constants that go into weights."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.sw.importers.pytorch.captured import Calling, captured, kinds
from vqrom_sw.network import FloatConv, FloatTable

IMAGE = (4, 8, 9)

FUNCTIONS = {
    "sigmoid": nn.Sigmoid(), "hardswish": nn.Hardswish(), "silu": nn.SiLU(), "gelu": nn.GELU(),
    "tanh": nn.Tanh(), "elu": nn.ELU(), "mish": nn.Mish(), "leaky_relu": nn.LeakyReLU(0.1),
    "softplus": nn.Softplus(), "selu": nn.SELU(), "celu": nn.CELU(), "log_sigmoid": nn.LogSigmoid(),
    "hardsigmoid": nn.Hardsigmoid(), "threshold": nn.Threshold(0.1, 2.0), "prelu": nn.PReLU(6)}

FORMULAS = {
    "silu": (lambda y: y * torch.sigmoid(y), "sigmoid,mul"),
    "hard-swish": (lambda y: y * F.relu6(y + 3) / 6, "add,relu6,mul,div"),
    "gelu": (lambda y: y * 0.5 * (1 + torch.erf(y / 2**0.5)), "mul,div,erf,add"),
    "mish": (lambda y: y * torch.tanh(F.softplus(y)), "softplus,tanh,mul"),
    "softsign": (F.softsign, "abs,add,div"),
    "a sum with itself": (lambda y: y.exp() + y, "exp,add"),
    "powers": (lambda y: y**2 - 1, "pow,sub"),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_a_table(name: str) -> None:
    network = captured(nn.Sequential(nn.Conv2d(4, 6, 1), FUNCTIONS[name]), *IMAGE)
    assert kinds(network) == f"Conv Table({name})"
    table = network.layers[1]
    assert isinstance(table, FloatTable) and table.by_channel == (name == "prelu")


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_is_one_table(name: str) -> None:
    formula, operations = FORMULAS[name]
    module = Calling(lambda self, x: formula(self.conv(x)), conv=nn.Conv2d(4, 6, 1))
    assert kinds(captured(module, *IMAGE)) == f"Conv Table({operations})"


def test_a_table_that_something_else_reads_stays() -> None:
    """The gate is an output as well, so that it may not vanish in the product's table."""
    def gated(self: nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        y = self.get_submodule("conv")(x)
        gate = torch.sigmoid(y)
        return gate, gate * y

    network = captured(Calling(gated, conv=nn.Conv2d(4, 6, 1)), *IMAGE)
    assert kinds(network) == "Conv Table(sigmoid) Elementwise"


class Scaled(nn.Module):
    """Numbers for each channel, before and after an activation."""

    def __init__(self, activation: bool):
        super().__init__()
        self.conv, self.activation = nn.Conv2d(4, 6, 1), activation
        self.factor, self.offset = nn.Parameter(torch.randn(6)), nn.Parameter(torch.randn(6))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(x)
        y = y.relu() if self.activation else y
        return 2 * y * self.factor[:, None, None] - self.offset.view(1, 6, 1, 1)


def test_constants_go_into_a_convolution_or_a_table_by_channel() -> None:
    assert kinds(captured(Scaled(False), *IMAGE)) == "Conv"
    network = captured(Scaled(True), *IMAGE)
    assert kinds(network) == "Conv Table(mul,sub)"
    table = network.layers[1]
    assert isinstance(table, FloatTable) and table.by_channel


NORMS = {
    "after a convolution": (nn.Sequential(nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6)), IMAGE, "Conv"),
    "after an activation": (nn.Sequential(nn.ReLU(), nn.BatchNorm2d(4)), IMAGE, "Select Conv"),
    "after a pixel shuffle": (nn.Sequential(
        nn.Conv2d(4, 16, 1), nn.PixelShuffle(2), nn.BatchNorm2d(4), nn.ReLU()), IMAGE,
        "Conv DepthToSpace"),
    "of vectors": (nn.Sequential(nn.Linear(40, 7), nn.BatchNorm1d(7)), (40,), "Conv"),
    "of signals": (nn.Sequential(nn.Conv1d(5, 6, 3), nn.BatchNorm1d(6)), (5, 8), "Conv"),
    "over positions": (nn.Sequential(nn.Linear(8, 7), nn.BatchNorm1d(5)), (5, 8),
                       "Conv Host(batch_norm)"),
    "of groups": (nn.Sequential(nn.Conv2d(4, 4, 1), nn.GroupNorm(2, 4)), IMAGE,
                  "Conv Host(group_norm)"),
    "of instances": (nn.Sequential(nn.Conv2d(4, 4, 1), nn.InstanceNorm2d(4, affine=True)), IMAGE,
                     "Conv Host(instance_norm)"),
}


@pytest.mark.parametrize("name", NORMS)
def test_norms(name: str) -> None:
    module, shape, wanted = NORMS[name]
    network = captured(module, *shape)
    assert kinds(network) == wanted
    if name == "after an activation":
        norm = network.layers[1]
        assert isinstance(norm, FloatConv) and norm.groups == 4
