"""The integer reference in PyTorch: what the accelerator computes, byte for byte.

Every layer's output is int8, as the accelerator stores it. In between, values are int64, so that
nothing overflows here that would not there; quantisation guarantees that sums fit int32.
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
    INPUT,
    Add,
    AveragePool,
    Conv,
    GlobalAveragePool,
    Host,
    Layer,
    MaxPool,
    QuantizedNetwork,
    Softmax,
    image_shaped,
    native,
    run_steps,
)

BATCH = 16
"""Images that run at once, which bounds the memory of the accumulators."""


def quantize_input(network: QuantizedNetwork, array: np.ndarray) -> np.ndarray:
    """Turn inputs of the float network into those of the accelerator.

    Parameters
    ----------
    network:
        The quantised network, whose numbers are all integers.
    array:
        ``[N, C, H, W]``, or ``[N, S, C]`` for a sequence: float32 as the float network takes it,
        or int8 already quantised.

    Returns
    -------
    numpy.ndarray
        int8 ``[N, H, W, C]``, contiguous.

    Raises
    ------
    VqromError
        If shape or type are not those of the network's inputs, or a value is not finite.
    """
    height, width, channels = network.input_shape
    expected = (channels, height, width)
    array = image_shaped(array)
    if array.ndim != 4 or array.shape[1:] != expected or not len(array):
        raise VqromError(f"inputs of network {network.name!r} must have shape "
                         f"(N, {channels}, {height}, {width}) with N >= 1, not {array.shape!r}")
    if array.dtype not in (np.float32, np.int8):
        raise VqromError(f"inputs of network {network.name!r} must be float32 or int8, "
                         f"not {str(array.dtype)!r}")
    if array.dtype == np.float32:
        if not np.isfinite(array).all():
            raise VqromError(f"inputs of network {network.name!r} must be finite")
        array = quantize(array, network.input_quantization)
    return np.ascontiguousarray(array.transpose(0, 2, 3, 1))


@torch.no_grad()
def run_reference(network: QuantizedNetwork, codebook: UniversalCodebook | None,
                  inputs: np.ndarray) -> dict[str, np.ndarray]:
    """Run a quantised network, and keep every layer's output.

    Parameters
    ----------
    network:
        The quantised network, whose numbers are all integers.
    codebook:
        The codebook that the network was compressed onto; any, or None, if none of its layers has
        indices.
    inputs:
        int8 ``[N, H, W, C]``, from :func:`quantize_input`.

    Returns
    -------
    dict
        int8 ``[N, H, W, C]`` of every layer by name, and the input as ``"input"``.

    Raises
    ------
    VqromError
        If the network belongs to another codebook.
    """
    network.check_codebook("none" if codebook is None else codebook.sha256)
    weights = {layer.name: layer_weights(layer, network, codebook)
               for layer in network.layers if isinstance(layer, Conv)}
    parts: dict[str, list[np.ndarray]] = {}
    for first in range(0, len(inputs), BATCH):
        results = {INPUT: torch.from_numpy(inputs[first:first + BATCH].astype(np.int64))}
        for layer in network.layers:
            results[layer.name] = run_layer(network, layer, weights.get(layer.name),
                                            [results[name] for name in layer.inputs])
        for name, value in results.items():
            parts.setdefault(name, []).append(value.numpy().astype(np.int8))
    return {name: np.concatenate(values) for name, values in parts.items()}


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
        case Add():
            first, second = (
                multiply_by_quantized_multiplier((value - zero_point) << OPERAND_SHIFT, scale)
                for value, zero_point, scale in zip(inputs, zero_points,
                                                    layer.input_requantization, strict=True))
            scaled = multiply_by_quantized_multiplier(first + second, layer.requantization)
            return finish(scaled, layer, layer.clamp)
        case Softmax():
            return softmax(x, layer.multiplier, layer.shift)
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
    output = run_steps(layer.steps, real, constants, layer.input_shapes, layer.shape)
    integers = quantize(output.numpy(), layer.quantization).astype(np.int64)
    return torch.from_numpy(integers).permute(0, 2, 3, 1)


def convolve(layer: Conv, weights: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Compute a convolution's accumulators, int64 ``[N, H, W, C_out]``, bias included.

    ``x`` has its zero point taken off already. PyTorch convolves in float64, which is exact here:
    every partial sum is an integer below ``2**53``.
    """
    top, left, bottom, right = layer.padding
    planes = F.pad(x.permute(0, 3, 1, 2).double(), (left, right, top, bottom))
    sums = F.conv2d(planes, weights, stride=layer.stride, groups=layer.groups).to(torch.int64)
    return sums.permute(0, 2, 3, 1) + torch.from_numpy(layer.bias.astype(np.int64))


def max_pool(layer: MaxPool, x: torch.Tensor) -> torch.Tensor:
    """Take the largest value of each window of int64 ``[N, H, W, C]``; padding never wins."""
    top, left, bottom, right = layer.padding
    planes = F.pad(x.permute(0, 3, 1, 2).double(), (left, right, top, bottom), value=LOWEST)
    return F.max_pool2d(planes, layer.kernel, layer.stride).to(torch.int64).permute(0, 2, 3, 1)


def average_pool(layer: AveragePool, x: torch.Tensor) -> torch.Tensor:
    """Average each window of int64 ``[N, H, W, C]``, rounded to nearest, ties away from zero.

    Padding is not counted.
    """
    top, left, bottom, right = layer.padding

    def sums(planes: torch.Tensor) -> torch.Tensor:
        padded = F.pad(planes, (left, right, top, bottom))
        return F.avg_pool2d(padded, layer.kernel, layer.stride, divisor_override=1).to(torch.int64)

    planes = x.permute(0, 3, 1, 2).double()
    total, count = sums(planes), sums(torch.ones_like(planes[:1, :1]))
    rounded = total.sign() * ((total.abs() + count // 2) // count)
    return rounded.clamp(*layer.clamp).permute(0, 2, 3, 1)


def finish(scaled: torch.Tensor, layer: Layer, clamp: tuple[int, int]) -> torch.Tensor:
    """Add the zero point of the layer's output, and clamp to ``(lowest, highest)``."""
    return (scaled + layer.quantization.zero_point).clamp(*clamp)


def output_of(network: QuantizedNetwork, results: dict[str, np.ndarray]) -> np.ndarray:
    """Pick the network's output, in the shape that the float network gives it.

    Parameters
    ----------
    network:
        The quantised network, whose numbers are all integers.
    results:
        Every layer's output, from :func:`run_reference` or a simulation.

    Returns
    -------
    numpy.ndarray
        int8 ``[N, *output_shape]``.
    """
    last = results[network.layers[-1].name]
    planes = torch.from_numpy(np.ascontiguousarray(last.transpose(0, 3, 1, 2)))
    return np.ascontiguousarray(native(planes, network.output_shape).numpy())


def dequantize(network: QuantizedNetwork, outputs: np.ndarray) -> np.ndarray:
    """Turn int8 outputs of the network into the float network's units, float32 of any shape."""
    quantization = network.layers[-1].quantization
    return ((outputs.astype(np.float32) - quantization.zero_point)
            * np.float32(quantization.scale))
