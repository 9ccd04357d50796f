"""Float TFLite models as PyTorch modules, read with the ``tflite`` package.

Source: the schema of TensorFlow Lite (version 3) and its operators' semantics. Images are
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

from .atomic import read_bytes
from .imported import MAX_BYTES, Call, Imported, ImportedModule

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "RELU": nn.ReLU, "RELU6": nn.ReLU6, "RELU_N1_TO_1": nn.Hardtanh, "TANH": nn.Tanh}
SIMPLE: dict[str, Callable[[], nn.Module]] = {
    "RELU": nn.ReLU, "RELU6": nn.ReLU6, "TANH": nn.Tanh, "LOGISTIC": nn.Sigmoid,
    "HARD_SWISH": nn.Hardswish, "QUANTIZE": nn.Identity, "DEQUANTIZE": nn.Identity}


def read_tflite(path: Path) -> Imported:
    """Read a model with one float32 input and one float32 output.

    Weights stored as int8 with scales (dynamic-range models) are dequantised.

    Raises
    ------
    VqromError
        If the package ``tflite`` is absent, the file is no TFLite model, or it has an operator
        that is not known here; the message names it.
    """
    try:
        import tflite
    except ImportError:
        raise VqromError("package 'tflite' must be installed to read TFLite models: "
                         "pip install tflite") from None
    content = read_bytes(path, "TFLite model", MAX_BYTES)
    if content[4:8] != b"TFL3":
        raise VqromError(f"TFLite model {str(path)!r} must start with the identifier 'TFL3'")
    try:
        return _Reader(tflite, content).read()
    except VqromError as error:
        raise VqromError(f"TFLite model {str(path)!r}: {error}") from None
    except Exception as error:
        # Offsets of a damaged flat buffer lead anywhere.
        raise VqromError(f"TFLite model {str(path)!r} cannot be read: {type(error).__name__}: "
                         f"{' '.join(str(error).split())[:200]}") from None


class _Reader:
    """One model's first graph."""

    def __init__(self, tflite: Any, content: bytes):
        self._tflite = tflite
        self._model = tflite.Model.GetRootAsModel(content, 0)
        self._graph = self._model.Subgraphs(0)
        self._operators = _names(tflite.BuiltinOperator)
        self._activations = _names(tflite.ActivationFunctionType)
        self._types = _names(tflite.TensorType)

    def read(self) -> Imported:
        graph = self._graph
        if graph.InputsLength() != 1 or graph.OutputsLength() != 1:
            raise VqromError(f"must have one input and one output, not {graph.InputsLength()} "
                             f"and {graph.OutputsLength()}")
        source = graph.Inputs(0)
        if self._type(source) != "FLOAT32":
            raise VqromError(f"its input must be FLOAT32, not {self._type(source)}")
        module = ImportedModule(str(source))
        for number in range(graph.OperatorsLength()):
            self._append(module, graph.Operators(number), number)
        module.result = str(graph.Outputs(0))
        _, *sizes = self._shape(source)
        height, width, channels = sizes if len(sizes) == 3 else (1, 1, int(np.prod(sizes)))
        return Imported(module.eval(), (1, channels, height, width))

    def _append(self, module: ImportedModule, operator: Any, number: int) -> None:
        code = self._model.OperatorCodes(operator.OpcodeIndex())
        kind = self._operators.get(max(code.BuiltinCode(), code.DeprecatedBuiltinCode()), "?")
        make = getattr(self, f"_{kind.lower()}", None)
        if kind in SIMPLE:
            parts = [SIMPLE[kind]()]
        elif make is not None:
            parts = make(operator)
        else:
            raise VqromError(f"operator {kind} is not known; known are "
                             f"{', '.join(sorted([*SIMPLE, *_known()]))}")
        inputs = [str(number) for number in operator.InputsAsNumpy()
                  if number >= 0 and not self._is_constant(number)]
        output = str(operator.Outputs(0))
        name = f"{kind.lower()}_{number}"
        for place, part in enumerate(parts):
            target = output if place == len(parts) - 1 else f"{output}.{place}"
            own = isinstance(part, nn.Conv2d | nn.Linear | Call) or len(parts) == 1
            suffix = "" if own else f"_{type(part).__name__.lower()}"
            module.append(name + suffix, part, inputs, target)
            inputs = [target]

    def _conv_2d(self, operator: Any) -> list[nn.Module]:
        options = self._options(operator, self._tflite.Conv2DOptions())
        weight = self._tensor(operator.Inputs(1)).permute(0, 3, 1, 2)
        channels = self._shape(operator.Inputs(0))[3]
        return self._convolution(operator, options, weight, channels // weight.shape[1])

    def _depthwise_conv_2d(self, operator: Any) -> list[nn.Module]:
        options = self._options(operator, self._tflite.DepthwiseConv2DOptions())
        weight = self._tensor(operator.Inputs(1)).permute(3, 0, 1, 2)
        return self._convolution(operator, options, weight, self._shape(operator.Inputs(0))[3])

    def _convolution(self, operator: Any, options: Any, weight: torch.Tensor,
                     groups: int) -> list[nn.Module]:
        stride = (options.StrideH(), options.StrideW())
        dilation = (options.DilationHFactor(), options.DilationWFactor())
        conv = nn.Conv2d(weight.shape[1] * groups, len(weight), (weight.shape[2], weight.shape[3]),
                         stride, dilation=dilation, groups=groups)
        _fill(conv, weight, self._bias(operator, len(weight)))
        padding = self._padding(operator, options, tuple(weight.shape[2:]), stride)
        before = [nn.ZeroPad2d(padding)] if any(padding) else []
        return [*before, conv, *self._activation(options)]

    def _fully_connected(self, operator: Any) -> list[nn.Module]:
        options = self._options(operator, self._tflite.FullyConnectedOptions())
        weight = self._tensor(operator.Inputs(1))
        linear = nn.Linear(weight.shape[1], weight.shape[0])
        _fill(linear, self._channels_first(operator.Inputs(0), weight),
              self._bias(operator, len(weight)))
        return [nn.Flatten(), linear, *self._activation(options)]

    def _channels_first(self, source: int, weight: torch.Tensor) -> torch.Tensor:
        """A linear layer's columns in PyTorch's order, where its input is a flattened image."""
        shape = self._shape(source)
        if len(shape) == 2:
            maker = next((op for op in map(self._graph.Operators,
                                           range(self._graph.OperatorsLength()))
                          if source in op.OutputsAsNumpy()), None)
            shape = self._shape(maker.Inputs(0)) if maker is not None else shape
        if len(shape) != 4 or int(np.prod(shape[1:])) != weight.shape[1]:
            return weight
        _, height, width, channels = shape
        image = weight.reshape(-1, height, width, channels).permute(0, 3, 1, 2)
        return image.reshape(len(weight), -1)

    def _add(self, operator: Any) -> list[nn.Module]:
        options = self._options(operator, self._tflite.AddOptions())
        return [Call(torch.add), *self._activation(options)]

    def _max_pool_2d(self, operator: Any) -> list[nn.Module]:
        return self._pool(operator, nn.MaxPool2d)

    def _average_pool_2d(self, operator: Any) -> list[nn.Module]:
        return self._pool(operator, nn.AvgPool2d)

    def _pool(self, operator: Any, make: Callable[..., nn.Module]) -> list[nn.Module]:
        options = self._options(operator, self._tflite.Pool2DOptions())
        kernel = (options.FilterHeight(), options.FilterWidth())
        stride = (options.StrideH(), options.StrideW())
        left, right, top, bottom = self._padding(operator, options, kernel, stride)
        if (left, top) != (right, bottom):
            raise VqromError("padding of a pooling operator must be the same on all sides, "
                             f"not {top}, {left}, {bottom}, {right}")
        extra = {"count_include_pad": False} if make is nn.AvgPool2d else {}
        return [make(kernel, stride, (top, left), **extra), *self._activation(options)]

    def _mean(self, operator: Any) -> list[nn.Module]:
        axes = sorted(int(axis) % 4 for axis in self._tensor(operator.Inputs(1)).flatten())
        if axes != [1, 2]:
            raise VqromError(f"MEAN must be over height and width, not axes {axes}")
        keep = len(self._shape(operator.Outputs(0))) == 4
        return [Call(lambda x: x.mean((2, 3), keepdim=keep))]

    def _reshape(self, operator: Any) -> list[nn.Module]:
        if len(self._shape(operator.Outputs(0))) != 2:
            raise VqromError("RESHAPE must make vectors, not "
                             f"{self._shape(operator.Outputs(0))!r}")
        return [nn.Flatten()]

    def _softmax(self, operator: Any) -> list[nn.Module]:
        options = self._options(operator, self._tflite.SoftmaxOptions())
        if options.Beta() != 1:
            raise VqromError(f"SOFTMAX must have beta 1, not {options.Beta()!r}")
        return [nn.Softmax(1)]

    def _concatenation(self, operator: Any) -> list[nn.Module]:
        return [Call(lambda *parts: torch.cat(parts, 1))]

    def _options(self, operator: Any, options: Any) -> Any:
        table = operator.BuiltinOptions()
        options.Init(table.Bytes, table.Pos)
        return options

    def _activation(self, options: Any) -> list[nn.Module]:
        name = self._activations[options.FusedActivationFunction()]
        if name == "NONE":
            return []
        if name not in ACTIVATIONS:
            raise VqromError(f"activation {name} is not known")
        return [ACTIVATIONS[name]()]

    def _padding(self, operator: Any, options: Any, kernel: tuple[int, ...],
                 stride: tuple[int, int]) -> tuple[int, int, int, int]:
        """``(left, right, top, bottom)``; of an odd number, the larger half comes last."""
        if options.Padding() == self._tflite.Padding.VALID:
            return 0, 0, 0, 0
        sizes = self._shape(operator.Inputs(0))[1:3]
        wanted = [max(0, (-(-size // step) - 1) * step + window - size)
                  for size, window, step in zip(sizes, kernel, stride, strict=True)]
        (top, bottom), (left, right) = ((part // 2, part - part // 2) for part in wanted)
        return left, right, top, bottom

    def _bias(self, operator: Any, channels: int) -> torch.Tensor:
        given = operator.InputsLength() > 2 and operator.Inputs(2) >= 0
        return self._tensor(operator.Inputs(2)) if given else torch.zeros(channels)

    def _is_constant(self, number: int) -> bool:
        return self._model.Buffers(self._graph.Tensors(number).Buffer()).DataLength() > 0

    def _shape(self, number: int) -> tuple[int, ...]:
        return tuple(int(size) for size in self._graph.Tensors(number).ShapeAsNumpy())

    def _type(self, number: int) -> str:
        return self._types[self._graph.Tensors(number).Type()]

    def _tensor(self, number: int) -> torch.Tensor:
        """A constant as float32."""
        tensor, kind = self._graph.Tensors(number), self._type(number)
        if kind not in ("FLOAT32", "FLOAT16", "INT8", "INT32"):
            raise VqromError(f"constants must be FLOAT32, FLOAT16, INT8 or INT32, not {kind}")
        raw = self._model.Buffers(tensor.Buffer()).DataAsNumpy()
        values = raw.tobytes() if isinstance(raw, np.ndarray) else b""
        array = np.frombuffer(values, np.dtype(kind.lower())).reshape(self._shape(number))
        return torch.from_numpy(_dequantized(array, tensor.Quantization()))


def _dequantized(array: np.ndarray, quantization: Any) -> np.ndarray:
    """``scale * (q - zero_point)``, per tensor or per channel, where there is a scale."""
    if quantization is None or quantization.ScaleLength() == 0:
        return array.astype(np.float32)
    shape = [1] * array.ndim
    if quantization.ScaleLength() > 1:
        shape[quantization.QuantizedDimension()] = quantization.ScaleLength()
    scale = quantization.ScaleAsNumpy().reshape(shape)
    zero_point = quantization.ZeroPointAsNumpy().reshape(shape)
    return ((array.astype(np.float32) - zero_point) * scale).astype(np.float32)


def _fill(layer: nn.Conv2d | nn.Linear, weight: torch.Tensor, bias: torch.Tensor) -> None:
    with torch.no_grad():
        layer.weight.copy_(weight)
        assert layer.bias is not None
        layer.bias.copy_(bias)


def _names(enumeration: type) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}


def _known() -> list[str]:
    helpers = ("_append", "_convolution", "_channels_first", "_pool", "_options", "_activation",
               "_padding", "_bias", "_is_constant", "_shape", "_type", "_tensor")
    return [name[1:].upper() for name in vars(_Reader)
            if name.startswith("_") and not name.startswith("__") and name not in helpers]
