"""Readings that are wrong on purpose: the comparison with LiteRT finds them, and says where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tflite
import torch
from torch import nn

from tests.sw.importers.tflite.tflite_models import ModelBuilder, litert_outputs
from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import Requantization
from vqrom_sw.importers import capture, read_tflite, read_tflite_int8
from vqrom_sw.importers.imported_module import Call
from vqrom_sw.importers.tflite import convolution, float_operators, functions, int8_operators
from vqrom_sw.importers.tflite.float_node import FloatNode, Part
from vqrom_sw.importers.tflite.source import TfliteOperator
from vqrom_sw.importers.tflite.values import Int8Network, TfliteValue
from vqrom_sw.network import Table

IMAGE = (1, 5, 4, 3)
RNG = np.random.default_rng(0)


def float_model(path: Path, *kinds: str) -> Path:
    model = ModelBuilder()
    source = last = model.tensor(IMAGE, dtype="float32")
    for kind in kinds:
        result = model.tensor(IMAGE, dtype="float32")
        fields: dict[str, Any] = {"Alpha": 0.2} if kind == "LEAKY_RELU" else {}
        model.operator(kind, [last], result, "LeakyReluOptions" if fields else "", **fields)
        last = result
    return model.save(path, source, last)


def int8_model(path: Path, *kinds: str) -> Path:
    model = ModelBuilder()
    source = last = model.tensor(IMAGE, 0.04, 3)
    for kind in kinds:
        result = model.tensor(IMAGE, 1 / 256 if kind == "LOGISTIC" else 0.03,
                              -128 if kind == "LOGISTIC" else 5)
        model.operator(kind, [last], result)
        last = result
    return model.save(path, source, last)


@pytest.mark.parametrize("wrong", [
    lambda x: torch.tanh(x) * 1.001, lambda x: torch.tanh(x).flip(1), torch.sigmoid,
    lambda x: torch.tanh(x - x.mean(0))])
def test_float_reading_that_is_wrong(wrong: Callable[[torch.Tensor], torch.Tensor],
                                     tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = float_model(tmp_path / "net.tflite", "LEAKY_RELU", "TANH", "ABS")
    read_tflite(path)
    monkeypatch.setitem(float_operators.OPERATORS, "TANH", lambda node: node.part(Call(wrong)))
    with pytest.raises(VqromError, match=r"net\.tflite.*tensor 'tanh_1' must be what LiteRT"):
        read_tflite(path)


def test_float_result_of_several_that_is_wrong(tmp_path: Path,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    model = ModelBuilder()
    source = model.tensor((1, 5, 4), dtype="float32")
    results = [model.tensor((1, 5, 2), dtype="float32") for _ in range(2)]
    axis = model.constant(np.array(2, np.int32))
    model.operator("SPLIT", [axis, source], results, "SplitOptions", NumSplits=2)
    path = model.save(tmp_path / "net.tflite", source, results)
    read_tflite(path)

    def wrong(node: FloatNode) -> Part:
        node.option("SplitOptions", "numSplits")
        part = Call(lambda x: (x[..., :2], x[..., 1:3]))
        return Part((part,), (node.data(1),), True)

    monkeypatch.setitem(float_operators.OPERATORS, "SPLIT", wrong)
    with pytest.raises(VqromError, match=r"tensor 'split_0\.1' must be what LiteRT"):
        read_tflite(path)


def test_option_that_nobody_asks_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(node: FloatNode) -> Part:
        return node.part(nn.LeakyReLU(0.2))

    path = float_model(tmp_path / "net.tflite", "LEAKY_RELU")
    monkeypatch.setitem(float_operators.OPERATORS, "LEAKY_RELU", careless)
    with pytest.raises(VqromError, match=r"operator 0 \(LEAKY_RELU\): option alpha must not be"):
        read_tflite(path)


def test_int8_reading_that_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A single entry that differs by 1 is found, and so is the layer that it is in."""
    right = functions.by_float

    def wrong(*arguments: Any) -> np.ndarray:
        table = right(*arguments)
        table[130] += 1
        return table

    path = int8_model(tmp_path / "net.tflite", "TANH", "LOGISTIC")
    read_tflite_int8(path)
    monkeypatch.setattr(functions, "by_float", wrong)
    with pytest.raises(VqromError, match=r"operator 'tanh_0' must give LiteRT's bytes .*by 1 at"):
        read_tflite_int8(path)


def test_layer_that_reads_another_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = int8_operators.OPERATORS["LOGISTIC"]

    def wrong(model: Int8Network, operator: TfliteOperator) -> TfliteValue:
        value = right(model, operator)
        assert isinstance(value, TfliteValue)
        model.layers[-1] = replace(model.layers[-1], inputs=("input",))
        return value

    path = int8_model(tmp_path / "net.tflite", "TANH", "LOGISTIC")
    monkeypatch.setitem(int8_operators.OPERATORS, "LOGISTIC", wrong)
    with pytest.raises(VqromError, match="operator 'logistic_1' must give LiteRT's bytes"):
        read_tflite_int8(path)


def linear_model(path: Path) -> Path:
    model = ModelBuilder()
    source, result = model.tensor((1, 400), 0.04, 3), model.tensor((1, 90), 0.5, 0)
    weights = RNG.integers(-127, 128, (90, 400)).astype(np.int8)
    model.operator("FULLY_CONNECTED", [source, model.constant(weights, 0.01)], result,
                   "FullyConnectedOptions")
    return model.save(path, source, result)


def test_linear_layer_with_multipliers_that_are_not_the_best(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outputs differ by 1 at most, which only the best multipliers may."""
    right = convolution.quantize_multiplier_once

    def wrong(*arguments: Any) -> Requantization:
        scale = right(*arguments)
        return replace(scale, multiplier=(scale.multiplier * 1.002).astype(np.int32))

    path = linear_model(tmp_path / "net.tflite")
    read_tflite_int8(path)
    monkeypatch.setattr(convolution, "quantize_multiplier_once", wrong)
    with pytest.raises(VqromError, match=r"operator 'fully_connected_0' must .* by 1 at most"):
        read_tflite_int8(path)


@pytest.mark.parametrize("steps_first", [False, True])
def test_lstm(steps_first: bool, tmp_path: Path) -> None:
    """Fifteen weights and two states, which begin with 0 for each image."""
    model = ModelBuilder()
    shape = (7, 1, 5) if steps_first else (1, 7, 5)
    source = model.tensor((1, 7, 5), dtype="float32")
    given = model.tensor(shape, dtype="float32")
    if steps_first:
        model.operator("TRANSPOSE", [source, model.constant(np.array([1, 0, 2], np.int32))], given,
                       "TransposeOptions")
    matrices = [model.constant(RNG.standard_normal((6, size)).astype(np.float32) * 0.4)
                for size in (5, 5, 5, 5, 6, 6, 6, 6)]
    biases = [model.constant(RNG.standard_normal(6).astype(np.float32)) for _ in range(4)]
    states = [model.tensor((1, 6), dtype="float32", variable=True) for _ in range(2)]
    inputs = [given if steps_first else source, *matrices, -1, -1, -1, *biases, -1, -1, *states]
    result = model.tensor((*shape[:2], 6), dtype="float32")
    model.operator("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, result,
                   "UnidirectionalSequenceLSTMOptions", TimeMajor=steps_first, CellClip=0.8,
                   FusedActivationFunction=tflite.ActivationFunctionType.TANH)
    path = model.save(tmp_path / "net.tflite", source, result)
    x = RNG.standard_normal((4, 7, 5)).astype(np.float32)
    source = read_tflite(path)
    found = source.module(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(found, litert_outputs(path, x)[0], rtol=1e-5, atol=1e-5)
    assert capture(source.module, torch.zeros(source.input_shape), "lstm").outputs


def test_table_of_all_inputs_is_what_the_layer_holds(tmp_path: Path) -> None:
    (layer,) = read_tflite_int8(int8_model(tmp_path / "net.tflite", "TANH")).layers
    assert isinstance(layer, Table) and layer.table.shape == (1, 256)
