"""The integer reference of single layers: int8 maps in, int8 maps out, by integers alone.

In between, values are int64, so that nothing overflows here that would not in the accelerator;
quantisation guarantees that sums fit int32.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from vqrom_hw.errors import VqromError
from vqrom_hw.lib import OPERAND_SHIFT
from vqrom_sw.arithmetic import (
    HIGHEST,
    LOWEST,
    multiply_by_quantized_multiplier,
    quantize,
    softmax,
)
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.network import (
    AveragePool,
    Concat,
    Conv,
    DepthToSpace,
    Elementwise,
    GlobalAveragePool,
    Host,
    Layer,
    Lstm,
    MaxPool,
    Pad,
    QuantizedNetwork,
    Select,
    Softmax,
    Table,
    Upsample,
    run_steps,
)

from .floating_point import OPERATORS, select_channels, upsample
from .lstm import run_lstm


def layer_weights(layer: Conv, network: QuantizedNetwork,
                  codebook: UniversalCodebook | None) -> torch.Tensor:
    """Look up a convolution's weights, float64 ``[C_out, C_in / groups, kernel_y, kernel_x]``.

    The values are integers: the codewords' entries, or the raw weights.
    """
    if layer.raw is not None:
        merged = layer.raw
    else:
        assert layer.indices is not None and codebook is not None
        channels = network.shape_of(layer.inputs[0])[2] // layer.groups
        looked_up = codebook.codewords[layer.indices]
        merged = looked_up.reshape(*layer.indices.shape[:3], -1)[..., :channels]
    return torch.from_numpy(np.ascontiguousarray(merged.transpose(0, 3, 1, 2))).double()


def run_layer(network: QuantizedNetwork, layer: Layer, weights: torch.Tensor | None,
              inputs: list[torch.Tensor]) -> torch.Tensor:
    """Run one layer on int64 feature maps.

    Parameters
    ----------
    network:
        Quantised network, which knows the zero points of the layer's inputs.
    layer:
        Any of its layers.
    weights:
        From :func:`layer_weights` for a convolution; otherwise None.
    inputs:
        int64 ``[N, H, W, C]``, int8 in value, for each of the layer's inputs.

    Returns
    -------
    torch.Tensor
        int64 ``[N, H, W, C]``, int8 in value.

    Raises
    ------
    TypeError
        If the layer is of no known class.
    """
    x = inputs[0]
    zero_points = [network.quantization_of(name).zero_point for name in layer.inputs]
    match layer:
        case Conv():
            assert weights is not None
            accumulated = convolve(layer, weights, x - zero_points[0])
            scaled = multiply_by_quantized_multiplier(accumulated, layer.requantization)
            return finish(scaled, layer, layer.clamp)
        case MaxPool():
            return max_pool(layer, x)
        case AveragePool():
            return average_pool(layer, x)
        case GlobalAveragePool():
            total = (x - zero_points[0]).sum((1, 2), keepdim=True)
            scaled = multiply_by_quantized_multiplier(total, layer.requantization)
            return finish(scaled, layer, (LOWEST, HIGHEST))
        case Elementwise():
            return elementwise(layer, inputs, zero_points)
        case Table():
            return look_up(layer, x)
        case Concat():
            return concatenate(layer, inputs, zero_points)
        case Select():
            taken = select_channels(x.permute(0, 3, 1, 2), layer.sources.tolist(), layer.stride,
                                    layer.quantization.zero_point)
            return taken.clamp(*layer.clamp).permute(0, 2, 3, 1)
        case Pad():
            top, left, bottom, right = layer.padding
            return F.pad(x, (0, 0, left, right, top, bottom), value=layer.value)
        case Upsample():
            return upsample(x.permute(0, 3, 1, 2), layer.factor).permute(0, 2, 3, 1)
        case DepthToSpace():
            return F.pixel_shuffle(x.permute(0, 3, 1, 2), layer.block).permute(0, 2, 3, 1)
        case Softmax():
            return softmax(x, layer.multiplier, layer.shift)
        case Lstm():
            return run_lstm(layer, x - zero_points[0])
        case Host():
            return run_host(network, layer, inputs)
        case _:
            raise TypeError(f"unknown layer class {type(layer).__name__}")


def run_host(network: QuantizedNetwork, layer: Host, inputs: list[torch.Tensor]) -> torch.Tensor:
    """Run a host layer: in float32 on dequantised inputs, its output quantised again.

    Inputs and output are int64 ``[N, H, W, C]``.
    """
    real = []
    for name, x in zip(layer.inputs, inputs, strict=True):
        quantization = network.quantization_of(name)
        real.append((x - quantization.zero_point).permute(0, 3, 1, 2).float() * quantization.scale)
    constants = [torch.from_numpy(constant) for constant in layer.constants]
    try:
        output = run_steps(layer.steps, real, constants, layer.inputs_native, layer.native,
                           layer.shape)
    except VqromError as error:
        raise VqromError(f"layer {layer.name!r}: {error}") from None
    integers = quantize(output.numpy(), layer.quantization).astype(np.int64)
    return torch.from_numpy(integers).permute(0, 2, 3, 1)


def convolve(layer: Conv, weights: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Compute a convolution's accumulators, int64 ``[N, H, W, C_out]``, bias included.

    ``x`` has its zero point taken off already. PyTorch convolves in float64, which is exact here:
    every partial sum is an integer below ``2**53``.
    """
    top, left, bottom, right = layer.padding
    planes = F.pad(x.permute(0, 3, 1, 2).double(), (left, right, top, bottom))
    sums = F.conv2d(planes, weights, stride=layer.stride, dilation=layer.dilation,
                    groups=layer.groups).to(torch.int64)
    return sums.permute(0, 2, 3, 1) + torch.from_numpy(layer.bias.astype(np.int64))


def max_pool(layer: MaxPool, x: torch.Tensor) -> torch.Tensor:
    """Take the largest value of each window of int64 ``[N, H, W, C]``; padding never wins."""
    top, left, bottom, right = layer.padding
    planes = F.pad(x.permute(0, 3, 1, 2).double(), (left, right, top, bottom), value=LOWEST)
    pooled = F.max_pool2d(planes, layer.kernel, layer.stride, dilation=layer.dilation)
    return pooled.to(torch.int64).permute(0, 2, 3, 1)


def average_pool(layer: AveragePool, x: torch.Tensor) -> torch.Tensor:
    """Average each window of int64 ``[N, H, W, C]``, rounded to nearest, ties away from zero."""
    top, left, bottom, right = layer.padding

    def sums(planes: torch.Tensor, beyond: int) -> torch.Tensor:
        padded = F.pad(planes, (left, right, top, bottom), value=beyond)
        return F.avg_pool2d(padded, layer.kernel, layer.stride, divisor_override=1).to(torch.int64)

    planes, counted = x.permute(0, 3, 1, 2).double(), int(layer.count_padding)
    total = sums(planes, counted * layer.quantization.zero_point)
    count = sums(torch.ones_like(planes[:1, :1]), counted)
    rounded = total.sign() * ((total.abs() + count // 2) // count)
    return rounded.clamp(*layer.clamp).permute(0, 2, 3, 1)


def elementwise(layer: Elementwise, inputs: list[torch.Tensor],
                zero_points: list[int]) -> torch.Tensor:
    """Combine two maps int64 ``[N, H, W, C]``, the second perhaps of a single pixel."""
    first, second = (value - zero_point
                     for value, zero_point in zip(inputs, zero_points, strict=True))
    if layer.input_requantization is not None:
        first, second = (
            multiply_by_quantized_multiplier(value << OPERAND_SHIFT, scale)
            for value, scale in zip((first, second), layer.input_requantization, strict=True))
    combined = OPERATORS[layer.operator](first, second)
    scaled = multiply_by_quantized_multiplier(combined, layer.requantization)
    return finish(scaled, layer, layer.clamp)


def look_up(layer: Table, x: torch.Tensor) -> torch.Tensor:
    """Replace each number of int64 ``[N, H, W, C]`` by its entry in the table."""
    table = torch.from_numpy(layer.table.astype(np.int64))
    which = torch.arange(x.shape[3]) % len(table)
    return table[which, x - LOWEST]


def concatenate(layer: Concat, inputs: list[torch.Tensor],
                zero_points: list[int]) -> torch.Tensor:
    """Rescale each of several maps int64 ``[N, H, W, C]``, and put their channels together."""
    parts = [finish(multiply_by_quantized_multiplier(value - zero_point, scale), layer,
                    (LOWEST, HIGHEST))
             for value, zero_point, scale in zip(inputs, zero_points, layer.input_requantization,
                                                 strict=True)]
    return torch.cat(parts, 3)


def finish(scaled: torch.Tensor, layer: Layer, clamp: tuple[int, int]) -> torch.Tensor:
    """Add the zero point of the layer's output, and clamp to ``(lowest, highest)``."""
    return (scaled + layer.quantization.zero_point).clamp(*clamp)
