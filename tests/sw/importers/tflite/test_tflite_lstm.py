"""The integer LSTM of TFLite: every byte is LiteRT's, in memory and through a file; or refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.sw.importers.tflite.tflite_models import ModelBuilder, litert_outputs
from vqrom_hw.config import load_config
from vqrom_hw.errors import VqromError
from vqrom_sw.compiler import host_reason
from vqrom_sw.formats import load_network, save_network
from vqrom_sw.importers import read_tflite_int8
from vqrom_sw.network import Lstm, QuantizedNetwork
from vqrom_sw.reference import outputs_of, run_reference

OPTIONS = "UnidirectionalSequenceLSTMOptions"


def model(path: Path, steps: int = 5, channels: int = 6, units: int = 7, *,
          cell: float = 2.0**-11, hidden: int = -4, clip: float = 0.0, steps_first: bool = False,
          activation: int = 4, left_out: int = -1, bias: str = "int32") -> Path:
    """Write a file of one LSTM with random weights whose gates are neither closed nor open."""
    random, net = np.random.default_rng(steps + channels), ModelBuilder()
    source = net.tensor((1, steps, channels), 0.02, 11)
    weights = [net.constant(random.integers(-127, 128, (units, size)).astype(np.int8), scale)
               for size, scale in ((channels, 0.011), (units, 0.013)) for _ in range(4)]
    biases = [net.constant(random.integers(-3000, 3000, units).astype(bias), 0.00022)
              for _ in range(4)]
    states = [net.tensor((1, units), 0.0078, -4, variable=True),
              net.tensor((1, units), cell, dtype="int16", variable=True)]
    within = [net.tensor((0,), dtype="float32") for _ in range(4)]
    within.append(net.tensor((0,), 0.0078, hidden))
    result = net.tensor((1, steps, units), 0.0078, -4)
    inputs = [source, *weights, -1, -1, -1, *biases, -1, -1, *states, -1, -1, -1, -1]
    if left_out >= 0:
        inputs[left_out] = -1
    net.operator("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, result, OPTIONS, within,
                 FusedActivationFunction=activation, CellClip=clip, TimeMajor=steps_first)
    return net.save(path / "lstm.tflite", source, result)


def output(network: QuantizedNetwork, inputs: np.ndarray) -> np.ndarray:
    whole, = outputs_of(network, run_reference(network, None, inputs))
    return whole


@pytest.mark.parametrize("options", [
    {}, {"cell": 2.0**-12}, {"cell": 2.0**-15, "clip": 0.4}, {"clip": 0.25, "cell": 2.0**-9},
    {"steps": 1}, {"steps": 9, "channels": 33, "units": 20}])
def test_every_byte(options: dict[str, Any], tmp_path: Path) -> None:
    path = model(tmp_path, **options)
    network = read_tflite_int8(path)
    layer, = network.layers
    assert isinstance(layer, Lstm) and layer.shape == (options.get("steps", 5), 1, layer.units)
    inputs = np.random.default_rng(1).integers(-128, 128, (4, *network.input_shape))
    inputs = inputs.astype(np.int8)
    expected, = litert_outputs(path, inputs)
    found = output(network, inputs)
    np.testing.assert_array_equal(found.reshape(4, -1), expected.reshape(4, -1))
    assert len(np.unique(found)) > 15
    save_network(network, tmp_path / "net.vqnet", None)
    np.testing.assert_array_equal(output(load_network(tmp_path / "net.vqnet"), inputs), found)


def test_is_the_hosts_with_its_products(tmp_path: Path) -> None:
    network = read_tflite_int8(model(tmp_path))
    layer, = network.layers
    assert host_reason(layer, network, load_config("tiny"))
    assert network.weights_of(layer) == 4 * 7 * (6 + 7)
    assert network.macs_of(layer) == 5 * 4 * 7 * (6 + 7)


@pytest.mark.parametrize(("options", "message"), [
    ({"activation": 1}, "activation must be TANH"), ({"left_out": 1}, "must have four gates"),
    ({"steps_first": True}, "timeMajor must be false"),
    ({"cell": 0.0004}, "scale of the cell state must be a power of two"),
    ({"cell": 2.0**-8}, "scale of the cell state must be a power of two"),
    ({"hidden": 3}, "output and state must have one quantisation")])
def test_refused_by_name(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(VqromError, match=rf"\(UNIDIRECTIONAL_SEQUENCE_LSTM\): .*{message}"):
        read_tflite_int8(model(tmp_path, **options))
