"""Quantised ONNX models as onnxruntime makes them of PyTorch modules and small graphs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from torch import nn

from vqrom_sw.network import QuantizedNetwork, map_inputs
from vqrom_sw.reference import dequantize, outputs_of


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
    torch.onnx.export(module.eval(), (torch.zeros(shape),), str(plain), dynamo=False,
                      opset_version=options.pop("opset", 17), input_names=["x"],
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
    return [np.concatenate([np.asarray(part) for part in parts]) for parts in zip(*runs)]


def found(network: QuantizedNetwork, x: np.ndarray) -> list[np.ndarray]:
    """What a network gives in float for inputs as the file takes them."""
    one = network.input_quantization
    steps = np.rint(x / np.float32(one.scale)) + one.zero_point
    maps = map_inputs(np.clip(steps, -128, 127).astype(np.int8), network.input_native,
                      network.input_shape)
    return outputs(network, maps)


def outputs(network: QuantizedNetwork, maps: np.ndarray) -> list[np.ndarray]:
    """Real outputs of a network for int8 maps ``[N, C, H, W]``."""
    raise NotImplementedError


def model_of(path: Path) -> onnx.ModelProto:
    """The model of a file."""
    return onnx.load(str(path))
