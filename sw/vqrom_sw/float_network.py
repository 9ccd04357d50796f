"""The captured float network: the hardware's layers before quantisation, and the host's."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, Literal, TypeVar

import torch
import torch.nn.functional as F

from .host import HostStep, native, run_steps

INPUT = "input"
UNBOUNDED = (-math.inf, math.inf)

T = TypeVar("T")


@dataclass(frozen=True)
class FloatLayer:
    """What every layer has.

    Members
    -------
    name:
        The module's path, made unique.
    inputs:
        Names of the producing layers, or ``"input"``.
    shape:
        Output feature map ``(H, W, C)``.
    """

    name: str
    inputs: tuple[str, ...]
    shape: tuple[int, int, int]


@dataclass(frozen=True)
class FloatConv(FloatLayer):
    """A convolution, or a linear layer as the convolution whose kernel is its whole input.

    Members
    -------
    kind:
        ``"conv"`` or ``"linear"``.
    weight:
        float32 ``[C_out, C_in / groups, kernel_y, kernel_x]``, batch norm folded in.
    bias:
        float32 ``[C_out]``.
    stride:
        ``(y, x)``.
    padding:
        ``(top, left, bottom, right)`` in pixels.
    bounds:
        ``(lowest, highest)`` of the fused activation; infinite where there is none.
    groups:
        Input and output channels are cut into so many parts, each of which sees its own only.
    """

    kind: Literal["conv", "linear"]
    weight: torch.Tensor
    bias: torch.Tensor
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]
    bounds: tuple[float, float]
    groups: int = 1


@dataclass(frozen=True)
class FloatIdentity(FloatLayer):
    """Passes its input's channels on: every ``stride``-th pixel, zero channels around, clamped.

    The option-A shortcut of the CIFAR ResNets, and an activation that nothing could absorb.

    Members
    -------
    stride:
        ``(y, x)``.
    channels:
        Zero channels ``(before, after)`` those of the input.
    bounds:
        As in :class:`FloatConv`.
    """

    stride: tuple[int, int]
    channels: tuple[int, int]
    bounds: tuple[float, float]


@dataclass(frozen=True)
class FloatMaxPool(FloatLayer):
    """Max pooling; padding never wins."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]


@dataclass(frozen=True)
class FloatGlobalAveragePool(FloatLayer):
    """Mean over height and width; output ``(1, 1, C)``."""


@dataclass(frozen=True)
class FloatAdd(FloatLayer):
    """Sum of two feature maps of one shape, clamped to ``bounds``."""

    bounds: tuple[float, float]


@dataclass(frozen=True)
class FloatHost(FloatLayer):
    """Operations that the accelerator does not do; see :func:`vqrom_sw.host.run_steps`.

    Members
    -------
    kind:
        What is computed, for messages and reports.
    steps, constants:
        The operations, and their constant tensors, float32.
    input_shapes:
        Of each input in the module, without the batch.
    """

    kind: str
    steps: tuple[HostStep, ...]
    constants: tuple[torch.Tensor, ...]
    input_shapes: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class FloatNetwork:
    """A float network of layers that the hardware has.

    Members
    -------
    name:
        For reports and file names.
    input_shape:
        ``(H, W, C)`` of the input feature map.
    layers:
        In execution order; the last one is the output.
    output_shape:
        Shape of one output as the module gives it, e.g. ``(10,)`` or ``(C, H, W)``.
    """

    name: str
    input_shape: tuple[int, int, int]
    layers: tuple[FloatLayer, ...]
    output_shape: tuple[int, ...]

    def to(self, device: torch.device | str) -> FloatNetwork:
        """The same network with its tensors on a device."""
        return replace(self, layers=tuple(
            replace(layer, weight=layer.weight.to(device), bias=layer.bias.to(device))
            if isinstance(layer, FloatConv) else layer for layer in self.layers))


def readers_of(network: FloatNetwork) -> dict[str, list[FloatLayer]]:
    """The layers that read each layer's output, in execution order."""
    found: dict[str, list[FloatLayer]] = {name: [] for name in
                                          (INPUT, *(layer.name for layer in network.layers))}
    for layer in network.layers:
        for name in layer.inputs:
            found[name].append(layer)
    return found


def linear_part(layer: FloatConv, weight: torch.Tensor, bias: torch.Tensor | None,
                x: torch.Tensor) -> torch.Tensor:
    """The convolution before its activation, float ``[N, C_out, H, W]``, with other weights."""
    return F.conv2d(pad(x, layer.padding), weight, bias, layer.stride, groups=layer.groups)


def pad(x: torch.Tensor, padding: tuple[int, int, int, int], value: float = 0.0) -> torch.Tensor:
    """Pad ``[N, C, H, W]`` by ``(top, left, bottom, right)`` pixels."""
    top, left, bottom, right = padding
    return F.pad(x, (left, right, top, bottom), value=value) if any(padding) else x


def float_layer(layer: FloatLayer, inputs: list[torch.Tensor]) -> torch.Tensor:
    """Run one layer in float32.

    Parameters
    ----------
    inputs:
        ``[N, C, H, W]`` for each of the layer's inputs.
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
    """Run the layers in order, each on its inputs' results; forget results that nobody needs.

    Parameters
    ----------
    first:
        In place of the network's input.
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
    """Layers' results by name, as long as a layer to come reads them.

    Members
    -------
    results:
        Of the layers that were put so far.
    """

    def __init__(self, network: FloatNetwork, results: dict[str, T]):
        self.results = results
        self._last_use = {name: layer.name for layer in network.layers for name in layer.inputs}

    def inputs(self, layer: FloatLayer) -> list[T]:
        """What the layer reads."""
        return [self.results[name] for name in layer.inputs]

    def put(self, layer: FloatLayer, result: T) -> None:
        """Keep a layer's result, and forget what nobody reads after it."""
        for name in layer.inputs:
            if self._last_use[name] == layer.name:
                self.results.pop(name, None)
        self.results[layer.name] = result


@torch.no_grad()
def float_forward(network: FloatNetwork, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Run the captured network in float32.

    Parameters
    ----------
    x:
        float32 ``[N, C, H, W]``.

    Returns
    -------
    dict
        Output ``[N, C, H, W]`` of every layer by name, ``"input"`` included.
    """
    results = {INPUT: x}
    for layer in network.layers:
        results[layer.name] = float_layer(layer, [results[name] for name in layer.inputs])
    return results


def float_output(network: FloatNetwork, x: torch.Tensor) -> torch.Tensor:
    """The network's output as the module gives it, float32 ``[N, *output_shape]``."""
    last = float_forward(network, x)[network.layers[-1].name]
    return native(last, network.output_shape)
