"""Int8 TFLite models under Verilator: every byte of every layer is LiteRT's, every cycle the
model's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.random_networks import random_codebook
from tests.sim.engines.engine_checks import TINY, check_network
from tests.sw.importers.tflite.test_tflite_int8 import real_inputs
from tests.sw.importers.tflite.tflite_models import differing
from vqrom_sim.engines.rtl.engine import RtlRun
from vqrom_sw.importers import read_tflite_int8
from vqrom_sw.network import QuantizedNetwork, Softmax, image_output

LAYERS = {"ds_cnn_kws": 11, "resnet8": 14}
"""Layers of each model without the softmax at its end, which is the host's."""


def model_file(folder: Path, name: str) -> Path:
    return folder / "mlperf_tiny" / f"{name}_int8.tflite"


def run(network: QuantizedNetwork, count: int, inputs: np.ndarray) -> RtlRun:
    """The first layers under Verilator; only the output of the last of them leaves the chip."""
    layers = network.layers[:count]
    part = replace(network, layers=layers, outputs=(image_output(layers[-1]),))
    # No layer has indices: any codebook does.
    return check_network(part, random_codebook(TINY), TINY, inputs.transpose(0, 3, 1, 2))


@pytest.mark.parametrize("name", LAYERS)
def test_whole_network(data_folder: Path, name: str) -> None:
    path = model_file(data_folder, name)
    network, inputs = read_tflite_int8(path), real_inputs(data_folder, name, 2)
    kinds = [isinstance(layer, Softmax) for layer in network.layers]
    assert kinds == [False] * LAYERS[name] + [True]
    assert not any(differing(path, network, inputs).values())
    ran = run(network, LAYERS[name], inputs)
    assert (ran.outputs[0] != ran.outputs[1]).any()
    assert ran.total["raw_weight_beats"] > 0 and ran.total["index_beats"] == 0


@pytest.mark.parametrize(("name", "count"), [
    (name, count) for name, layers in LAYERS.items() for count in range(1, layers)])
def test_every_layer(data_folder: Path, name: str, count: int) -> None:
    network = read_tflite_int8(model_file(data_folder, name))
    run(network, count, real_inputs(data_folder, name, 1))
