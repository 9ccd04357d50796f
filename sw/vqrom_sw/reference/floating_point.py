"""The float reference: a captured network run in float32, one layer after the other.

Encoding and construction run layers in ways of their own, with other weights or two networks beside
each other. What they share is here, too: a fold over the layers that keeps a result only as long as
a later layer reads it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import torch
import torch.nn.functional as F

from vqrom_sw.network import (
    INPUT,
    FloatAveragePool,
    FloatConcat,
    FloatConv,
    FloatDepthToSpace,
    FloatElementwise,
    FloatGlobalAveragePool,
    FloatHost,
    FloatLayer,
    FloatMaxPool,
    FloatNetwork,
    FloatPad,
    FloatSelect,
    FloatTable,
    FloatUpsample,
    Native,
    Operator,
    run_steps,
)

T = TypeVar("T")
"""What a fold has for a layer's result: one feature map, or several."""

OPERATORS: dict[Operator, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "add": torch.add, "subtract": torch.sub, "multiply": torch.mul, "maximum": torch.maximum,
    "minimum": torch.minimum}
"""What computes each operator of elementwise layers, of numbers of any kind."""


def linear_part(layer: FloatConv, weight: torch.Tensor, bias: torch.Tensor | None,
                x: torch.Tensor) -> torch.Tensor:
    """Run a convolution with other weights, and without its activation.

    Parameters
    ----------
    layer:
        Gives stride, padding, dilation and groups.
    weight:
        ``[C_out, C_in / groups, kernel_y, kernel_x]``.
    bias:
        ``[C_out]``, or None for no bias.
    x:
        ``[N, C_in, H', W']``.

    Returns
    -------
    torch.Tensor
        ``[N, C_out, H, W]``.
    """
    return F.conv2d(pad(x, layer.padding), weight, bias, layer.stride, dilation=layer.dilation,
                    groups=layer.groups)


def pad(x: torch.Tensor, padding: tuple[int, int, int, int], value: float = 0.0) -> torch.Tensor:
    """Pad ``[N, C, H, W]`` by ``(top, left, bottom, right)`` pixels of a value."""
    top, left, bottom, right = padding
    return F.pad(x, (left, right, top, bottom), value=value) if any(padding) else x


def float_layer(layer: FloatLayer, inputs: list[torch.Tensor]) -> torch.Tensor:
    """Run one layer in float32, with its activation.

    Parameters
    ----------
    layer:
        Any layer of a float network.
    inputs:
        float32 ``[N, C, H, W]`` for each of the layer's inputs.

    Raises
    ------
    TypeError
        If the layer is of no known class.
    """
    x = inputs[0]
    match layer:
        case FloatConv():
            return linear_part(layer, layer.weight, layer.bias, x).clamp(*layer.bounds)
        case FloatSelect():
            return select_channels(x, layer.sources, layer.stride, 0.0).clamp(*layer.bounds)
        case FloatMaxPool():
            return F.max_pool2d(pad(x, layer.padding, -math.inf), layer.kernel, layer.stride,
                                dilation=layer.dilation)
        case FloatAveragePool():
            return average_windows(x, layer)
        case FloatGlobalAveragePool():
            return x.mean((2, 3), keepdim=True)
        case FloatElementwise():
            return OPERATORS[layer.operator](x, inputs[1]).clamp(*layer.bounds)
        case FloatTable():
            return run_table(layer, x)
        case FloatConcat():
            return torch.cat(inputs, 1)
        case FloatPad():
            return pad(x, layer.padding, layer.value)
        case FloatUpsample():
            return upsample(x, layer.factor)
        case FloatDepthToSpace():
            return F.pixel_shuffle(x, layer.block)
        case FloatHost():
            return run_steps(layer.steps, inputs, layer.constants, layer.inputs_native,
                             layer.native, layer.shape)
        case _:
            raise TypeError(f"unknown layer class {type(layer).__name__}")


def average_windows(x: torch.Tensor, layer: FloatAveragePool) -> torch.Tensor:
    """The mean of each window of float32 ``[N, C, H, W]``."""
    sums = F.avg_pool2d(pad(x, layer.padding), layer.kernel, layer.stride, divisor_override=1)
    if layer.count_padding:
        return sums / math.prod(layer.kernel)
    ones = pad(torch.ones_like(x[:1, :1]), layer.padding)
    return sums / F.avg_pool2d(ones, layer.kernel, layer.stride, divisor_override=1)


def select_channels(x: torch.Tensor, sources: Sequence[int], stride: tuple[int, int],
                    zero: float) -> torch.Tensor:
    """Choose channels of ``[N, C, H, W]`` of any dtype; source -1 stands for a channel of zeros.

    Parameters
    ----------
    sources:
        Input channel of each output channel, or -1.
    stride:
        Step of the subsampling, ``(y, x)``.
    zero:
        What the channels of zeros hold.
    """
    places = torch.as_tensor(sources, dtype=torch.int64, device=x.device)
    taken = x[:, :, ::stride[0], ::stride[1]].index_select(1, places.clamp(min=0))
    return torch.where((places < 0).reshape(1, -1, 1, 1), zero, taken)


def upsample(x: torch.Tensor, factor: tuple[int, int]) -> torch.Tensor:
    """Repeat each pixel of ``[N, C, H, W]`` of any dtype ``factor`` times, ``(y, x)``."""
    return x.repeat_interleave(factor[0], 2).repeat_interleave(factor[1], 3)


def run_table(layer: FloatTable, x: torch.Tensor) -> torch.Tensor:
    """Apply a function to each number of float32 ``[N, C, H, W]``."""
    height, width, channels = x.shape[2], x.shape[3], x.shape[1]
    seen = Native((channels, height, width))
    return run_steps(layer.steps, [x], layer.constants, [seen], seen, (height, width, channels))


def fold_layers(network: FloatNetwork, first: T,
                run: Callable[[FloatLayer, list[T]], T]) -> list[T]:
    """Run the layers in order, each on its inputs' results, and forget results in time.

    Parameters
    ----------
    network:
        Float network, which gives the layers and what each of them reads.
    first:
        What the first layers read in place of the network's input.
    run:
        Makes a layer's result from those of its inputs.

    Returns
    -------
    list
        The result of each layer that makes an output, in the order of the outputs.
    """
    live = LiveResults(network, {INPUT: first})
    asked = {output.layer for output in network.outputs}
    kept = {INPUT: first}
    for layer in network.layers:
        result = run(layer, live.inputs(layer))
        live.put(layer, result)
        if layer.name in asked:
            kept[layer.name] = result
    return [kept[output.layer] for output in network.outputs]


class LiveResults(Generic[T]):
    """The layers' results by name, each as long as a layer to come reads it.

    It bounds the memory of running a network whose feature maps are large.

    Parameters
    ----------
    network:
        Float network, which tells who reads what.
    results:
        Results to start with, the network's input among them before the first layer.

    Members
    -------
    results:
        Results by layer of those that are still needed, and of the layer put last.
    """

    def __init__(self, network: FloatNetwork, results: dict[str, T]):
        self.results = results
        self._last_use = {name: layer.name for layer in network.layers for name in layer.inputs}

    def inputs(self, layer: FloatLayer) -> list[T]:
        """List the results that a layer reads, in the order of its inputs."""
        return [self.results[name] for name in layer.inputs]

    def put(self, layer: FloatLayer, result: T) -> None:
        """Keep a layer's result, and forget those that no later layer reads."""
        for name in layer.inputs:
            if self._last_use[name] == layer.name:
                self.results.pop(name, None)
        self.results[layer.name] = result


@torch.no_grad()
def float_forward(network: FloatNetwork, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Run a network in float32, and keep every layer's output.

    Parameters
    ----------
    network:
        The network in float, as it was captured.
    x:
        float32 ``[N, C, H, W]``.

    Returns
    -------
    dict
        Output ``[N, C, H, W]`` of every layer by name, and the input as ``"input"``.
    """
    results = {INPUT: x}
    for layer in network.layers:
        results[layer.name] = float_layer(layer, [results[name] for name in layer.inputs])
    return results


def float_outputs(network: FloatNetwork, x: torch.Tensor) -> list[torch.Tensor]:
    """Run a network in float32, and return its outputs in the imported module's shapes.

    Parameters
    ----------
    network:
        The network in float, as it was captured.
    x:
        float32 ``[N, C, H, W]``.

    Returns
    -------
    list
        float32 ``[N, *sizes]`` of each output.
    """
    with torch.no_grad():
        found = fold_layers(network, x, float_layer)
    return [output.native.tensor(value)
            for output, value in zip(network.outputs, found, strict=True)]


def float_output(network: FloatNetwork, x: torch.Tensor) -> torch.Tensor:
    """Run a network in float32, and return the first of its outputs, as :func:`float_outputs` has
    it."""
    return float_outputs(network, x)[0]
