"""Single operators between DequantizeLinear and QuantizeLinear: layers, ties, and what is refused.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.sw.importers.onnx_int8.int8_models import qdq_file, steps_apart
from vqrom_hw.errors import VqromError
from vqrom_sw.importers import read_onnx_int8
from vqrom_sw.importers.onnx.int8 import reader
from vqrom_sw.importers.onnx.int8.groups import Group
from vqrom_sw.importers.onnx.int8.values import Activation
from vqrom_sw.network import AveragePool, Conv, Layer, Pad, QuantizedNetwork, Table

SCALES = {
    "s": np.float32(0.05), "z": np.int8(3), "t": np.float32(0.08), "u": np.int8(-7),
    "us": np.float32(0.03), "uz": np.uint8(140),
    "w": np.arange(-54, 54, dtype=np.int8).reshape(4, 3, 3, 3), "ws": np.float32(0.01),
    "wz": np.int8(0), "one": np.float32(1.5), "c": np.array([[[1]], [[-2]], [[3]]], np.float32),
    "pads": np.array([0, 0, 1, 0, 0, 0, 2, 3], np.int64), "low": np.float32(-0.3),
    "high": np.float32(1.2), "row": np.ones(5, np.float32), "half": np.float32(0.025),
}
"""Constants of the small models, by name."""


def read(folder: Path, middle: str, *, scale: str = "t, u", shape: str = "N,3,5,5",
         **constants: np.ndarray | np.generic) -> tuple[QuantizedNetwork, Path]:
    """Read a model in which ``middle`` makes ``r`` of ``d``; constants are added."""
    text = f"""m (float[{shape}] x) => (float[] y) {{
        q = QuantizeLinear(x, s, z)
        d = DequantizeLinear(q, s, z)
        {middle}
        p = QuantizeLinear(r, {scale})
        y = DequantizeLinear(p, {scale})
    }}"""
    known = {name: value for name, value in {**SCALES, **constants}.items()
             if any(f"{sign}{name}{end}" in text for sign in "( " for end in ",)")}
    path = qdq_file(folder, text, {name: np.asarray(value) for name, value in known.items()})
    return read_onnx_int8(path), path


@pytest.mark.parametrize(("middle", "kind"), [
    ("r = Sigmoid(d)", Table), ("r = Clip(d, low, high)", Table), ("r = Mul(d, c)", Table),
    ("e = Sub(one, d)\n r = Relu(e)", Table), ("r = LeakyRelu<alpha: float = 0.3>(d)", Table),
    ("r = Pad(d, pads, low)", Pad),
    ("r = AveragePool<kernel_shape: ints = [2, 2]>(d)", Conv),
    ("v = DequantizeLinear(w, ws, wz)\n e = Conv(d, v)\n r = Clip(e, low, high)", Conv),
    ("v = DequantizeLinear(w, ws, wz)\n r = Conv<auto_pad = \"SAME_LOWER\", "
     "strides: ints = [2, 2]>(d, v)", Conv),
    ("r = Identity(d)", Table),
])
def test_layer_of_an_operator(tmp_path: Path, middle: str, kind: type[Layer]) -> None:
    for scale in ("t, u", "us, uz"):
        network, path = read(tmp_path, middle, scale=scale)
        assert isinstance(network.layers[-1], kind)
        # A single layer is off by a step at most; a table never.
        assert steps_apart(network, path) < (0.01 if kind is Table else 1.01)


def test_an_average_of_one_quantisation(tmp_path: Path) -> None:
    network, path = read(tmp_path, "r = AveragePool<kernel_shape: ints = [2, 2], "
                         "pads: ints = [1, 1, 0, 0]>(d)", scale="s, z")
    assert [type(layer) for layer in network.layers] == [AveragePool]
    assert steps_apart(network, path) < 1.01


@pytest.mark.parametrize(("middle", "reason"), [
    ("r = Mul(d, row)", r"node '\w+' \(Mul\): constants must be one number, or one for each"),
    ("e = Relu(d)\n r = Softmax<axis: int = 0>(e)", r"\(Relu\): its result must be quantised"),
    ("r = Softmax<axis: int = 0>(d)", r"\(Softmax\): axis must not be that of the images"),
    ("r = Pad<mode = \"reflect\">(d, pads)", r"\(Pad\): .*mode must be constant, not 'reflect'"),
    ("r = InstanceNormalization(d, ones, ones)", r"\(InstanceNormalization\): the operator has no"),
    ("v = DequantizeLinear(w, ws, odd)\n r = Conv(d, v)", r"\(Conv\): weights must be int8"),
    ("r = ReduceMean<axes: ints = [1]>(d)", r"\(ReduceMean\): axes must be height and width"),
    ("e = DequantizeLinear(q, half, z)\n r = Relu(e)", r"\(DequantizeLinear\): must have the"),
    ("r = Transpose<perm: ints = [1, 0, 2, 3]>(d)", r"\(Transpose\): perm must leave the images"),
])
def test_refused_by_name(tmp_path: Path, middle: str, reason: str) -> None:
    with pytest.raises(VqromError, match=reason) as caught:
        read(tmp_path, middle, ones=np.ones(3, np.float32), odd=np.int8(100))
    assert "\n" not in str(caught.value) and "model.onnx" in str(caught.value)


@pytest.mark.parametrize("bias", ["", ", bias"])
def test_a_convolution_of_integers(tmp_path: Path, bias: str) -> None:
    path = qdq_file(tmp_path, f"""m (float[N,3,5,5] x) => (float[] y) {{
        q = QuantizeLinear(x, s, z)
        p = QLinearConv<pads: ints = [1, 1, 1, 1]>(q, s, z, w, ws, wz, us, uz{bias})
        y = DequantizeLinear(p, us, uz)
    }}""", {**{name: np.asarray(SCALES[name]) for name in ("s", "z", "w", "ws", "wz")},
            "us": np.array(0.9, np.float32), "uz": np.array(-5, np.int8),
            **({"bias": np.array([9, -400, 7, 3000], np.int32)} if bias else {})})
    network = read_onnx_int8(path)
    (layer,) = network.layers
    assert isinstance(layer, Conv) and layer.padding == (1, 1, 1, 1)
    assert layer.bias.tolist() == ([9, -400, 7, 3000] if bias else [0] * 4)
    assert steps_apart(network, path) < 1.01


def test_a_wrong_layer_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = reader.OPERATORS["Conv"]

    def wrong(group: Group) -> Activation:
        made = right(group)
        layer = group.layers.layers[-1]
        assert isinstance(layer, Conv)
        group.layers.layers[-1] = replace(layer, bias=layer.bias + 40)
        return made

    monkeypatch.setitem(reader.OPERATORS, "Conv", wrong)
    with pytest.raises(VqromError, match=r"layer 'r' must give onnxruntime's integers but for"):
        read(tmp_path, "v = DequantizeLinear(w, ws, wz)\n r = Conv(d, v)")


def test_integers_of_16_bits_are_refused(tmp_path: Path) -> None:
    with pytest.raises(VqromError, match=r"\(Relu\): activations must be int8 .*not uint16"):
        read(tmp_path, "r = Relu(d)", scale="t, wide", wide=np.uint16(5))


def test_a_wrong_bias_scale_is_refused(tmp_path: Path) -> None:
    middle = ("v = DequantizeLinear(w, ws, wz)\n b = DequantizeLinear(bias, half)\n"
              " r = Conv(d, v, b)")
    with pytest.raises(VqromError, match="the bias must have the scale of the input times"):
        read(tmp_path, middle, bias=np.arange(4, dtype=np.int32))
