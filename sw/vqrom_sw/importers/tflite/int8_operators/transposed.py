"""Transposed convolutions, as ordinary ones whose channels become pixels.

Pixels of the output with the same remainder of their place by the stride see the same weights: each
remainder is a channel of an ordinary convolution with stride 1. Each output is the sum of the same
products as in the file.
"""

from __future__ import annotations

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import Requantization
from vqrom_sw.network import Conv, DepthToSpace, HostStep

from ..convolution import convolution
from ..sliding_window import SlidingWindow
from ..source import TfliteOperator
from ..values import Int8Network, TfliteValue
from .windows import transpose_padding, weights_of


def transpose_conv(model: Int8Network, operator: TfliteOperator) -> TfliteValue:
    """Make a convolution, pixels of its channels, and what crops them if need be."""
    source, weights = model.plain(operator, 2), weights_of(model, operator)
    wanted = [int(size) for size in model.constant(operator, 0).reshape(-1)]
    if len(source.sizes) != 3 or weights.ndim != 4 or weights.shape[3] != source.shape[2] \
            or len(wanted) != 4 or min(wanted) < 1 or 0 in weights.shape:
        raise VqromError(f"filters of {weights.shape!r} must fit {source.sizes!r} and make "
                         f"{wanted!r}")
    stride, padding = transpose_padding(model, operator, (wanted[1], wanted[2]),
                                        (weights.shape[1], weights.shape[2]))
    lines = [_line(size, want, window, step, before) for size, want, window, step, before
             in zip(source.shape, wanted[1:3], weights.shape[1:3], stride, padding, strict=False)]
    taps, before, after, rows = zip(*lines, strict=True)
    layer = convolution(
        model, operator, model.fresh(f"{operator.name}_phases"), source, weights,
        SlidingWindow((1, 1), (1, 1), (0, 0, 0, 0)), 1, 0,
        operator.activation("TransposeConvOptions"), bias=3)
    spread = _spread(weights, taps)
    copies = stride[0] * stride[1]
    phases = Conv(
        layer.name, layer.inputs, (rows[0], rows[1], len(spread)), layer.quantization, "conv",
        (spread.shape[1], spread.shape[2]), (1, 1), (before[0], before[1], after[0], after[1]),
        None, spread, np.repeat(layer.weight_scale, copies), np.repeat(layer.bias, copies),
        Requantization(np.repeat(layer.requantization.multiplier, copies),
                       np.repeat(layer.requantization.shift, copies)), layer.clamp)
    model.layers.append(phases)
    return _pixels(model, operator, phases, stride, (wanted[1], wanted[2], wanted[3]))


def _line(size: int, wanted: int, window: int, step: int,
          before: int) -> tuple[np.ndarray, int, int, int]:
    """How an axis is computed.

    Returns
    -------
    tuple
        Which weight each place of the new kernel has for each remainder, or -1: integers
        ``[step, places]``; padding before and after; number of rows.
    """
    rows = -(-wanted // step)
    most = -(-window // step)
    whole, rest = np.divmod(np.arange(step) + before, step)
    first = int(whole.min()) - most + 1
    places = np.arange(first, int(whole.max()) + 1)
    weight = step * (whole[:, None] - places) + rest[:, None]
    taps = np.where((weight >= 0) & (weight < window), weight, -1)
    after = rows - 1 + int(places[-1]) - (size - 1)
    keep = len(places) + min(0, after)
    if first > 0 or keep < 1 or (taps[:, keep:] >= 0).any():
        raise VqromError(f"must not make {wanted} of {size} by {window} with stride {step}")
    return taps[:, :keep], -first, max(0, after), rows


def _spread(weights: np.ndarray, taps: tuple[np.ndarray, ...]) -> np.ndarray:
    """Weights ``[C_out * stride_y * stride_x, places_y, places_x, C_in]`` of all remainders."""
    padded = np.pad(weights, ((0, 0), (0, 1), (0, 1), (0, 0)))
    picked = padded[:, taps[0][:, None, :, None], taps[1][None, :, None, :]]
    return np.ascontiguousarray(picked.reshape(-1, *picked.shape[3:]))


def _pixels(model: Int8Network, operator: TfliteOperator, phases: Conv, stride: tuple[int, int],
            shape: tuple[int, int, int]) -> TfliteValue:
    height, width, channels = shape
    rows, columns = phases.shape[0] * stride[0], phases.shape[1] * stride[1]
    exact = (rows, columns) == (height, width)
    if stride[0] == stride[1] and (exact or stride[0] > 1):
        name = operator.name if exact else model.fresh(f"{operator.name}_pixels")
        layer = DepthToSpace(name, (phases.name,), (rows, columns, channels), phases.quantization,
                             stride[0])
        if exact:
            return model.add(operator, layer)
        model.layers.append(layer)
        steps: list[HostStep] = []
        value = TfliteValue(layer.name, layer.shape, layer.shape)
    else:
        steps = [
            HostStep("reshape.default", ({"input": 0}, [-1, *phases.shape[:2], channels,
                                                        *stride]), {}),
            HostStep("permute.default", ({"step": 0}, [0, 1, 4, 2, 5, 3]), {}),
            HostStep("reshape.default", ({"step": 1}, [-1, rows, columns, channels]), {})]
        value = TfliteValue(phases.name, phases.shape, phases.shape)
    for axis, size in ((1, height), (2, width)):
        last = {"step": len(steps) - 1} if steps else {"input": 0}
        steps.append(HostStep("slice.Tensor", (last, axis, 0, size), {}))
    return model.host(operator.name, "pixels", [value], shape, shape, phases.quantization, steps)


OPERATORS = {"TRANSPOSE_CONV": transpose_conv}
"""What reads the transposed convolution, by its name."""
