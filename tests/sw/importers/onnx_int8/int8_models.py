"""Quantised ONNX models as onnxruntime makes them of PyTorch modules and small graphs."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.numpy_helper
import onnx.parser
import onnxruntime
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from torch import nn

from vqrom_sw.network import QuantizedNetwork
from vqrom_sw.reference import dequantize, outputs_of, quantize_input, run_reference


class Calibration(CalibrationDataReader):
    """Gives random inputs of one name and shape."""

    def __init__(self, name: str, shape: tuple[int, ...]):
        random = np.random.default_rng(0)
        self._left = [{name: random.standard_normal(shape).astype(np.float32)} for _ in range(4)]

    def get_next(self) -> dict[str, np.ndarray] | None:  # type: ignore[override]
        """The next input, or None."""
        return self._left.pop() if self._left else None


def quantized_file(folder: Path, module: nn.Module, shape: tuple[int, ...], *,
                   unsigned: bool = False, per_channel: bool = False, batch: bool = True,
                   **options: Any) -> Path:
    """Export a module, quantise it, and return the file.

    Parameters
    ----------
    folder:
        Where files are written.
    module, shape:
        The module, and the shape of one input.
    unsigned:
        Whether activations are uint8.
    per_channel:
        Whether weights have a scale for each output channel.
    batch:
        Whether the file takes any number of images.
    options:
        Further ones of ``quantize_static``.
    """
    plain, made = folder / "float.onnx", folder / "int8.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # The old exporter, whose files are the most common.
        torch.onnx.export(module.eval(), (torch.zeros(shape),), str(plain), dynamo=False,
                          opset_version=17, input_names=["x"],
                          dynamic_axes={"x": {0: "n"}} if batch else None)
    quantize_static(
        str(plain), str(made), Calibration("x", shape), quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8 if unsigned else QuantType.QInt8,
        weight_type=QuantType.QInt8, per_channel=per_channel, **options)
    return made


def computed(path: Path, x: np.ndarray) -> list[np.ndarray]:
    """What onnxruntime computes without optimisations, image by image."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options)
    name = session.get_inputs()[0].name
    runs = [session.run(None, {name: x[place:place + 1]}) for place in range(len(x))]
    return [np.concatenate([np.asarray(part) for part in parts])
            for parts in zip(*runs, strict=True)]


def found(network: QuantizedNetwork, x: np.ndarray) -> list[np.ndarray]:
    """What a network gives in float for inputs as the file takes them."""
    results = run_reference(network, None, quantize_input(network, x))
    return [dequantize(network, output, number)
            for number, output in enumerate(outputs_of(network, results))]


def steps_apart(network: QuantizedNetwork, path: Path, batch: int = 4) -> float:
    """Greatest difference of a network's outputs from onnxruntime's, in steps of each output."""
    x = np.random.default_rng(5).standard_normal(
        (batch, *network.input_native.sizes)).astype(np.float32)
    most = 0.0
    for output, one, other in zip(network.outputs, found(network, x), computed(path, x),
                                  strict=True):
        assert one.shape == other.shape
        scale = network.quantization_of(output.layer).scale
        most = max(most, float(np.abs(one - other).max()) / scale)
    return most


def qdq_file(folder: Path, text: str, constants: dict[str, np.ndarray]) -> Path:
    """Write a model from the standard's text form, with constants by name."""
    model = onnx.parser.parse_model('<ir_version: 8, opset_import: ["" : 17]>\n' + text)
    model.graph.initializer.extend(onnx.numpy_helper.from_array(value, name)
                                   for name, value in constants.items())
    path = folder / "model.onnx"
    onnx.save(model, str(path))
    return path
