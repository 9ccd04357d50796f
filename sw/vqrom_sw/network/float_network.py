"""The float network: what an importer makes, and what compression starts from.

Its layers are those that the accelerator has, before quantisation, and host layers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch

from .host_steps import HostStep
from .shapes import INPUT

UNBOUNDED = (-math.inf, math.inf)
"""Bounds of a layer without a fused activation."""


@dataclass(frozen=True)
class FloatLayer:
    """A step of a float network; this class holds what all kinds of layers have.

    Members
    -------
    name:
        Path of the PyTorch module that the layer comes from, made unique in the network.
    inputs:
        Names of the layers whose outputs it reads, or ``"input"`` for the network's input.
    shape:
        Shape ``(H, W, C)`` of its output feature map.
    """

    name: str
    inputs: tuple[str, ...]
    shape: tuple[int, int, int]


@dataclass(frozen=True)
class FloatConv(FloatLayer):
    """A convolution, or a linear layer, which is a convolution whose kernel is its whole input.

    Members
    -------
    kind:
        What the module was: ``"conv"`` or ``"linear"``.
    weight:
        Weights with batch norm folded in, float32 ``[C_out, C_in / groups, kernel_y, kernel_x]``.
    bias:
        float32 ``[C_out]``.
    stride:
        Pixels between two windows, ``(y, x)``.
    padding:
        Zero pixels around the input, ``(top, left, bottom, right)``.
    bounds:
        Least and greatest output, as the fused activation has it; infinite where there is none.
    groups:
        Number of groups of a grouped convolution: an output channel reads the input channels of
        its own group only.
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
    """A layer without weights that passes its input on: subsampled, zero-padded, clamped.

    It is the option-A shortcut of the CIFAR ResNets, and an activation that could not be fused
    into the layer before it.

    Members
    -------
    stride:
        Step of the subsampling, ``(y, x)``; 2 keeps every second pixel.
    channels:
        Number of zero channels added ``(before, after)`` the channels of the input.
    bounds:
        Least and greatest output, as in :class:`FloatConv`.
    """

    stride: tuple[int, int]
    channels: tuple[int, int]
    bounds: tuple[float, float]


@dataclass(frozen=True)
class FloatMaxPool(FloatLayer):
    """Max pooling, in which padding never is the maximum.

    Members
    -------
    kernel, stride:
        Size of a window, and pixels between two windows, ``(y, x)``.
    padding:
        Pixels around the input, ``(top, left, bottom, right)``.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]


@dataclass(frozen=True)
class FloatGlobalAveragePool(FloatLayer):
    """The mean of each channel over height and width; its output is ``(1, 1, C)``."""


@dataclass(frozen=True)
class FloatAdd(FloatLayer):
    """The sum of two feature maps of one shape, clamped to ``bounds`` as in :class:`FloatConv`."""

    bounds: tuple[float, float]


@dataclass(frozen=True)
class FloatHost(FloatLayer):
    """A host layer: operations that the accelerator does not do, and PyTorch does instead.

    Members
    -------
    kind:
        Names of the operations, for messages and reports.
    steps:
        The operations in order; :func:`run_steps` runs them.
    constants:
        Constant tensors that the steps refer to, float32.
    input_shapes:
        Shape of each input in the PyTorch module, without the batch.
    """

    kind: str
    steps: tuple[HostStep, ...]
    constants: tuple[torch.Tensor, ...]
    input_shapes: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class FloatNetwork:
    """A network of float layers, each of which the accelerator or the host can do.

    Members
    -------
    name:
        Name for reports and files.
    input_shape:
        Shape ``(H, W, C)`` of the input feature map.
    layers:
        The layers in execution order; the last one makes the network's output.
    output_shape:
        Shape of one output as the PyTorch module gives it, e.g. ``(10,)`` or ``(C, H, W)``.
    """

    name: str
    input_shape: tuple[int, int, int]
    layers: tuple[FloatLayer, ...]
    output_shape: tuple[int, ...]

    def to(self, device: torch.device | str) -> FloatNetwork:
        """The same network with its weights and biases on a device."""
        return replace(self, layers=tuple(
            replace(layer, weight=layer.weight.to(device), bias=layer.bias.to(device))
            if isinstance(layer, FloatConv) else layer for layer in self.layers))


def readers_of(network: FloatNetwork) -> dict[str, list[FloatLayer]]:
    """For the input and each layer, by name: the layers that read it, in execution order."""
    found: dict[str, list[FloatLayer]] = {name: [] for name in
                                          (INPUT, *(layer.name for layer in network.layers))}
    for layer in network.layers:
        for name in layer.inputs:
            found[name].append(layer)
    return found
