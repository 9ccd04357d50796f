"""Scales and zero points of QuantizeLinear and DequantizeLinear."""

from __future__ import annotations

from typing import Any

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import Quantization, Requantization, quantize_multiplier

from ..node import OnnxNode
from .values import Activation, Scale, Weights

FLOAT = 1
"""ONNX's number of the type float32."""

INTEGERS = {2: np.uint8, 3: np.int8}
"""The types of activations by ONNX's number."""

LEAST_ONCE = 2.0 ** -12
"""Least factor that is multiplied without a shift to the right."""


def activation_scale(node: OnnxNode, kind: np.dtype | None) -> Scale:
    """Scale and zero point that a node gives an activation.

    Parameters
    ----------
    node:
        QuantizeLinear or DequantizeLinear.
    kind:
        Type of the integers, if it is known; otherwise that of the zero point.

    Raises
    ------
    VqromError
        If there is no single scale and zero point of int8 or uint8.
    """
    node.ignore("axis", "saturate")
    node.expect("block_size", 0, (0,))
    node.expect("precision", 0, (0, FLOAT))
    wanted = node.attribute("output_dtype", 0)
    scale: Any = node.value(1)
    zero_point: Any = node.value(2) if node.has(2) else None
    if kind is None:
        kind = np.dtype(INTEGERS.get(wanted, np.uint8))
    if wanted not in (0, FLOAT, *INTEGERS):
        raise VqromError("integers must be int8 or uint8")
    if zero_point is None:
        zero_point = np.zeros((), kind)
    if not isinstance(scale, np.ndarray) or not isinstance(zero_point, np.ndarray) \
            or scale.dtype != np.float32 or scale.size != 1 or zero_point.size != 1:
        raise VqromError("activations must have one constant float32 scale and one zero point")
    if zero_point.dtype not in (np.int8, np.uint8):
        raise VqromError(f"activations must be int8 or uint8, not {zero_point.dtype}")
    one = float(scale.reshape(()))
    if not (np.isfinite(one) and one > 0):
        raise VqromError(f"scales must be positive, not {one!r}")
    offset = 128 if zero_point.dtype == np.uint8 else 0
    return Scale(Quantization(one, int(zero_point.reshape(())) - offset), offset)


def check_same_scale(scale: Scale, value: Activation) -> None:
    """Refuse a DequantizeLinear that takes integers for others than they are.

    Raises
    ------
    VqromError
        If it has another scale or zero point than the QuantizeLinear before it.
    """
    if scale != value.scale:
        raise VqromError("must have the scale and zero point of the QuantizeLinear before it, "
                         f"not {scale.quantization!r}")


def dequantized_constant(node: OnnxNode) -> Weights:
    """A constant behind DequantizeLinear.

    Raises
    ------
    VqromError
        If it has blocks, or other types, or scales that do not fit.
    """
    node.expect("block_size", 0, (0,))
    node.expect("output_dtype", 0, (0, FLOAT))
    integers: Any = node.value(0)
    scale: Any = node.value(1)
    zero_point: Any = node.value(2) if node.has(2) else None
    if not isinstance(integers, np.ndarray) or not isinstance(scale, np.ndarray) \
            or integers.dtype not in (np.int8, np.uint8, np.int32) or scale.dtype != np.float32 \
            or not (np.isfinite(scale).all() and (scale > 0).all()):
        raise VqromError("weights must be int8, uint8 or int32 with positive float32 scales")
    axis = int(node.attribute("axis", 1))
    axis = axis % integers.ndim if scale.size > 1 and integers.ndim else 0
    if scale.size > 1 and (scale.ndim != 1 or scale.size != integers.shape[axis]):
        raise VqromError(f"{scale.size} scales must be one for each entry of axis {axis}")
    if zero_point is None:
        return Weights(_narrow(integers, integers.dtype), scale, axis)
    if not isinstance(zero_point, np.ndarray) or zero_point.size != scale.size:
        raise VqromError("zero points must be constant, one for each scale")
    sizes = [1] * integers.ndim
    if scale.size > 1:
        sizes[axis] = scale.size
    shifted = integers.astype(np.int64) - zero_point.astype(np.int64).reshape(sizes)
    return Weights(_narrow(shifted, integers.dtype), scale, axis)


def _narrow(integers: np.ndarray, kind: Any) -> np.ndarray:
    """Integers without zero point: int32 if the file's are; int8 if they fit, else int16."""
    if kind == np.int32:
        return integers.astype(np.int32)
    fit = not integers.size or (integers.min() >= -128 and integers.max() <= 127)
    return integers.astype(np.int8 if fit else np.int16)


def requantization(layer: str, factor: np.ndarray | float) -> Requantization:
    """Multipliers and shifts that round once where that is precise enough.

    Without a shift to the right, the product's rounding is the only one. The multiplier of a factor
    ``f`` then has ``31 + log2(f)`` bits, so that an output, up to 256, is off by ``2**-24 / f`` of
    a step at most. Factors below :data:`LEAST_ONCE` are shifted as usual, which rounds to finer
    parts of a step first.

    Parameters
    ----------
    layer:
        Name of the layer, for errors.
    factor:
        Real factors from accumulator to output, float64, one or ``[n]``.

    Raises
    ------
    VqromError
        As for :func:`vqrom_sw.arithmetic.quantize_multiplier`.
    """
    usual = quantize_multiplier(layer, factor)
    factors = np.atleast_1d(np.asarray(factor, np.float64))
    once = np.rint(factors * 2.0 ** 31)
    fits = (factors >= LEAST_ONCE) & (once < 2.0 ** 31)
    return Requantization(np.where(fits, once, usual.multiplier).astype(np.int32),
                          np.where(fits, 0, usual.shift).astype(np.int8))
