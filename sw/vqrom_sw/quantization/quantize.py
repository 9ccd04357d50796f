"""From an encoded network to a quantised one: scales, zero points, integer biases, multipliers.

The encoded network runs once more on sample inputs, each layer after those before it, and the
ranges of the feature maps that come out decide their scales. A layer's integer result is then
rescaled from the scale of its accumulators to that of its output by fixed-point multipliers, as
TensorFlow Lite does it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from vqrom_hw.errors import VqromError
from vqrom_hw.lib import OPERAND_SHIFT
from vqrom_sw.arithmetic import (
    HIGHEST,
    LOWEST,
    Quantization,
    Requantization,
    quantize_multiplier,
)
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.encoding import Encoded, encoded_layer
from vqrom_sw.network import (
    INPUT,
    Add,
    Conv,
    FloatAdd,
    FloatConv,
    FloatGlobalAveragePool,
    FloatHost,
    FloatIdentity,
    FloatLayer,
    FloatMaxPool,
    FloatNetwork,
    GlobalAveragePool,
    Host,
    Layer,
    MaxPool,
    QuantizedNetwork,
)
from vqrom_sw.reference import fold_layers

from .ranges import STEPS, Ranges, quantization_of

MAX_BIAS = 1 << 30
"""Magnitude that no integer bias exceeds: half of what int32 holds, so that room is left for the
products.
"""

LEAST_SCALE = 1e-12
"""Scale of an output channel whose weights and bias are all 0, where any would do."""



@torch.no_grad()
def quantize_network(network: FloatNetwork, codebook: UniversalCodebook,
                     encoded: Mapping[str, Encoded], images: torch.Tensor,
                     ranges: Ranges = Ranges.PERCENTILE) -> QuantizedNetwork:
    """Quantise an encoded network to int8.

    Parameters
    ----------
    network:
        The network in float, as it was captured.
    codebook:
        Codebook that the convolutions were encoded with.
    encoded:
        Each convolution by its layer's name.
    images:
        float32 ``[N, C, H, W]``: the values that they give fix the ranges of the feature maps.
    ranges:
        The rule by which a feature map's values give its int8 range.

    Raises
    ------
    VqromError
        If an accumulator could exceed int32, or a factor between layers is too large for a
        multiplier.
    """
    quantizations = {INPUT: quantization_of(images, ranges)}
    layers: list[Layer] = []

    def run(layer: FloatLayer, inputs: list[torch.Tensor]) -> torch.Tensor:
        output = encoded_layer(layer, encoded.get(layer.name), inputs)
        quantizations[layer.name] = _output_quantization(layer, output, quantizations, ranges)
        pixels = inputs[0].shape[2] * inputs[0].shape[3]
        layers.append(_quantize(layer, encoded.get(layer.name), quantizations, pixels))
        return output

    fold_layers(network, images, run)
    return QuantizedNetwork(network.name, network.input_shape, quantizations[INPUT],
                            tuple(layers), network.output_shape, codebook.sha256)


def _output_quantization(layer: FloatLayer, output: torch.Tensor,
                         quantizations: dict[str, Quantization],
                         ranges: Ranges) -> Quantization:
    """Find the quantisation of a layer's output.

    Layers that only pass values on keep that of their input, so that they lose nothing.
    """
    if isinstance(layer, FloatMaxPool | FloatIdentity):
        return quantizations[layer.inputs[0]]
    return quantization_of(output, ranges)


def _quantize(layer: FloatLayer, encoded: Encoded | None,
              quantizations: dict[str, Quantization], pixels: int) -> Layer:
    """Quantise one layer, whose first input has ``pixels`` pixels."""
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
            out = quantize_multiplier(layer.name, twice / (2**OPERAND_SHIFT * output.scale))
            return Add(*common, (first, second), out, _clamp(layer.bounds, output))
        case FloatHost():
            return Host(*common, layer.kind, layer.steps,
                        tuple(constant.numpy() for constant in layer.constants),
                        layer.input_shapes)
        case _:
            raise TypeError(f"unknown layer class {type(layer).__name__}")


def _conv(layer: FloatConv, encoded: Encoded, source: Quantization, output: Quantization) -> Conv:
    """Quantise a convolution: its bias to the accumulators' scale, and the factor to its output's.
    """
    # A channel whose weights vanish beside its bias needs a scale in which the bias fits.
    scale = np.maximum(encoded.scale, np.abs(encoded.bias) / (source.scale * MAX_BIAS))
    scale = np.where(scale > 0, scale, LEAST_SCALE)
    bias = np.round(encoded.bias / (source.scale * scale)).astype(np.int64)
    integers = encoded.integers.numpy().astype(np.int64)
    worst = np.abs(bias) + STEPS * np.abs(integers).sum((1, 2, 3))
    if worst.max() >= 1 << 31:
        raise VqromError(f"layer {layer.name!r} ({layer.kind}): accumulators must fit int32, "
                         f"but may reach {int(worst.max())!r}")
    requantization = quantize_multiplier(layer.name, source.scale * scale / output.scale)
    raw = encoded.integers.permute(0, 2, 3, 1).contiguous().numpy() \
        if encoded.indices is None else None
    return Conv(name=layer.name, inputs=layer.inputs, shape=layer.shape, quantization=output,
                kind=layer.kind, kernel=(layer.weight.shape[2], layer.weight.shape[3]),
                stride=layer.stride, padding=layer.padding, indices=encoded.indices, raw=raw,
                weight_scale=scale, bias=bias.astype(np.int32), requantization=requantization,
                clamp=_clamp(layer.bounds, output), groups=layer.groups)


def _identity(layer: FloatIdentity, source: Quantization, output: Quantization) -> Conv:
    """Make a 1x1 convolution with raw weights 0 and 1, whose input and output share their scale."""
    before, after = layer.channels
    channels = layer.shape[2]
    raw = np.zeros((channels, 1, 1, channels - before - after), np.int8)
    passed = np.arange(raw.shape[3])
    raw[before + passed, 0, 0, passed] = 1
    one = Requantization(np.full(channels, 1 << 30, np.int32), np.ones(channels, np.int8))
    return Conv(name=layer.name, inputs=layer.inputs, shape=layer.shape, quantization=output,
                kind="conv", kernel=(1, 1), stride=layer.stride, padding=(0, 0, 0, 0),
                indices=None, raw=raw, weight_scale=np.ones(channels),
                bias=np.zeros(channels, np.int32), requantization=one,
                clamp=_clamp(layer.bounds, output))


def _clamp(bounds: tuple[float, float], output: Quantization) -> tuple[int, int]:
    """Turn an activation's bounds into integers of the output's quantisation."""
    low, high = (int(np.clip(np.round(bound / output.scale) + output.zero_point, LOWEST, HIGHEST))
                 for bound in bounds)
    return low, high
