"""Attention, class tokens, masks and recurrent layers, for any number of images."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.sw.importers.pytorch.captured import Calling, captured, kinds
from vqrom_sw.network import FloatConv, FloatHost, FloatNetwork


def linear_layers(network: FloatNetwork) -> list[str]:
    return [layer.name for layer in network.layers if isinstance(layer, FloatConv)]


def encoder(**arguments: object) -> nn.Module:
    return nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, **arguments)  # type: ignore


def _attention(self: nn.Module, x: torch.Tensor) -> torch.Tensor:
    part = self.get_submodule("a")
    return part(x, x, x, need_weights=False)[0]


def test_attention_of_pytorch() -> None:
    """The product with the packed weights is one layer, whatever the order of its results."""
    module = Calling(_attention, a=nn.MultiheadAttention(8, 2, batch_first=True))
    assert kinds(captured(module, 5, 8)) == "Conv Host(select,scaled_dot_product_attention) Conv"


@pytest.mark.parametrize("arguments", [{}, {"norm_first": True, "activation": "gelu"}])
def test_encoder_layers(arguments: dict[str, object]) -> None:
    network = captured(encoder(**arguments), 5, 8)
    assert len(linear_layers(network)) == 4
    assert all("linear" not in layer.kind and "matmul" not in layer.kind
               for layer in network.layers if isinstance(layer, FloatHost))


def _masked(self: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return self.get_submodule("a")(x, src_key_padding_mask=x.abs().sum(2) < 1)


def _causal(self: nn.Module, x: torch.Tensor) -> torch.Tensor:
    mask = torch.triu(torch.ones(5, 5, dtype=torch.bool), 1)
    return self.get_submodule("a")(x, src_mask=mask)


def _chosen(self: nn.Module, x: torch.Tensor) -> torch.Tensor:
    mask = torch.tensor([True, False, True, True, False])[:, None]
    return torch.where(mask, self.get_submodule("a")(x).softmax(2), -1.0)


@pytest.mark.parametrize("function", [_masked, _causal, _chosen])
def test_masks(function: object) -> None:
    captured(Calling(function, a=encoder()), 5, 8)  # type: ignore


def test_a_boolean_constant_stays_boolean() -> None:
    network = captured(Calling(_chosen, a=nn.Linear(8, 8)), 5, 8)
    host = network.layers[-1]
    assert isinstance(host, FloatHost) and torch.bool in {part.dtype for part in host.constants}


class ClassToken(nn.Module):
    """A learnt token beside the sequence, which alone is read in the end."""

    def __init__(self):
        super().__init__()
        self.token, self.positions = (nn.Parameter(torch.randn(1, size, 8)) for size in (1, 6))
        self.inner, self.head = nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.positions
        return self.head(F.gelu(self.inner(x))[:, 0])


def test_a_class_token_is_expanded_to_every_batch() -> None:
    assert kinds(captured(ClassToken(), 5, 8)) == "Host(cat,add) Conv Table(gelu) Pad Conv"


class Recurrent(nn.Module):
    """A recurrent layer and a linear layer on its last result."""

    def __init__(self, layer: nn.Module, width: int = 5):
        super().__init__()
        self.layer, self.head = layer, nn.Linear(width, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.layer(x)[0][:, -1])


@pytest.mark.parametrize("layer", [
    nn.LSTM(8, 5, batch_first=True), nn.GRU(8, 5, batch_first=True),
    nn.RNN(8, 5, batch_first=True)])
def test_short_recurrences_are_unrolled(layer: nn.Module) -> None:
    """The host does nothing: each step takes its row of the products of all steps."""
    network = captured(Recurrent(layer), 4, 8)
    assert not any(isinstance(layer, FloatHost) for layer in network.layers)


def test_other_recurrences() -> None:
    layer = nn.LSTM(8, 5, 2, bidirectional=True, batch_first=True)
    captured(Recurrent(layer, 10), 3, 8)
    long = captured(Recurrent(nn.LSTM(8, 5, batch_first=True)), 40, 8)
    assert kinds(long) == "Host(lstm,slice,select) Conv"


def test_products_with_constants_on_either_side() -> None:
    weight = nn.Linear(5, 7).weight
    module = Calling(lambda self, x: torch.matmul(self.a.weight, x), a=nn.Linear(5, 7))
    assert weight.shape == (7, 5)
    assert kinds(captured(module, 5, 8)) == "Host(matmul_order) Conv"
    module = Calling(lambda self, x: torch.einsum("bsc,dc->bsd", x, self.a.weight),
                     a=nn.Linear(8, 7))
    assert kinds(captured(module, 5, 8)) == "Conv"
