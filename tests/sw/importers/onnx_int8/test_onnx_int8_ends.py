"""Networks of integers whose outputs nothing quantises."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.sw.importers.onnx_int8.int8_models import qdq_file, steps_apart
from vqrom_hw.errors import VqromError
from vqrom_sw.importers import read_onnx_int8
from vqrom_sw.network import Host, Table

CONSTANTS = {"s": np.float32(0.05), "z": np.int8(3), "flat": np.array([0, -1], np.int64),
             "w": np.arange(-60, 60, dtype=np.int8).reshape(24, 5), "zero": np.int8(0)}


def ends_with(folder: Path, end: str, outputs: str = "float[] y") -> Path:
    """Write a model of one vector of 24 numbers, dequantised as ``d``, with an end of its own."""
    text = f"""m (float[N,24] x) => ({outputs}) {{
        q = QuantizeLinear(x, s, z)
        d = DequantizeLinear(q, s, z)
        {end}
    }}"""
    return qdq_file(folder, text, {name: np.asarray(value) for name, value in CONSTANTS.items()})


@pytest.mark.parametrize(("end", "kind", "scale", "zero_point"), [
    ("y = Softmax(d)", Host, 1 / 256, -128), ("y = Sigmoid(d)", Table, 1 / 256, -128),
    ("y = HardSigmoid(d)", Table, 1 / 256, -128), ("y = Tanh(d)", Table, 1 / 128, 0),
    ("r = Sigmoid(d)\n y = Reshape(r, flat)", Table, 1 / 256, -128),
])
def test_ends_with_a_range(tmp_path: Path, end: str, kind: type, scale: float, zero_point: int
                           ) -> None:
    """The file itself has no such steps, so that the difference is that of a rounding."""
    path = ends_with(tmp_path, end)
    network = read_onnx_int8(path)
    layer = network.layers[-1]
    assert isinstance(layer, kind) and network.outputs[0].name == "y"
    result = network.quantization_of(layer.name)
    assert (result.scale, result.zero_point) == (scale, zero_point)
    assert steps_apart(network, path) < 1.01


def test_each_output_has_an_end_of_its_own(tmp_path: Path) -> None:
    network = read_onnx_int8(ends_with(tmp_path, "a = Tanh(d)\n b = Softmax(d)\n c = Identity(d)\n"
                                       "k = Sigmoid(d)", "float[] a, float[] b, float[] k"))
    assert [output.name for output in network.outputs] == ["a", "b", "k"]


@pytest.mark.parametrize(("end", "reason"), [
    ("v = DequantizeLinear(w, s, zero)\n y = MatMul(d, v)",
     r"\(MatMul\): its result must be quantised: QuantizeLinear must follow, not an output"),
    ("y = Exp(d)", r"\(Exp\): its result must be quantised"),
])
def test_ends_without_a_range_are_refused(tmp_path: Path, end: str, reason: str) -> None:
    with pytest.raises(VqromError, match=reason):
        read_onnx_int8(ends_with(tmp_path, end))
