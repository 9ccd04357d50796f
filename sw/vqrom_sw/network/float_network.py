"""The float network: what an importer makes, and what compression starts from.

Its layers are those that the accelerator has, before quantisation, and host layers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch

from .host_steps import HostStep
from .shapes import INPUT, Native, Output, Shape

Operator = Literal["add", "subtract", "multiply", "maximum", "minimum"]
"""What an elementwise layer does with two numbers."""

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
    shape: Shape


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
    dilation: tuple[int, int] = (1, 1)


@dataclass(frozen=True)
class FloatSelect(FloatLayer):
    """A layer without weights that passes channels of its input on: chosen, subsampled, clamped.

    It is a split along the channels, a shuffle of channels, the option-A shortcut of the CIFAR
    ResNets with its zero channels, and an activation that could not be fused into the layer before
    it.

    Members
    -------
    sources:
        For each output channel the input channel that it is, or -1 for a channel of zeros.
    stride:
        Step of the subsampling, ``(y, x)``; 2 keeps every second pixel.
    bounds:
        Least and greatest output, as in :class:`FloatConv`.
    """

    sources: tuple[int, ...]
    stride: tuple[int, int]
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
    dilation:
        Pixels from one position of a window to the next, ``(y, x)``.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]
    dilation: tuple[int, int] = (1, 1)


@dataclass(frozen=True)
class FloatAveragePool(FloatLayer):
    """The mean of each window.

    Members
    -------
    kernel, stride, padding:
        The window, as in :class:`FloatMaxPool`.
    count_padding:
        Whether padding counts as pixels of value 0. If not, a window at the border has fewer
        pixels, and its sum is divided by those alone.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]
    count_padding: bool


@dataclass(frozen=True)
class FloatGlobalAveragePool(FloatLayer):
    """The mean of each channel over height and width; its output is ``(1, 1, C)``."""


@dataclass(frozen=True)
class FloatElementwise(FloatLayer):
    """Two feature maps combined number by number, clamped to ``bounds`` as in :class:`FloatConv`.

    The second operand has the shape of the first, or is a single pixel ``(1, 1, C)``, which is
    combined with every pixel of the first.

    Members
    -------
    operator:
        What is done with two numbers; ``"subtract"`` takes the second from the first.
    bounds:
        Least and greatest output.
    """

    operator: Operator
    bounds: tuple[float, float]


@dataclass(frozen=True)
class FloatTable(FloatLayer):
    """A function of each single number: the same one for all, or one for each channel.

    In int8 it is a table of 256 entries, whatever the function.

    Members
    -------
    kind:
        Names of the operations, for messages and reports.
    steps:
        The operations in order, which read the input as ``[N, C, H, W]``; none of them may look at
        more than one number of the input for one of its output.
    constants:
        Constant tensors that the steps refer to, float32: single numbers, or ``[C, 1, 1]`` or, for
        a PReLU, ``[C]``.
    by_channel:
        Whether the function depends on the channel.
    """

    kind: str
    steps: tuple[HostStep, ...]
    constants: tuple[torch.Tensor, ...]
    by_channel: bool


@dataclass(frozen=True)
class FloatConcat(FloatLayer):
    """The channels of all inputs one after the other; all have one height and width."""


@dataclass(frozen=True)
class FloatPad(FloatLayer):
    """Pixels of a constant value around the input, or pixels taken off.

    Members
    -------
    padding:
        Pixels ``(top, left, bottom, right)``; negative where so many are taken off.
    value:
        Their value.
    """

    padding: tuple[int, int, int, int]
    value: float


@dataclass(frozen=True)
class FloatUpsample(FloatLayer):
    """Nearest-neighbour up-sampling: every pixel becomes a block of equal pixels.

    Members
    -------
    factor:
        Height and width of the block, ``(y, x)``.
    """

    factor: tuple[int, int]


@dataclass(frozen=True)
class FloatDepthToSpace(FloatLayer):
    """Channels become pixels: ``block * block`` channels of a pixel become a block of pixels.

    Input channel ``(c * block + y) * block + x`` is output channel ``c`` of the block's pixel
    ``(y, x)``, as in PyTorch's pixel shuffle.

    Members
    -------
    block:
        Height and width of the block.
    """

    block: int


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
        Constant tensors that the steps refer to: float32, bool or int64.
    inputs_native:
        How the float network sees each input.
    native:
        How it sees the result.
    """

    kind: str
    steps: tuple[HostStep, ...]
    constants: tuple[torch.Tensor, ...]
    inputs_native: tuple[Native, ...]
    native: Native


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
        The layers in execution order.
    outputs:
        What the network gives, in the order of the PyTorch module; at least one.
    input_native:
        How the PyTorch module sees its input.
    """

    name: str
    input_shape: Shape
    layers: tuple[FloatLayer, ...]
    outputs: tuple[Output, ...]
    input_native: Native

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the first output as the PyTorch module gives it, without the batch."""
        return self.outputs[0].native.sizes

    def to(self, device: torch.device | str) -> FloatNetwork:
        """The same network with its weights and biases on a device."""
        return replace(self, layers=tuple(
            replace(layer, weight=layer.weight.to(device), bias=layer.bias.to(device))
            if isinstance(layer, FloatConv) else layer for layer in self.layers))


def is_sum(layer: FloatLayer) -> bool:
    """Whether a layer adds two maps of one shape, as where a residual path joins again.

    An operand of a single pixel, whose shape the layer alone does not tell, counts too.
    """
    return isinstance(layer, FloatElementwise) and layer.operator == "add"


def readers_of(network: FloatNetwork) -> dict[str, list[FloatLayer]]:
    """For the input and each layer, by name: the layers that read it, in execution order."""
    found: dict[str, list[FloatLayer]] = {name: [] for name in
                                          (INPUT, *(layer.name for layer in network.layers))}
    for layer in network.layers:
        for name in layer.inputs:
            found[name].append(layer)
    return found
