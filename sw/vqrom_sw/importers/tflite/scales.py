"""Scales and zero points of an int8 TFLite model's activations, and its fused activations."""

from __future__ import annotations

import math

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import HIGHEST, LOWEST, Quantization

from .source import TfliteFile

BOUNDS: dict[str, tuple[float | None, float | None]] = {
    "NONE": (None, None), "RELU": (0.0, None), "RELU6": (0.0, 6.0), "RELU_N1_TO_1": (-1.0, 1.0),
    "RELU_0_TO_1": (0.0, 1.0)}
"""Least and greatest real output of each fused activation; None where it has no bound."""


def quantization_of(file: TfliteFile, number: int) -> Quantization:
    """The scale and zero point of an int8 activation.

    Parameters
    ----------
    file:
        The model.
    number:
        The file's number of the tensor.

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
    """The least and greatest int8 output that a fused activation lets through.

    Its bounds are quantised as TFLite does it: in float32, ties away from zero.

    Parameters
    ----------
    activation:
        Name of the fused activation, e.g. ``RELU``, or ``NONE``.
    output:
        Scale and zero point of the output.

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


def unsigned_quantization(file: TfliteFile, number: int) -> Quantization:
    """The scale and zero point of a uint8 tensor, whose numbers are taken 128 less, as int8.

    Raises
    ------
    VqromError
        If it has not one scale and one zero point.
    """
    scale, zero_point, _ = file.scales(number)
    if len(scale) != 1 or not (math.isfinite(scale[0]) and scale[0] > 0
                               and 0 <= zero_point[0] <= HIGHEST - LOWEST):
        raise VqromError(f"uint8 numbers must have one scale and zero point, not {len(scale)}")
    return Quantization(float(scale[0]), int(zero_point[0]) + LOWEST)
