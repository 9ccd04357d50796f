"""What a file with host layers may not do: draw random numbers, change constants, fill memory."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from vqrom_hw.errors import VqromError
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.compress import compress
from vqrom_sw.formats import load_network, save_network
from vqrom_sw.importers import capture
from vqrom_sw.network import (
    OPERATIONS,
    Host,
    HostStep,
    Native,
    QuantizedNetwork,
    check_results,
    check_steps,
)
from vqrom_sw.reference import quantize_input, run_reference

X = {"input": 0}


def test_operations_change_nothing_and_draw_nothing() -> None:
    """PyTorch says of attention and recurrences that they may draw numbers, with arguments that are
    checked; those of batch and instance norm are checked although it says nothing of them."""
    assert not [name for name, call in OPERATIONS.items() if call._schema.is_mutable]  # type: ignore
    random = {name for name, call in OPERATIONS.items()
              if torch.Tag.nondeterministic_seeded in call.tags}  # type: ignore
    assert random == {"scaled_dot_product_attention.default", "lstm.input", "gru.input",
                      "rnn_tanh.input", "rnn_relu.input"}


@pytest.mark.parametrize(("step", "message"), [
    (HostStep("scaled_dot_product_attention.default", (X, X, X, None, 0.5), {}),
     "dropout_p of host operation"),
    (HostStep("batch_norm.default", (X, None, None, X, X, True, 0.1, 1e-5, False), {}),
     "training of host operation"),
    (HostStep("lstm.input", (X, [X, X], [X, X, X, X], True, 1, 0.5, True, False, True), {}),
     "train of host operation"),
    (HostStep("getitem", (X, [0, 0]), {}), "'getitem' must have a result and a number"),
    (HostStep("instance_norm.default", (X, None, None, X, X, True, 0.1, 1e-5, False), {}),
     "must not change its running statistics"),
])
def test_only_inference(step: HostStep, message: str) -> None:
    with pytest.raises(VqromError, match=message):
        check_steps("net", [step], inputs=1, constants=0)


def last(number: int) -> dict[str, int]:
    return {"step": number}


def product(number: int, source: dict[str, int]) -> list[HostStep]:
    """Three steps, of which the first is called ``number``: all numbers times all numbers."""
    return [HostStep("reshape.default", (source, [1, -1, 1]), {}),
            HostStep("reshape.default", (source, [1, 1, -1]), {}),
            HostStep("matmul.default", (last(number), last(number + 1)), {})]


@pytest.mark.parametrize("steps", [
    [HostStep("repeat.default", (X, [1, 1 << 14, 1 << 14, 16]), {})],
    [HostStep("expand.default", (X, [1 << 40, -1, -1, -1, -1]), {})],
    [HostStep("constant_pad_nd.default", (X, [0, 1 << 20, 0, 1 << 20]), {})],
    [HostStep("pad.default", (X, [1 << 20, 1 << 20, 1 << 20, 0]), {})],
    [HostStep("upsample_nearest2d.vec", (X, None, [1e5, 1e5]), {})],
    [HostStep("upsample_bilinear2d.vec", (X, [1 << 16, 1 << 16], False, None), {})],
    [HostStep("adaptive_avg_pool2d.default", (X, [1 << 16, 1 << 16]), {})],
    [*product(0, X), *product(3, last(2)), *product(6, last(5))],
    [HostStep("repeat.default", (last(number - 1) if number else X, [1, 1, 2, 2]), {})
     for number in range(14)],
], ids=lambda steps: steps[-1].op)
def test_results_that_would_fill_memory(steps: list[HostStep]) -> None:
    """Their sizes are found on tensors without values, so this takes no memory."""
    check_steps("net", steps, inputs=1, constants=0)
    with pytest.raises(VqromError, match="'net': results of host steps must have at most"):
        check_results("net", steps, [(8, 8, 2)], [], [Native((2, 8, 8))], Native((2, 8, 8)),
                      (8, 8, 2))


@pytest.mark.parametrize("step", [
    HostStep("slice.Tensor", (X, 1, 0, 1), {}), HostStep("slice.Tensor", (X, 0, 0, 1), {}),
    HostStep("expand.default", (X, [1, -1, 8, 8]), {}), HostStep("split.Tensor", (X, 1), {}),
    HostStep("sum.dim_IntList", (X, [0, 1, 2, 3]), {}),
])
def test_a_result_of_another_size(step: HostStep) -> None:
    """One channel of two, one image of two, no single tensor, no images at all."""
    with pytest.raises(VqromError, match=f"host operation '{step.op}' must fit"):
        check_results("net", [step], [(8, 8, 2)], [], [Native((2, 8, 8))], Native((2, 8, 8)),
                      (8, 8, 2))


class Masked(nn.Module):
    """Scores whose mask is minus infinity, which JSON has no number for."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mask = torch.tensor([True, False, False, True]).expand(x.shape[0], 3, 4)
        return x.masked_fill(mask, -torch.inf).softmax(2)


@pytest.fixture(scope="module")
def masked(codebook: UniversalCodebook) -> QuantizedNetwork:
    x = torch.rand(4, 3, 4)
    return compress(capture(Masked().eval(), x[:1]), codebook, x.numpy())


@pytest.fixture(scope="module")
def codebook() -> UniversalCodebook:
    return UniversalCodebook(np.array([[0], [1]], np.int8))


def test_infinite_numbers_in_a_file(masked: QuantizedNetwork, codebook: UniversalCodebook,
                                    tmp_path: Path) -> None:
    save_network(masked, tmp_path / "net.vqnet", codebook)
    loaded = load_network(tmp_path / "net.vqnet")
    x = quantize_input(masked, torch.rand(2, 3, 4).numpy())
    name = masked.outputs[0].layer
    expected = run_reference(masked, codebook, x)[name]
    assert len(np.unique(expected)) > 2
    np.testing.assert_array_equal(run_reference(loaded, codebook, x)[name], expected)


def changed(network: QuantizedNetwork, **values: Any) -> QuantizedNetwork:
    """The network with other fields of its host layer."""
    return dataclasses.replace(network, layers=tuple(
        dataclasses.replace(layer, **values) if isinstance(layer, Host) else layer
        for layer in network.layers))


def test_what_no_file_can_have_is_not_written(masked: QuantizedNetwork,
                                              codebook: UniversalCodebook, tmp_path: Path) -> None:
    host = next(layer for layer in masked.layers if isinstance(layer, Host))
    long = host.steps + (HostStep("neg.default", (last(len(host.steps) - 1),), {}),) * 5000
    for network, message in (
        (changed(masked, steps=long), "steps"),
        (changed(masked, name="n" * 300), "name"),
        (changed(masked, steps=(HostStep("repeat.default", (X, [1 << 16] * 3), {}),)), "at most"),
    ):
        with pytest.raises(VqromError, match=message):
            save_network(network, tmp_path / "net.vqnet", codebook)
    assert not list(tmp_path.iterdir())
