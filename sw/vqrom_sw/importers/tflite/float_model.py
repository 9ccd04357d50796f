"""The reader of float TFLite models, which makes PyTorch modules of them.

Source: the semantics of TensorFlow Lite's operators. Images are
``[N, H, W, C]`` there and ``[N, C, H, W]`` here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from vqrom_hw.errors import VqromError
from vqrom_sw.importers.imported_module import Call, Imported, ImportedModule

from .tflite_file import TfliteFile, read_model

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "RELU": nn.ReLU, "RELU6": nn.ReLU6, "RELU_N1_TO_1": nn.Hardtanh, "TANH": nn.Tanh}
"""The module of each fused activation, by its name."""

SIMPLE: dict[str, Callable[[], nn.Module]] = {
    "RELU": nn.ReLU, "RELU6": nn.ReLU6, "TANH": nn.Tanh, "LOGISTIC": nn.Sigmoid,
    "HARD_SWISH": nn.Hardswish, "QUANTIZE": nn.Identity, "DEQUANTIZE": nn.Identity}
"""The module of each operator without parameters, by the operator's name."""


def read_tflite(path: Path) -> Imported:
    """Read a TFLite model with one float32 input and one float32 output.

    Weights stored as int8 with scales (dynamic-range models) are dequantised.

    Returns
    -------
    Imported
        The model as a PyTorch module, and the shape of its input.

    Raises
    ------
    VqromError
        If the file is no TFLite model, or has an operator that is not known here; the message
        names it.
    """
    return read_model(path, lambda file: _Reader(file).read())


class _Reader:
    """Reads the graph of one model."""

    def __init__(self, file: TfliteFile):
        self._file = file

    def read(self) -> Imported:
        file = self._file
        if file.type_of(file.source) != "FLOAT32":
            raise VqromError(f"its input must be FLOAT32, not {file.type_of(file.source)}")
        module = ImportedModule(str(file.source))
        for number, operator in enumerate(file.operators()):
            self._append(module, operator, number)
        module.result = str(file.result)
        _, *sizes = file.shape(file.source)
        height, width, channels = sizes if len(sizes) == 3 else (1, 1, int(np.prod(sizes)))
        return Imported(module.eval(), (1, channels, height, width))

    def _append(self, module: ImportedModule, operator: Any, number: int) -> None:
        kind = self._file.kind(operator)
        if kind in SIMPLE:
            parts = [SIMPLE[kind]()]
        elif kind in OPERATORS:
            parts = OPERATORS[kind](self, operator)
        else:
            raise VqromError(f"operator {kind} is not known; known are "
                             f"{', '.join(sorted([*SIMPLE, *OPERATORS]))}")
        inputs = [str(number) for number in self._file.inputs(operator)]
        output = str(operator.Outputs(0))
        name = f"{kind.lower()}_{number}"
        for place, part in enumerate(parts):
            target = output if place == len(parts) - 1 else f"{output}.{place}"
            own = isinstance(part, nn.Conv2d | nn.Linear | Call) or len(parts) == 1
            suffix = "" if own else f"_{type(part).__name__.lower()}"
            module.append(name + suffix, part, inputs, target)
            inputs = [target]

    def _conv_2d(self, operator: Any) -> list[nn.Module]:
        options = self._file.options(operator, "Conv2DOptions")
        weight = self._tensor(operator.Inputs(1)).permute(0, 3, 1, 2)
        channels = self._file.shape(operator.Inputs(0))[3]
        return self._convolution(operator, options, weight, channels // weight.shape[1])

    def _depthwise_conv_2d(self, operator: Any) -> list[nn.Module]:
        options = self._file.options(operator, "DepthwiseConv2DOptions")
        weight = self._tensor(operator.Inputs(1)).permute(3, 0, 1, 2)
        return self._convolution(operator, options, weight, self._file.shape(operator.Inputs(0))[3])

    def _convolution(self, operator: Any, options: Any, weight: torch.Tensor,
                     groups: int) -> list[nn.Module]:
        stride = (options.StrideH(), options.StrideW())
        dilation = (options.DilationHFactor(), options.DilationWFactor())
        kernel = (weight.shape[2], weight.shape[3])
        conv = nn.Conv2d(weight.shape[1] * groups, len(weight), kernel, stride,
                         dilation=dilation, groups=groups)
        _fill(conv, weight, self._bias(operator, len(weight)))
        top, left, bottom, right = self._padding(operator, options, kernel, stride)
        before = [nn.ZeroPad2d((left, right, top, bottom))] \
            if any((top, left, bottom, right)) else []
        return [*before, conv, *self._activation(options)]

    def _fully_connected(self, operator: Any) -> list[nn.Module]:
        options = self._file.options(operator, "FullyConnectedOptions")
        weight = self._tensor(operator.Inputs(1))
        linear = nn.Linear(weight.shape[1], weight.shape[0])
        _fill(linear, self._channels_first(operator.Inputs(0), weight),
              self._bias(operator, len(weight)))
        return [nn.Flatten(), linear, *self._activation(options)]

    def _channels_first(self, source: int, weight: torch.Tensor) -> torch.Tensor:
        """A linear layer's columns in PyTorch's order, where its input is a flattened image."""
        shape = self._file.shape(source)
        if len(shape) == 2:
            maker = next((op for op in self._file.operators()
                          if source in op.OutputsAsNumpy()), None)
            shape = self._file.shape(maker.Inputs(0)) if maker is not None else shape
        if len(shape) != 4 or int(np.prod(shape[1:])) != weight.shape[1]:
            return weight
        _, height, width, channels = shape
        image = weight.reshape(-1, height, width, channels).permute(0, 3, 1, 2)
        return image.reshape(len(weight), -1)

    def _add(self, operator: Any) -> list[nn.Module]:
        options = self._file.options(operator, "AddOptions")
        return [Call(torch.add), *self._activation(options)]

    def _max_pool_2d(self, operator: Any) -> list[nn.Module]:
        return self._pool(operator, nn.MaxPool2d)

    def _average_pool_2d(self, operator: Any) -> list[nn.Module]:
        return self._pool(operator, nn.AvgPool2d)

    def _pool(self, operator: Any, make: Callable[..., nn.Module]) -> list[nn.Module]:
        options = self._file.options(operator, "Pool2DOptions")
        kernel = (options.FilterHeight(), options.FilterWidth())
        stride = (options.StrideH(), options.StrideW())
        top, left, bottom, right = self._padding(operator, options, kernel, stride)
        if (left, top) != (right, bottom):
            raise VqromError("padding of a pooling operator must be the same on all sides, "
                             f"not {top}, {left}, {bottom}, {right}")
        extra = {"count_include_pad": False} if make is nn.AvgPool2d else {}
        return [make(kernel, stride, (top, left), **extra), *self._activation(options)]

    def _mean(self, operator: Any) -> list[nn.Module]:
        axes = sorted(int(axis) % 4 for axis in self._tensor(operator.Inputs(1)).flatten())
        if axes != [1, 2]:
            raise VqromError(f"MEAN must be over height and width, not axes {axes}")
        keep = len(self._file.shape(operator.Outputs(0))) == 4
        return [Call(lambda x: x.mean((2, 3), keepdim=keep))]

    def _reshape(self, operator: Any) -> list[nn.Module]:
        if len(self._file.shape(operator.Outputs(0))) != 2:
            raise VqromError("RESHAPE must make vectors, not "
                             f"{self._file.shape(operator.Outputs(0))!r}")
        return [nn.Flatten()]

    def _softmax(self, operator: Any) -> list[nn.Module]:
        options = self._file.options(operator, "SoftmaxOptions")
        if options.Beta() != 1:
            raise VqromError(f"SOFTMAX must have beta 1, not {options.Beta()!r}")
        return [nn.Softmax(1)]

    def _concatenation(self, operator: Any) -> list[nn.Module]:
        return [Call(lambda *parts: torch.cat(parts, 1))]

    def _activation(self, options: Any) -> list[nn.Module]:
        name = self._file.activation(options)
        if name == "NONE":
            return []
        if name not in ACTIVATIONS:
            raise VqromError(f"activation {name} is not known")
        return [ACTIVATIONS[name]()]

    def _padding(self, operator: Any, options: Any, kernel: tuple[int, int],
                 stride: tuple[int, int]) -> tuple[int, int, int, int]:
        height, width = self._file.shape(operator.Inputs(0))[1:3]
        return self._file.padding(options, (height, width), kernel, stride)

    def _bias(self, operator: Any, channels: int) -> torch.Tensor:
        given = operator.InputsLength() > 2 and operator.Inputs(2) >= 0
        return self._tensor(operator.Inputs(2)) if given else torch.zeros(channels)

    def _tensor(self, number: int) -> torch.Tensor:
        """A constant as float32, dequantised where it has scales."""
        array = self._file.array(number)
        scale, zero_point, axis = self._file.scales(number)
        if not len(scale):
            return torch.from_numpy(array.astype(np.float32))
        shape = [1] * array.ndim
        if len(scale) > 1:
            shape[axis] = len(scale)
        centred = array.astype(np.float32) - zero_point.reshape(shape)
        return torch.from_numpy((centred * scale.reshape(shape)).astype(np.float32))


def _fill(layer: nn.Conv2d | nn.Linear, weight: torch.Tensor, bias: torch.Tensor) -> None:
    with torch.no_grad():
        layer.weight.copy_(weight)
        assert layer.bias is not None
        layer.bias.copy_(bias)


OPERATORS: dict[str, Callable[[_Reader, Any], list[nn.Module]]] = {
    "ADD": _Reader._add, "AVERAGE_POOL_2D": _Reader._average_pool_2d, "CONCATENATION":
    _Reader._concatenation, "CONV_2D": _Reader._conv_2d, "DEPTHWISE_CONV_2D":
    _Reader._depthwise_conv_2d, "FULLY_CONNECTED": _Reader._fully_connected, "MAX_POOL_2D":
    _Reader._max_pool_2d, "MEAN": _Reader._mean, "RESHAPE": _Reader._reshape, "SOFTMAX":
    _Reader._softmax,
}
"""What makes the modules of each operator with parameters, in order, by the operator's name."""
