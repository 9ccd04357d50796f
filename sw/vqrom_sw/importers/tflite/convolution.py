"""Convolutions and linear layers of int8 TFLite models, with the integers of the file."""

from __future__ import annotations

from typing import Literal

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import quantize_multiplier
from vqrom_sw.network import Conv

from .scales import activation_range, quantization_of
from .single_rounding import accumulator_reach, quantize_multiplier_once
from .sliding_window import SlidingWindow
from .source import TfliteFile, TfliteOperator
from .values import Int8Network, TfliteValue


def convolution(model: Int8Network, operator: TfliteOperator, name: str, source: TfliteValue,
                weights: np.ndarray, window: SlidingWindow, groups: int, axis: int, activation: str,
                bias: int = 2, kind: Literal["conv", "linear"] = "conv") -> Conv:
    """Make a raw layer of an operator with weights.

    Parameters
    ----------
    model:
        The model.
    operator:
        The operator, a convolution or FULLY_CONNECTED.
    name:
        Name for the layer.
    source:
        Its input, without what pads or reshapes it: the layer reads it as it was made.
    weights:
        int8 ``[C_out, kernel_y, kernel_x, C_in / groups]``.
    window:
        Kernel, stride, padding and dilation.
    groups:
        Number of groups of a grouped convolution.
    axis:
        Axis of the file's weights along which there may be a scale for each output channel.
    activation:
        Name of the fused activation.
    bias:
        Place of the bias among the operator's inputs.
    kind:
        ``"linear"`` where the kernel is the whole input.

    Raises
    ------
    VqromError
        If scales, biases or shapes do not fit, or accumulators could leave int32.
    """
    file, channels = model.file, len(weights)
    if channels % groups:
        raise VqromError(f"{groups} groups must divide {channels} output channels")
    scale = _weight_scale(file, operator.inputs[1], channels, axis)
    biases = _bias(file, operator.input(bias), channels)
    largest = accumulator_reach(weights, biases)
    if (largest >= 1 << 31).any():
        raise VqromError("accumulators must fit int32")
    place = 0 if operator.kind != "TRANSPOSE_CONV" else 2
    one, output = (quantization_of(file, number)
                   for number in (operator.inputs[place], operator.outputs[0]))
    factors = one.scale * scale.astype(np.float64) / output.scale
    clamp = activation_range(activation, output)
    if operator.kind == "FULLY_CONNECTED":
        requantization = quantize_multiplier_once(
            name, factors, clamp[0] - output.zero_point, clamp[1] - output.zero_point,
            int(largest.max()))
    else:
        requantization = quantize_multiplier(name, factors)
    return Conv(name, (source.layer,), window.output(source.shape, channels), output, kind,
                window.kernel, window.stride, window.padding, None,
                weights.copy(), scale.astype(np.float64), biases, requantization, clamp, groups,
                window.dilation)


def _weight_scale(file: TfliteFile, number: int, channels: int, axis: int) -> np.ndarray:
    """Scales of the weights, float32 ``[C_out]``."""
    scale, zero_point, along = file.scales(number)
    if zero_point.any():
        raise VqromError("zero points of weights must be 0")
    if not (np.isfinite(scale).all() and (scale > 0).all()) or not (
            len(scale) == 1 or (len(scale) == channels and along == axis)):
        raise VqromError(f"weights must have one positive scale, or one for each of {channels} "
                         f"output channels, not {len(scale)} along axis {along}")
    return np.broadcast_to(scale, (channels,))


def _bias(file: TfliteFile, number: int, channels: int) -> np.ndarray:
    """Biases, int32 ``[C_out]``; 0 where the file has none."""
    if number < 0:
        return np.zeros(channels, np.int32)
    if file.type_of(number) != "INT32" or not file.is_constant(number) \
            or file.shape(number) != (channels,):
        raise VqromError(f"bias must be an INT32 constant of {channels}, not "
                         f"{file.type_of(number)} of {file.shape(number)!r}")
    return file.array(number).copy()
