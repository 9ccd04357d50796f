"""Depthwise convolutions with several outputs for each input channel: where and how they run.

The vector unit keeps lanes apart, one output for each of its input's channels. So the array first
repeats each channel as often as it has outputs, by weights of 1; on the map that this makes, the
layer is a plain depthwise convolution. The array alone could do it, too, as a convolution whose
weights are zero for all other channels: a pass for each position of the kernel.
"""

from __future__ import annotations

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_sw.arithmetic import HIGHEST, LOWEST, Quantization, quantize_multiplier
from vqrom_sw.network import Conv

from .feature_map import FeatureMap
from .tasks import vector_cycles


def runs_on_vector_unit(layer: Conv, config: AcceleratorConfig) -> bool:
    """Whether the vector unit does a depthwise convolution, not the array with expanded weights.

    The array does kernels of more than ``vector_taps`` positions, and those with several outputs
    for each channel if it takes fewer cycles for a row of outputs.
    """
    positions = layer.kernel[0] * layer.kernel[1]
    if positions > config.vector_taps:
        return False
    array = positions * layer.shape[1] * config.rows // config.columns
    return layer.shape[2] == layer.groups or vector_cycles(layer, config) <= array


def repeat_channels(layer: Conv, source: FeatureMap) -> Conv:
    """The convolution of one pixel that repeats the channels of a depthwise layer's input.

    Channel ``c`` becomes channels ``c * m`` to ``(c + 1) * m``, unchanged, where ``m`` is the
    number of outputs that the layer makes of each.
    """
    name, count = f"repeated input of {layer.name}", layer.shape[2]
    return Conv(
        name, layer.inputs, (source.height, source.width, count),
        Quantization(1.0, source.zero_point), "conv", (1, 1), (1, 1), (0, 0, 0, 0), None,
        np.ones((count, 1, 1, 1), np.int8), np.ones(count), np.zeros(count, np.int32),
        quantize_multiplier(name, np.ones(count)), (LOWEST, HIGHEST), layer.groups)
