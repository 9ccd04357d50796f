"""Quantised int8 TFLite models as quantised networks with the file's own integers.

Nothing is quantised again: weights and biases are the file's, and multipliers follow from its
scales as TensorFlow Lite's kernels compute them, in double precision. So every layer gives the
bytes of LiteRT's reference kernels. The layer of operator ``n`` is called ``KIND_n``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import (
    ADD_SHIFT,
    Quantization,
    quantize_mean_multiplier,
    quantize_multiplier,
    softmax_factor,
)
from vqrom_sw.network import (
    INPUT,
    NO_CODEBOOK,
    Add,
    AveragePool,
    GlobalAveragePool,
    Layer,
    MaxPool,
    QuantizedNetwork,
    Softmax,
)

from .file import TfliteFile, read_model
from .values import Value, Values
from .weights import NO_PADDING, Window, activation_range, convolution, quantization_of

ROUNDED = Quantization(1 / 256, -128)
"""Of the output of SOFTMAX."""


def read_tflite_int8(path: str | Path) -> QuantizedNetwork:
    """Read a model whose activations and weights are int8 and whose biases are int32.

    Its input and output may be float32, with QUANTIZE after the one and DEQUANTIZE before the
    other.

    Raises
    ------
    VqromError
        If the package ``tflite`` is absent, the file is no TFLite model, or an operator is not
        known here or used in a way that is not; one line that names the operator.
    """
    path = Path(path)
    return read_model(path, lambda file: _Reader(file).read(path.stem))


def is_tflite_int8(path: str | Path) -> bool:
    """Whether a TFLite model is quantised rather than float.

    Raises
    ------
    VqromError
        If it is no TFLite model.
    """
    def quantized(file: TfliteFile) -> bool:
        return file.type_of(file.source) != "FLOAT32" or any(
            file.kind(operator) == "QUANTIZE" for operator in file.operators())

    return read_model(Path(path), quantized)


class _Reader(Values):
    """One model's graph, operator by operator."""

    def __init__(self, file: TfliteFile):
        super().__init__(file)
        self._layers: list[Layer] = []
        self._input_shape = self.values[file.source].shape
        self._input = Quantization(1.0, 0)

    def read(self, name: str) -> QuantizedNetwork:
        file = self.file
        if file.type_of(file.source) == "INT8":
            self._input = quantization_of(file, file.source)
        elif file.type_of(file.source) != "FLOAT32" or not any(
                file.kind(operator) == "QUANTIZE" for operator in file.operators()):
            raise VqromError("its input must be INT8, or FLOAT32 with QUANTIZE after it, not "
                             f"{file.type_of(file.source)}")
        for number, operator in enumerate(file.operators()):
            self._append(operator, number)
        if not self._layers:
            raise VqromError("must have a layer")
        return QuantizedNetwork(name, self._input_shape, self._input, tuple(self._layers),
                                self._output_shape(), NO_CODEBOOK)

    def _append(self, operator: Any, number: int) -> None:
        kind = self.file.kind(operator)
        make = OPERATORS.get(kind)
        if make is None:
            raise VqromError(f"operator {kind} is not known; known are "
                             f"{', '.join(sorted(OPERATORS))}")
        name = f"{kind.lower()}_{number}"
        try:
            made = make(self, operator, name)
        except VqromError as error:
            text = str(error)
            raise VqromError(text if kind in text else f"operator {kind}: {text}") from None
        output = int(operator.Outputs(0))
        if isinstance(made, Value):
            self.values[output] = made
            return
        if made.shape != self.map(output):
            raise VqromError(f"operator {kind}: output must be {made.shape!r}, "
                             f"not {self.map(output)!r}")
        self._layers.append(made)
        self.values[output] = Value(name, made.shape)

    def _conv_2d(self, operator: Any, name: str) -> Layer:
        options = self.file.options(operator, "Conv2DOptions")
        weights = self.weights(operator)
        return self._convolution(operator, name, options, weights, 0)

    def _depthwise_conv_2d(self, operator: Any, name: str) -> Layer:
        options = self.file.options(operator, "DepthwiseConv2DOptions")
        weights = self.weights(operator).transpose(3, 1, 2, 0)
        return self._convolution(operator, name, options, weights, 3)

    def _convolution(self, operator: Any, name: str, options: Any, weights: np.ndarray,
                     axis: int) -> Layer:
        source = self.source(operator, padded=True)
        height, width, channels = source.shape
        if (options.DilationHFactor(), options.DilationWFactor()) != (1, 1):
            raise VqromError("dilation must be 1")
        if weights.ndim != 4 or channels % weights.shape[3]:
            raise VqromError(f"filters of {weights.shape!r} must fit {channels} channels")
        top, left, bottom, right = source.padding
        window = self.window(options, (height + top + bottom, width + left + right),
                              (weights.shape[1], weights.shape[2]))
        padding = tuple(map(sum, zip(window.padding, source.padding, strict=True)))
        window = replace(window, padding=padding)
        return convolution(self.file, operator, name, source.layer, source.shape, weights,
                           window, channels // weights.shape[3], axis,
                           self.file.activation(options))

    def _fully_connected(self, operator: Any, name: str) -> Layer:
        options = self.file.options(operator, "FullyConnectedOptions")
        source = self.source(operator, reshaped=True)
        weights = self.weights(operator)
        if options.WeightsFormat() or weights.ndim != 2 \
                or weights.shape[1] != int(np.prod(source.shape)):
            raise VqromError(f"weights must be plain (outputs, {int(np.prod(source.shape))}), "
                             f"not {weights.shape!r}")
        height, width, _ = source.shape
        return convolution(self.file, operator, name, source.layer, source.shape,
                           weights.reshape(len(weights), *source.shape),
                           Window((height, width), (1, 1), NO_PADDING), 1, 0,
                           self.file.activation(options), "linear")

    def _add(self, operator: Any, name: str) -> Layer:
        first, second = self.source(operator), self.source(operator, 1)
        if first.shape != second.shape:
            raise VqromError(f"inputs must have one shape, not {first.shape!r} "
                             f"and {second.shape!r}")
        one, two = (quantization_of(self.file, operator.Inputs(place)) for place in (0, 1))
        output = quantization_of(self.file, operator.Outputs(0))
        twice = 2 * max(one.scale, two.scale)
        activation = self.file.activation(self.file.options(operator, "AddOptions"))
        return Add(name, (first.layer, second.layer), first.shape, output,
                   (quantize_multiplier(name, one.scale / twice),
                    quantize_multiplier(name, two.scale / twice)),
                   quantize_multiplier(name, twice / ((1 << ADD_SHIFT) * output.scale)),
                   activation_range(activation, output))

    def _average_pool_2d(self, operator: Any, name: str) -> Layer:
        source, window, clamp = self._pool(operator)
        return AveragePool(name, (source.layer,), window.output(source.shape, source.shape[2]),
                           quantization_of(self.file, operator.Outputs(0)), window.kernel,
                           window.stride, window.padding, clamp)

    def _max_pool_2d(self, operator: Any, name: str) -> Layer:
        source, window, clamp = self._pool(operator)
        if clamp != (-128, 127):
            raise VqromError("a fused activation must change nothing")
        return MaxPool(name, (source.layer,), window.output(source.shape, source.shape[2]),
                       quantization_of(self.file, operator.Outputs(0)), window.kernel,
                       window.stride, window.padding)

    def _pool(self, operator: Any) -> tuple[Value, Window, tuple[int, int]]:
        options = self.file.options(operator, "Pool2DOptions")
        source = self.source(operator)
        self.check_same_quantization(operator)
        window = self.window(options, source.shape[:2],
                              (options.FilterHeight(), options.FilterWidth()))
        output = quantization_of(self.file, operator.Outputs(0))
        return source, window, activation_range(self.file.activation(options), output)

    def _mean(self, operator: Any, name: str) -> Layer:
        source = self.source(operator)
        rank = len(self.file.shape(operator.Inputs(0)))
        axes = sorted(int(axis) % rank for axis in self.file.array(operator.Inputs(1)).flatten())
        if rank != 4 or axes != [1, 2]:
            raise VqromError(f"must be over height and width, not axes {axes}")
        height, width, channels = source.shape
        one, output = (quantization_of(self.file, number)
                       for number in (operator.Inputs(0), operator.Outputs(0)))
        return GlobalAveragePool(
            name, (source.layer,), (1, 1, channels), output,
            quantize_mean_multiplier(name, one.scale / output.scale, height * width))

    def _softmax(self, operator: Any, name: str) -> Layer:
        source = self.source(operator)
        options = self.file.options(operator, "SoftmaxOptions")
        output = quantization_of(self.file, operator.Outputs(0))
        if output != ROUNDED:
            raise VqromError(f"output must have scale 1/256 and zero point -128, not {output!r}")
        factor = softmax_factor(name, options.Beta(),
                                quantization_of(self.file, operator.Inputs(0)).scale,
                                source.shape[2])
        return Softmax(name, (source.layer,), source.shape, output, *factor)

    def _reshape(self, operator: Any, _: str) -> Value:
        source, output = self.source(operator, reshaped=True), int(operator.Outputs(0))
        self.check_same_quantization(operator)
        seen = self.map(output)
        if np.prod(seen) != np.prod(source.shape):
            raise VqromError(f"must keep the elements of {source.shape!r}, not make {seen!r}")
        number = int(operator.Inputs(0))
        alone = sum(number in other.InputsAsNumpy() for other in self.file.operators()) == 1
        if source.layer == INPUT and alone and seen[:2] != (1, 1):
            # The same bytes in the same order: the network may as well take them so.
            self._input_shape = seen
            return Value(INPUT, seen)
        return replace(source, reshaped=seen != source.shape)

    def _pad(self, operator: Any, _: str) -> Value:
        source = self.source(operator, padded=True)
        self.check_same_quantization(operator)
        amounts = self.file.array(operator.Inputs(1))
        if amounts.shape != (4, 2) or amounts[[0, 3]].any() or (amounts < 0).any():
            raise VqromError("must be of height and width only")
        (top, bottom), (left, right) = (map(int, row) for row in amounts[1:3])
        return replace(source, padding=(source.padding[0] + top, source.padding[1] + left,
                                        source.padding[2] + bottom, source.padding[3] + right))

    def _quantize(self, operator: Any, _: str) -> Value:
        number = int(operator.Inputs(0))
        if number != self.file.source or self.file.type_of(number) != "FLOAT32":
            raise VqromError("must be of the network's FLOAT32 input")
        self._input = quantization_of(self.file, operator.Outputs(0))
        return self.values[number]

    def _dequantize(self, operator: Any, _: str) -> Value:
        if operator.Outputs(0) != self.file.result:
            raise VqromError("must make the network's output")
        return self.source(operator, reshaped=True)

    def _output_shape(self) -> tuple[int, ...]:
        value = self.values.get(self.file.result)
        if value is None or value.layer != self._layers[-1].name or value.padding != NO_PADDING:
            raise VqromError("its output must be that of the last layer")
        _, *sizes = self.file.shape(self.file.result)
        height, width, channels = value.shape
        if value.reshaped and (len(sizes) != 1 or (height * width > 1 and channels > 1)):
            raise VqromError(f"output of {value.shape!r} must not be reshaped to {sizes!r}")
        return (sizes[2], *sizes[:2]) if len(sizes) == 3 else tuple(sizes)


OPERATORS: dict[str, Callable[[_Reader, Any, str], Layer | Value]] = {
    "ADD": _Reader._add, "AVERAGE_POOL_2D": _Reader._average_pool_2d,
    "CONV_2D": _Reader._conv_2d, "DEPTHWISE_CONV_2D": _Reader._depthwise_conv_2d,
    "DEQUANTIZE": _Reader._dequantize, "FULLY_CONNECTED": _Reader._fully_connected,
    "MAX_POOL_2D": _Reader._max_pool_2d, "MEAN": _Reader._mean, "PAD": _Reader._pad,
    "QUANTIZE": _Reader._quantize, "RESHAPE": _Reader._reshape, "SOFTMAX": _Reader._softmax,
    "SQUEEZE": _Reader._reshape}
