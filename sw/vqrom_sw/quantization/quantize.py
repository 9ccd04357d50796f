"""From an encoded network to a quantised one: the ranges of its feature maps.

The encoded network runs once more on sample inputs, each layer after those before it, and the
ranges of the feature maps that come out decide their scales. A layer's integer result is then
rescaled from the scale of its accumulators to that of its output by fixed-point multipliers, as
TensorFlow Lite does it.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import Quantization
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.encoding import Encoded, encoded_layer
from vqrom_sw.network import (
    INPUT,
    FloatAveragePool,
    FloatDepthToSpace,
    FloatLayer,
    FloatMaxPool,
    FloatNetwork,
    FloatPad,
    FloatSelect,
    FloatUpsample,
    QuantizedNetwork,
)
from vqrom_sw.reference import fold_layers

from .layers import quantize_layer
from .ranges import Ranges, quantization_of
from .shared_ranges import share_ranges

KEEPS_QUANTIZATION = (FloatMaxPool, FloatAveragePool, FloatSelect, FloatPad, FloatUpsample,
                      FloatDepthToSpace)
"""Layers that pass numbers on, whose output has the quantisation of their input, so that they lose
nothing."""


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
        If a result on the images is not finite, an accumulator could exceed int32, or a factor
        between layers is too large for a multiplier.
    """
    quantizations = {INPUT: quantization_of(images, ranges)}

    def run(layer: FloatLayer, inputs: list[torch.Tensor]) -> torch.Tensor:
        output = encoded_layer(layer, encoded.get(layer.name), inputs)
        if not output.isfinite().all():
            raise VqromError(f"layer {layer.name!r}: results must be finite numbers on the "
                             "calibration inputs")
        quantizations[layer.name] = _output_quantization(layer, output, quantizations, ranges)
        return output

    fold_layers(network, images, run)
    share_ranges(network, quantizations, KEEPS_QUANTIZATION)
    shapes = {INPUT: network.input_shape} | {layer.name: layer.shape for layer in network.layers}
    layers = tuple(quantize_layer(layer, encoded.get(layer.name), quantizations, shapes)
                   for layer in network.layers)
    return QuantizedNetwork(network.name, network.input_shape, quantizations[INPUT], layers,
                            network.outputs, codebook.sha256, network.input_native)


def _output_quantization(layer: FloatLayer, output: torch.Tensor,
                         quantizations: dict[str, Quantization],
                         ranges: Ranges) -> Quantization:
    """Find the quantisation of a layer's output."""
    if not isinstance(layer, KEEPS_QUANTIZATION):
        return quantization_of(output, ranges)
    return quantizations[layer.inputs[0]]
