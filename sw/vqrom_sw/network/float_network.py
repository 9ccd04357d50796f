"""The captured float network: the hardware's layers before quantisation, and the host's."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch

from .host import HostStep
from .shapes import INPUT

UNBOUNDED = (-math.inf, math.inf)


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
    """Operations that the accelerator does not do; see :func:`vqrom_sw.network.host.run_steps`.

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
