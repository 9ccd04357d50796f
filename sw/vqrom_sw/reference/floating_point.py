"""The float reference: a captured network run in float32, one layer after the other.

Encoding and construction run layers in ways of their own, with other weights or two networks beside
each other. What they share is here, too: a fold over the layers that keeps a result only as long as
a later layer reads it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Generic, TypeVar

import torch
import torch.nn.functional as F

from vqrom_sw.network import (
    INPUT,
    FloatAdd,
    FloatConv,
    FloatGlobalAveragePool,
    FloatHost,
    FloatIdentity,
    FloatLayer,
    FloatMaxPool,
    FloatNetwork,
    native,
    run_steps,
)

T = TypeVar("T")
"""What a fold has for a layer's result: one feature map, or several."""


def linear_part(layer: FloatConv, weight: torch.Tensor, bias: torch.Tensor | None,
                x: torch.Tensor) -> torch.Tensor:
    """Run a convolution with other weights, and without its activation.

    Parameters
    ----------
    layer:
        Gives stride, padding and groups.
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
    return F.conv2d(pad(x, layer.padding), weight, bias, layer.stride, groups=layer.groups)


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
        case FloatIdentity():
            stride_y, stride_x = layer.stride
            passed = F.pad(x[:, :, ::stride_y, ::stride_x], (0, 0, 0, 0, *layer.channels))
            return passed.clamp(*layer.bounds)
        case FloatMaxPool():
            return F.max_pool2d(pad(x, layer.padding, -math.inf), layer.kernel, layer.stride)
        case FloatGlobalAveragePool():
            return x.mean((2, 3), keepdim=True)
        case FloatAdd():
            return (x + inputs[1]).clamp(*layer.bounds)
        case FloatHost():
            return run_steps(layer.steps, inputs, layer.constants, layer.input_shapes, layer.shape)
        case _:
            raise TypeError(f"unknown layer class {type(layer).__name__}")


def fold_layers(network: FloatNetwork, first: T,
                   run: Callable[[FloatLayer, list[T]], T]) -> T:
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
    T
        The last layer's result.
    """
    live = LiveResults(network, {INPUT: first})
    result = first
    for layer in network.layers:
        result = run(layer, live.inputs(layer))
        live.put(layer, result)
    return result


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


def float_output(network: FloatNetwork, x: torch.Tensor) -> torch.Tensor:
    """Run a network in float32, and return its output in the imported module's shape.

    Parameters
    ----------
    network:
        The network in float, as it was captured.
    x:
        float32 ``[N, C, H, W]``.

    Returns
    -------
    torch.Tensor
        float32 ``[N, *output_shape]``.
    """
    last = float_forward(network, x)[network.layers[-1].name]
    return native(last, network.output_shape)
