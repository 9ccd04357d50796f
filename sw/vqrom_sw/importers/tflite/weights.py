"""Convolutions and linear layers of int8 TFLite models, with the integers of the file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import Quantization, quantize_multiplier
from vqrom_sw.network import Conv

from .file import TfliteFile
from .single_rounding import accumulator_reach, quantize_multiplier_once

Shape = tuple[int, int, int]
Padding = tuple[int, int, int, int]
NO_PADDING: Padding = (0, 0, 0, 0)
LOWEST, HIGHEST = -128, 127
BOUNDS: dict[str, tuple[float | None, float | None]] = {
    "NONE": (None, None), "RELU": (0.0, None), "RELU6": (0.0, 6.0), "RELU_N1_TO_1": (-1.0, 1.0)}
"""Lowest and highest real output of each fused activation."""


@dataclass(frozen=True)
class Window:
    """Kernel ``(y, x)``, stride ``(y, x)`` and padding ``(top, left, bottom, right)``."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: Padding

    def output(self, shape: Shape, channels: int) -> Shape:
        """``(H, W, channels)`` after the window went over ``shape``.

        Raises
        ------
        VqromError
            If the window does not fit.
        """
        top, left, bottom, right = self.padding
        height = (shape[0] + top + bottom - self.kernel[0]) // self.stride[0] + 1
        width = (shape[1] + left + right - self.kernel[1]) // self.stride[1] + 1
        if height < 1 or width < 1:
            raise VqromError(f"a kernel of {self.kernel!r} must fit an input of {shape!r}")
        return height, width, channels


def quantization_of(file: TfliteFile, number: int) -> Quantization:
    """Quantisation of an int8 activation.

    Raises
    ------
    VqromError
        If it is not int8 with one scale and one zero point.
    """
    scale, zero_point, _ = file.scales(number)
    if file.type_of(number) != "INT8" or len(scale) != 1 or len(zero_point) != 1:
        raise VqromError(f"activations must be INT8 with one scale, not {file.type_of(number)} "
                         f"with {len(scale)}")
    value = Quantization(float(scale[0]), int(zero_point[0]))
    if not (math.isfinite(value.scale) and value.scale > 0
            and LOWEST <= value.zero_point <= HIGHEST):
        raise VqromError(f"scales must be positive and zero points int8, not {value!r}")
    return value


def activation_range(activation: str, output: Quantization) -> tuple[int, int]:
    """What TFLite clamps an output to: quantised in float32, ties away from zero.

    Raises
    ------
    VqromError
        If the activation is not known.
    """
    if activation not in BOUNDS:
        raise VqromError(f"activation {activation} is not known; known are {', '.join(BOUNDS)}")
    low, high = BOUNDS[activation]

    def quantized(real: float) -> int:
        scaled = float(np.float32(real) / np.float32(output.scale))
        return output.zero_point + int(math.copysign(math.floor(abs(scaled) + 0.5), scaled))

    lowest = LOWEST if low is None else max(LOWEST, quantized(low))
    highest = HIGHEST if high is None else min(HIGHEST, quantized(high))
    return lowest, highest


def convolution(file: TfliteFile, operator: Any, name: str, source: str, source_shape: Shape,
                weights: np.ndarray, window: Window, groups: int, axis: int, activation: str,
                kind: Literal["conv", "linear"] = "conv") -> Conv:
    """A layer with raw weights.

    Parameters
    ----------
    source, source_shape:
        The producing layer, and its output.
    weights:
        int8 ``[C_out, kernel_y, kernel_x, C_in / groups]``.
    axis:
        Of the file's weights, along which there may be a scale for each output channel.

    Raises
    ------
    VqromError
        If scales, biases or shapes do not fit, or accumulators could leave int32.
    """
    channels = len(weights)
    if channels % groups:
        raise VqromError(f"{groups} groups must divide {channels} output channels")
    scale = _weight_scale(file, int(operator.Inputs(1)), channels, axis)
    bias = _bias(file, operator, channels)
    largest = accumulator_reach(weights, bias)
    if (largest >= 1 << 31).any():
        raise VqromError("accumulators must fit int32")
    one, output = (quantization_of(file, number)
                   for number in (int(operator.Inputs(0)), int(operator.Outputs(0))))
    factors = one.scale * scale.astype(np.float64) / output.scale
    clamp = activation_range(activation, output)
    requantization = quantize_multiplier(name, factors) if kind == "conv" else \
        quantize_multiplier_once(name, factors, clamp[0] - output.zero_point,
                                 clamp[1] - output.zero_point, int(largest.max()))
    return Conv(name, (source,), window.output(source_shape, channels), output, kind,
                window.kernel, window.stride, window.padding, None,
                weights.copy(), scale.astype(np.float64), bias, requantization, clamp, groups)


def _weight_scale(file: TfliteFile, number: int, channels: int, axis: int) -> np.ndarray:
    """float32 ``[C_out]``."""
    scale, zero_point, along = file.scales(number)
    if zero_point.any():
        raise VqromError("zero points of weights must be 0")
    if not (np.isfinite(scale).all() and (scale > 0).all()) or not (
            len(scale) == 1 or (len(scale) == channels and along == axis)):
        raise VqromError(f"weights must have one positive scale, or one for each of {channels} "
                         f"output channels, not {len(scale)} along axis {along}")
    return np.broadcast_to(scale, (channels,))


def _bias(file: TfliteFile, operator: Any, channels: int) -> np.ndarray:
    """int32 ``[C_out]``."""
    number = int(operator.Inputs(2)) if operator.InputsLength() > 2 else -1
    if number < 0:
        return np.zeros(channels, np.int32)
    if file.type_of(number) != "INT32" or not file.is_constant(number) \
            or file.shape(number) != (channels,):
        raise VqromError(f"bias must be an INT32 constant of {channels}, not "
                         f"{file.type_of(number)} of {file.shape(number)!r}")
    return file.array(number).copy()
