"""Functions of single numbers: all 256 inputs, at many scales, against LiteRT's kernels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.sw.importers.tflite.tflite_models import ModelBuilder, litert_outputs
from vqrom_sw.importers import read_tflite_int8
from vqrom_sw.reference import run_reference

ALL = np.arange(-128, 128).astype(np.int8).reshape(1, 16, 1, 16)

FUNCTIONS = {
    "LOGISTIC": {}, "TANH": {}, "HARD_SWISH": {}, "ELU": {}, "RELU": {}, "RELU6": {},
    "RELU_N1_TO_1": {}, "RELU_0_TO_1": {}, "EXP": {}, "GELU": {"Approximate": False},
    "GELU by tanh": {"Approximate": True}, "LEAKY_RELU": {"Alpha": 0.1},
    "LEAKY_RELU below 0": {"Alpha": -0.7}, "LEAKY_RELU above 1": {"Alpha": 1.7}, "QUANTIZE": {}}
"""Operators and their options."""

GROUPS = {"GELU": "GeluOptions", "LEAKY_RELU": "LeakyReluOptions", "QUANTIZE": "QuantizeOptions",
          "HARD_SWISH": "HardSwishOptions"}

NO_REFERENCE = ("ELU",)
"""Operators that have no reference kernel in LiteRT."""


def scales(kind: str, count: int = 40) -> list[tuple[float, int, float, int]]:
    """Random scales and zero points of input and output."""
    random = np.random.default_rng(sum(map(ord, kind)))
    found = []
    for _ in range(count):
        scale = float(np.float32(np.exp(random.uniform(np.log(0.003), np.log(0.3)))))
        factor = random.uniform(1.1, 40) if kind == "HARD_SWISH" else random.uniform(0.3, 3)
        out = (1 / 256, -128) if kind == "LOGISTIC" else (
            float(np.float32(scale / 128 * factor if kind == "HARD_SWISH" else scale * factor)),
            int(random.integers(-128, 128)))
        found.append((scale, int(random.integers(-128, 128)), *out))
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gives_every_byte_of_every_input(name: str, tmp_path: Path) -> None:
    """One model has the function many times, at different scales, each of which is an output."""
    kind = name.split(" ")[0]
    for place, (scale, zero, out_scale, out_zero) in enumerate(scales(kind)):
        model = ModelBuilder()
        source = model.tensor(ALL.shape, scale, zero)
        result = model.tensor(ALL.shape, out_scale, out_zero)
        model.operator(kind, [source], result, GROUPS.get(kind, ""), **FUNCTIONS[name])
        path = model.save(tmp_path / f"net{place}.tflite", source, result)
        network = read_tflite_int8(path)
        found = run_reference(network, None, ALL)[network.outputs[0].layer]
        expected = litert_outputs(path, ALL, kind not in NO_REFERENCE)[0]
        np.testing.assert_array_equal(found.reshape(-1), expected.reshape(-1),
                                      f"{scale}, {zero} to {out_scale}, {out_zero}")


@pytest.mark.parametrize("shape", [(16,), (1, 1, 16), (1,)])
def test_prelu_by_channel(shape: tuple[int, ...], tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    inputs = np.repeat(np.arange(-128, 128).astype(np.int8)[:, None], 16, 1).reshape(1, 256, 1, 16)
    for scale, zero, out_scale, out_zero in scales("PRELU", 20):
        model = ModelBuilder()
        source = model.tensor(inputs.shape, scale, zero)
        slopes = model.tensor(shape, 0.01, int(random.integers(-20, 20)),
                              data=random.integers(-128, 128, shape).astype(np.int8))
        result = model.tensor(inputs.shape, out_scale, out_zero)
        model.operator("PRELU", [source, slopes], result)
        path = model.save(tmp_path / "net.tflite", source, result)
        network = read_tflite_int8(path)
        found = run_reference(network, None, inputs)["prelu_0"]
        np.testing.assert_array_equal(found, litert_outputs(path, inputs)[0])
