"""Operators in forms that the standard's own tests lack; reading compares with onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.version_converter
import pytest
import torch

from tests.sw.importers.onnx_models import node, normal, save
from vqrom_hw.errors import VqromError
from vqrom_sw.importers import read_onnx
from vqrom_sw.importers.onnx.operators import OPERATORS, REFUSED

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}

RECURRENT: dict[str, tuple[str, dict[str, Any], str]] = {
    "lstm": ("LSTM", {}, "b _ h c"), "lstm backwards": ("LSTM", {"direction": "reverse"}, "b"),
    "lstm both": ("LSTM", {"direction": "bidirectional"}, "b _ h c"),
    "lstm peepholes": ("LSTM", {}, "b _ h c p"), "lstm from zero": ("LSTM", {}, "b _ _ _ p"),
    "lstm coupled": ("LSTM", {"input_forget": 1}, "b _ h c"),
    "lstm clipped": ("LSTM", {"clip": 0.5}, "b _ h c"),
    "gru": ("GRU", {}, "b"), "gru after": ("GRU", {"linear_before_reset": 1}, "b _ h"),
    "gru before": ("GRU", {}, "b _ h"), "gru both": ("GRU", {"direction": "bidirectional"}, "b"),
    "rnn": ("RNN", {}, "b _ h"), "rnn relu": ("RNN", {"activations": ["Relu"]}, "b"),
    "no bias": ("RNN", {}, ""),
}
"""Operator, attributes, and inputs after the weights."""


def recurrent_model(path: Path, name: str) -> Path:
    """A recurrent layer over the rows of an input; all its results are joined in the output."""
    kind, attributes, more = RECURRENT[name]
    count, size, gates = 1 + ("both" in name), 5, GATES[kind]
    constants = {"w": normal(count, gates * size, 4),
                 "r": normal(count, gates * size, size, seed=1),
                 "b": normal(count, 2 * gates * size, seed=2), "h": normal(count, 1, size, seed=3),
                 "c": normal(count, 1, size, seed=4), "p": normal(count, 3 * size, seed=5)}
    used = {key: value for key, value in constants.items() if key in f"w r {more}".split()}
    states = [key for key in ("h", "c") if key in used]
    nodes = [node("Transpose", "x", "t", perm=[1, 0, 2])]
    nodes += [node("Shape", "x", "n", start=0, end=1),
              node("Concat", "one n one", "m", axis=0)] if states else []
    nodes += [node("Tile", f"{key} m", f"{key}n") for key in states]
    given = " ".join(f"{key}n" if key in states else key for key in more.split())
    nodes += [node(kind, f"t w r {given}", "all last", hidden_size=size, **attributes),
              node("Unsqueeze", "last zero", "end"), node("Concat", "all end", "j", axis=0),
              node("Transpose", "j", perm=[2, 0, 1, 3])]
    return save(path, nodes, ["n", 3, 4], used | {"zero": np.array([0]), "one": np.array([1])})


@pytest.mark.parametrize("name", RECURRENT)
def test_recurrent_layers(name: str, tmp_path: Path) -> None:
    module = read_onnx(recurrent_model(tmp_path / "net.onnx", name)).module
    count = 1 + ("both" in name)
    assert module(torch.zeros(2, 3, 4)).shape == (2, 4, count, 5)


def test_lstm_is_pytorchs(tmp_path: Path) -> None:
    """Gates are in the order that the standard has, which is not PyTorch's."""
    torch.manual_seed(1)
    lstm = torch.nn.LSTM(4, 5)
    order = torch.cat([torch.arange(5) + 5 * gate for gate in (0, 3, 1, 2)])
    held = {name: value.detach()[order].numpy() for name, value in lstm.named_parameters()}
    nodes = [node("Transpose", "x", "t", perm=[1, 0, 2]),
             node("LSTM", "t w r b", "all", hidden_size=5), node("Squeeze", "all one", "s"),
             node("Transpose", "s", perm=[1, 0, 2])]
    path = save(tmp_path / "net.onnx", nodes, ["n", 3, 4], {
        "w": held["weight_ih_l0"][None], "r": held["weight_hh_l0"][None], "one": np.array([1]),
        "b": np.concatenate([held["bias_ih_l0"], held["bias_hh_l0"]])[None]})
    x = torch.from_numpy(normal(2, 3, 4))
    expected = lstm(x.transpose(0, 1))[0].transpose(0, 1)
    torch.testing.assert_close(read_onnx(path).module(x), expected)


MORE: dict[str, tuple[list[onnx.NodeProto], list[Any], Mapping[str, Any]]] = {
    "attention": ([node("Attention", "x x x", q_num_heads=2, kv_num_heads=2, is_causal=1)],
                  ["n", 5, 8], {}),
    "attention with mask": ([node("Attention", "x x x m", q_num_heads=4, kv_num_heads=4,
                                  scale=0.3, softcap=2.0)], ["n", 5, 8], {"m": normal(5, 5)}),
    "pool of one axis": ([node("MaxPool", "x", kernel_shape=[3], strides=[2], pads=[1, 0],
                               ceil_mode=1)], ["n", 3, 9], {}),
    "average, padding far": ([node("AveragePool", "x", kernel_shape=[3, 2], pads=[2, 1, 2, 1])],
                             ["n", 3, 6, 6], {}),
    "average, dilated": ([node("AveragePool", "x", kernel_shape=[2, 2], dilations=[2, 3],
                               ceil_mode=1, strides=[2, 2])], ["n", 3, 9, 9], {}),
    "average, uneven": ([node("AveragePool", "x", kernel_shape=[3, 3], pads=[0, 1, 1, 0],
                              count_include_pad=1, strides=[2, 2])], ["n", 3, 8, 8], {}),
    "transposed, uneven": ([node("ConvTranspose", "x w", pads=[0, 1, 1, 0], strides=[2, 2],
                                 output_padding=[1, 0])], ["n", 3, 5, 5],
                           {"w": normal(3, 2, 3, 3)}),
    "transposed, groups": ([node("ConvTranspose", "x w b", group=2, dilations=[1, 2])],
                           ["n", 4, 5, 5], {"w": normal(4, 3, 2, 3), "b": normal(6)}),
    "nearest": ([node("Resize", "x _ s", coordinate_transformation_mode="asymmetric",
                      nearest_mode="floor")], ["n", 3, 4, 5],
                {"s": np.array([1, 1, 2, 3], np.float32)}),
    "linear": ([node("Resize", "x _ _ s", mode="linear")], ["n", 3, 4, 5],
               {"s": np.array([1, 3, 7, 9])}),
    "mirror of channels": ([node("Pad", "x p", mode="reflect")], ["n", 4, 5],
                           {"p": np.array([0, 1, 2, 0, 2, 0])}),
    "slope of everything": ([node("PRelu", "x s")], ["n", 3, 4, 5], {"s": normal(3, 4, 5)}),
    "slope of channels": ([node("PRelu", "x s")], ["n", 3, 4, 5], {"s": normal(3, 1, 1)}),
    "product on the left": ([node("MatMul", "w x")], ["n", 4, 5], {"w": normal(6, 4)}),
    "products of many": ([node("MatMul", "x w")], ["n", 3, 4, 5], {"w": normal(3, 5, 2)}),
    "masked": ([node("Less", "x l", "m"), node("Where", "m l x")], ["n", 3, 4],
               {"l": np.float32(0.25)}),
    "neighbourhood": ([node("LRN", "x", size=5, alpha=0.5, bias=2.0)], ["n", 7, 3, 3], {}),
    "places of two axes": ([node("Gather", "x i", axis=1)], ["n", 4, 5],
                           {"i": np.array([[0, -1], [2, 2]])}),
}
"""Nodes, shape of the input, and constants."""


@pytest.mark.parametrize("name", MORE)
def test_more_forms(name: str, tmp_path: Path) -> None:
    nodes, shape, constants = MORE[name]
    version = 23 if nodes[0].op_type == "Attention" else 21
    imported = read_onnx(save(tmp_path / "net.onnx", nodes, shape, constants, version))
    assert imported.evaluator is not None
    x = normal(4, *shape[1:], seed=9)
    np.testing.assert_allclose(imported.module(torch.from_numpy(x)).numpy(),
                               imported.evaluator.outputs(x)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("attributes", [
    {"coordinate_transformation_mode": "tf_crop_and_resize"}, {"antialias": 1, "mode": "linear"},
    {"keep_aspect_ratio_policy": "other"}, {"nearest_mode": "other"}])
def test_forms_that_are_refused(attributes: dict[str, Any], tmp_path: Path) -> None:
    path = save(tmp_path / "net.onnx", [node("Resize", "x _ s", **attributes)], ["n", 1, 4, 4],
                {"s": np.array([1, 1, 2, 2], np.float32)})
    with pytest.raises(VqromError, match=rf"\(Resize\): {next(iter(attributes))} must be"):
        read_onnx(path)


def old_model(path: Path, kind: str, shape: list[int], operand: np.ndarray, **attributes: Any
              ) -> Path:
    """A model of operator set 6, which onnxruntime does not run."""
    return save(path, [node(kind, "x b", **attributes)], ["n", *shape], {"b": operand}, 6)


def test_old_broadcasting_is_by_channel(tmp_path: Path) -> None:
    """As many channels as columns: numpy's rules would take the columns."""
    x = torch.from_numpy(normal(2, 4, 3, 4))
    operand = normal(4)
    by_channel = torch.from_numpy(operand)[:, None, None]
    path = old_model(tmp_path / "net.onnx", "Mul", [4, 3, 4], operand, broadcast=1, axis=1)
    torch.testing.assert_close(read_onnx(path).module(x), x * by_channel)
    path = old_model(tmp_path / "net.onnx", "PRelu", [4, 3, 4], operand)
    torch.testing.assert_close(read_onnx(path).module(x), torch.where(x < 0, by_channel * x, x))
    path = old_model(tmp_path / "net.onnx", "Mul", [4, 3, 4], operand, broadcast=1)
    torch.testing.assert_close(read_onnx(path).module(x), x * torch.from_numpy(operand))


def test_operators_are_those_of_the_standard() -> None:
    known = {schema.name for schema in onnx.defs.get_all_schemas() if schema.domain == ""}
    assert set(OPERATORS) <= known and set(REFUSED) <= known
    assert not set(OPERATORS) & set(REFUSED)
