"""Modules that would give wrong numbers without a word: right, or refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.sw.importers.pytorch.captured import Calling, captured
from vqrom_hw.errors import VqromError
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.compress import compress
from vqrom_sw.importers import capture
from vqrom_sw.network import FloatHost


class Counter(nn.Module):
    """A module that counts how often it runs."""

    def __init__(self):
        super().__init__()
        self.register_buffer("count", torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.get_buffer("count").add_(1)
        return x * self.get_buffer("count")


class Trained(nn.Module):
    """A module that puts one of its parts into training mode as it runs."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm.train()(x)


class Decoder(nn.Module):
    """Attention of learned queries, which are the same for each image."""

    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerDecoderLayer(8, 2, 16, batch_first=True)
        self.query = nn.Parameter(torch.randn(1, 3, 8))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(self.query.expand(x.shape[0], -1, -1), x.flatten(2))


REFUSED: dict[str, tuple[Callable[[Any, torch.Tensor], Any], str]] = {
    "noise": (lambda _, x: x + torch.randn(4, 8, 8),
              r"layer 'randn' \(randn\): random numbers must not be drawn"),
    "noise like": (lambda _, x: x + torch.rand_like(x),
                   r"layer 'rand_like' \(rand_like\): random numbers must not be drawn"),
    "dropout that never ends": (lambda _, x: F.dropout(x, 0.5), "random numbers must not be drawn"),
    "empty memory": (lambda _, x: x + torch.empty(4, 8, 8), "numbers must have values"),
    "mean of all images": (lambda _, x: x - x.mean(0, keepdim=True),
                           "an image's outputs must not depend on the other images"),
    "images turned round": (lambda _, x: x.flip(0),
                            "an image's outputs must not depend on the other images"),
    "images within another dimension": (
        lambda _, x: x.relu().view(1, -1),
        r"output must have its images along the first dimension, not be of shape \(1, 256 N\)"),
    "images second": (lambda _, x: x.relu().transpose(0, 1),
                      r"along the first dimension, not be of shape \(4, N, 8, 8\)"),
    "half precision": (lambda _, x: x.half().relu(), r"numbers must be float32, not torch.float16"),
    "double precision": (lambda _, x: x.double().relu().float(),
                         r"numbers must be float32, not torch.float64"),
    "places in a table": (lambda _, x: torch.ones(9, 2)[x.long()],
                          r"\(_to_copy\): numbers must be float32, not torch.int64"),
    "size of values": (lambda _, x: x[:, torch.tensor([True, False, True, False])],
                       "sizes must not depend on values"),
    "rounded quotient": (lambda _, x: torch.div(x, 0.3, rounding_mode="floor"),
                         "neither the accelerator nor the host does 'aten.div.Tensor_mode'"),
    "five dimensions": (lambda _, x: F.local_response_norm(x, 3),
                        "neither the accelerator nor the host does 'aten.avg_pool3d"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_name(name: str) -> None:
    function, message = REFUSED[name]
    with pytest.raises(VqromError, match=message) as caught:
        capture(Calling(function).eval(), torch.zeros(1, 4, 8, 8))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("module", "message"), [
    (Counter(), "must leave 'count' as it is when it runs"),
    (Trained(), "must leave 'norm.running_mean' as it is when it runs; .* training mode"),
    (Decoder(), r"a dimension of a constant must not count images and something else, as in"),
], ids=lambda part: type(part).__name__)
def test_modules_refused_by_name(module: nn.Module, message: str) -> None:
    with pytest.raises(VqromError, match=message):
        capture(module.eval(), torch.zeros(1, 4, 2, 4))


def test_a_module_that_writes_into_its_input() -> None:
    captured(nn.Sequential(nn.ReLU(inplace=True), nn.Conv2d(4, 3, 3)), 4, 6, 6)
    captured(Calling(lambda _, x: x.sub_(0.5).mul_(2)), 4, 6, 6)


def test_a_long_chain_on_the_host() -> None:
    """Longer than Python's stack is deep."""
    def chain(_: nn.Module, x: torch.Tensor) -> torch.Tensor:
        for _number in range(1200):
            x = x.softmax(1)
        return x

    (layer,) = captured(Calling(chain), 4, 3, 3).layers
    assert isinstance(layer, FloatHost) and len(layer.steps) == 1200


def test_types_that_are_only_asserted() -> None:
    """The graph has nodes without a result, which say what PyTorch relied on."""
    captured(Calling(lambda _, x: torch.cat([
        x * torch.arange(8).float(), x * torch.arange(8)[:, None].to(torch.float32)], 1)), 4, 8, 8)


@pytest.mark.parametrize("function", [torch.log, lambda x: x / 0, torch.sqrt])
def test_results_that_are_not_finite(function: Callable[[torch.Tensor], torch.Tensor]) -> None:
    x = torch.randn(3, 4, 5, 5)
    network = capture(Calling(lambda _, x: function(x)).eval(), x[:1])
    with pytest.raises(VqromError, match=r"layer '.*': results must be finite numbers on the"):
        compress(network, UniversalCodebook(torch.tensor([[0], [1]]).numpy().astype("int8")),
                 x.numpy())
