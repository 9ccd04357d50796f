"""From a float network to a quantised one on a codebook: scales, zero points, integer biases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from vqrom_hw.errors import VqromError

from .assign import Assignment, assign
from .codebook import UniversalCodebook
from .float_network import (
    INPUT,
    FloatAdd,
    FloatConv,
    FloatGlobalAveragePool,
    FloatIdentity,
    FloatLayer,
    FloatMaxPool,
    FloatNetwork,
    float_forward,
    float_layer,
    linear_part,
)
from .network import (
    Add,
    Conv,
    GlobalAveragePool,
    Layer,
    MaxPool,
    Quantization,
    QuantizedNetwork,
    Requantization,
)
from .requantization import ADD_SHIFT, quantize_multiplier

LOWEST, HIGHEST = -128, 127
STEPS = HIGHEST - LOWEST
MAX_CALIBRATION = 256
"""Calibration inputs used; more change the ranges little."""

MAX_BIAS = 1 << 30
"""Integer biases stay below, so that they and the products fit int32 together."""

CLIP = 1e-5
"""Part of a feature map's values, on either side, that its range may leave out."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Encoded:
    """A convolution on the codebook, before it is quantised.

    Members
    -------
    assignment:
        Indices and integer weights.
    scale:
        float64 ``[C_out]``: real weight = ``scale * integer``.
    bias:
        float64 ``[C_out]``.
    """

    assignment: Assignment
    scale: np.ndarray
    bias: np.ndarray


@torch.no_grad()
def compress(network: FloatNetwork, codebook: UniversalCodebook, calibration: np.ndarray,
             progress: Progress | None = None) -> QuantizedNetwork:
    """Put a network on a codebook and quantise it to int8.

    Every sub-vector gets its nearest codeword. Layer by layer, on the calibration inputs and with
    the layers before already encoded, each output channel's scale and bias are then set so that
    its pre-activation has the float network's mean and standard deviation: what re-estimating the
    statistics of batch norm would do, for networks whose batch norm is folded or that have none.

    Parameters
    ----------
    network:
        Float network.
    codebook:
        Where the weights come from.
    calibration:
        float32 ``[N, C, H, W]`` inputs like those to come; no labels needed.
    progress:
        Called with what is being done, layers done, and layers in all.

    Raises
    ------
    VqromError
        If the calibration does not fit the network, or a layer cannot be quantised.
    """
    images = _check_calibration(network, calibration)
    targets = float_forward(network, images)
    maps = {INPUT: images}
    quantizations = {INPUT: _quantization_of(images)}
    layers: list[Layer] = []
    for number, layer in enumerate(network.layers):
        inputs = [maps[name] for name in layer.inputs]
        encoded = None
        if isinstance(layer, FloatConv):
            wanted = linear_part(layer, layer.weight, layer.bias, targets[layer.inputs[0]])
            encoded = _encode(layer, codebook, inputs[0], wanted)
            maps[layer.name] = _encoded_forward(layer, encoded, inputs[0])
        else:
            maps[layer.name] = float_layer(layer, inputs)
        quantizations[layer.name] = _output_quantization(layer, maps[layer.name], quantizations)
        pixels = inputs[0].shape[2] * inputs[0].shape[3]
        layers.append(_quantize(layer, encoded, quantizations, pixels))
        if progress:
            progress("assigning codewords", number + 1, len(network.layers))
    return QuantizedNetwork(network.name, network.input_shape, quantizations[INPUT],
                            tuple(layers), network.output_shape, codebook.sha256)


def _check_calibration(network: FloatNetwork, calibration: np.ndarray) -> torch.Tensor:
    height, width, channels = network.input_shape
    if calibration.dtype != np.float32 or calibration.ndim != 4 or not len(calibration) \
            or calibration.shape[1:] != (channels, height, width):
        raise VqromError(
            f"calibration of network {network.name!r} must be float32 of shape (N, {channels}, "
            f"{height}, {width}), not {calibration.dtype} of {calibration.shape!r}")
    if not np.isfinite(calibration).all():
        raise VqromError(f"calibration of network {network.name!r} must be finite")
    return torch.from_numpy(np.ascontiguousarray(calibration[:MAX_CALIBRATION]))


def _encode(layer: FloatConv, codebook: UniversalCodebook, x: torch.Tensor,
            wanted: torch.Tensor) -> Encoded:
    assignment = assign(layer.weight, codebook)
    weight = assignment.integers.float()
    got = linear_part(layer, weight, torch.zeros(len(weight)), x)
    dims = (0, 2, 3)
    spread_got, spread_wanted = (part.double().std(dims, correction=0) for part in (got, wanted))
    mean_got, mean_wanted = (part.double().mean(dims) for part in (got, wanted))
    fitted = torch.from_numpy(assignment.scale)
    # A channel that hardly varies says nothing about its scale.
    usable = (spread_got * fitted > 1e-6) & (spread_wanted > 1e-6) & (x.shape[0] > 1)
    ratio = torch.where(usable, spread_wanted / (spread_got * fitted).clamp(min=1e-12), 1.0)
    scale = fitted * ratio.clamp(0.5, 2.0)
    bias = mean_wanted - scale * mean_got
    return Encoded(assignment, scale.numpy(), bias.numpy())


def _encoded_forward(layer: FloatConv, encoded: Encoded, x: torch.Tensor) -> torch.Tensor:
    scale = torch.from_numpy(encoded.scale).float().reshape(-1, 1, 1, 1)
    weight = encoded.assignment.integers.float() * scale
    bias = torch.from_numpy(encoded.bias).float()
    return linear_part(layer, weight, bias, x).clamp(*layer.bounds)


def _quantization_of(values: torch.Tensor) -> Quantization:
    """Range of all values but the ``CLIP`` outermost, widened to 0, which is exact.

    ``scale = (high - low) / 255`` and ``zero_point = round(-128 - low / scale)``.
    """
    flat = values.flatten().double()
    left_out = int(len(flat) * CLIP)
    low = min(0.0, float(flat.kthvalue(left_out + 1).values))
    high = max(0.0, float(flat.kthvalue(len(flat) - left_out).values))
    if high - low < 1e-30:
        return Quantization(1.0, 0)
    scale = (high - low) / STEPS
    return Quantization(scale, int(np.clip(round(LOWEST - low / scale), LOWEST, HIGHEST)))


def _output_quantization(layer: FloatLayer, output: torch.Tensor,
                         quantizations: dict[str, Quantization]) -> Quantization:
    """Of a layer's output; those that pass values on keep their input's, which is exact."""
    if isinstance(layer, FloatMaxPool | FloatIdentity):
        return quantizations[layer.inputs[0]]
    return _quantization_of(output)


def _quantize(layer: FloatLayer, encoded: Encoded | None,
              quantizations: dict[str, Quantization], pixels: int) -> Layer:
    common = (layer.name, layer.inputs, layer.shape, quantizations[layer.name])
    sources = [quantizations[name] for name in layer.inputs]
    output = quantizations[layer.name]
    match layer:
        case FloatConv():
            assert encoded is not None
            return _conv(layer, encoded, sources[0], output)
        case FloatIdentity():
            return _identity(layer, sources[0], output)
        case FloatMaxPool():
            return MaxPool(*common, layer.kernel, layer.stride, layer.padding)
        case FloatGlobalAveragePool():
            factor = sources[0].scale / (output.scale * pixels)
            return GlobalAveragePool(*common, quantize_multiplier(layer.name, factor))
        case FloatAdd():
            twice = 2 * max(source.scale for source in sources)
            first, second = (quantize_multiplier(layer.name, source.scale / twice)
                             for source in sources)
            out = quantize_multiplier(layer.name, twice / (2**ADD_SHIFT * output.scale))
            return Add(*common, (first, second), out, _clamp(layer.bounds, output))
        case _:
            raise TypeError(f"unknown layer class {type(layer).__name__}")


def _conv(layer: FloatConv, encoded: Encoded, source: Quantization, output: Quantization) -> Conv:
    # A channel whose weights vanish beside its bias needs a scale in which the bias fits.
    scale = np.maximum(encoded.scale, np.abs(encoded.bias) / (source.scale * MAX_BIAS))
    scale = np.where(scale > 0, scale, 1e-12)
    bias = np.round(encoded.bias / (source.scale * scale)).astype(np.int64)
    integers = encoded.assignment.integers.numpy().astype(np.int64)
    worst = np.abs(bias) + STEPS * np.abs(integers).sum((1, 2, 3))
    if worst.max() >= 1 << 31:
        raise VqromError(f"layer {layer.name!r} ({layer.kind}): accumulators must fit int32, "
                         f"but may reach {int(worst.max())!r}")
    requantization = quantize_multiplier(layer.name, source.scale * scale / output.scale)
    return Conv(layer.name, layer.inputs, layer.shape, output, layer.kind,
                (layer.weight.shape[2], layer.weight.shape[3]), layer.stride, layer.padding,
                encoded.assignment.indices, None, scale, bias.astype(np.int32), requantization,
                _clamp(layer.bounds, output))


def _identity(layer: FloatIdentity, source: Quantization, output: Quantization) -> Conv:
    """A 1x1 convolution with raw weights 0 and 1; input and output share their scale."""
    before, after = layer.channels
    channels = layer.shape[2]
    raw = np.zeros((channels, 1, 1, channels - before - after), np.int8)
    passed = np.arange(raw.shape[3])
    raw[before + passed, 0, 0, passed] = 1
    one = Requantization(np.full(channels, 1 << 30, np.int32), np.ones(channels, np.int8))
    return Conv(layer.name, layer.inputs, layer.shape, output, "conv", (1, 1), layer.stride,
                (0, 0, 0, 0), None, raw, np.ones(channels), np.zeros(channels, np.int32), one,
                _clamp(layer.bounds, output))


def _clamp(bounds: tuple[float, float], output: Quantization) -> tuple[int, int]:
    """An activation's bounds in the output's integers."""
    low, high = (int(np.clip(np.round(bound / output.scale) + output.zero_point, LOWEST, HIGHEST))
                 for bound in bounds)
    return low, high
