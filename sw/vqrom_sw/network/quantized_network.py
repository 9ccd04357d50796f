"""The quantised network: what a ``.vqnet`` file holds, the reference runs and the compiler maps.

Every number that decides an output byte is an integer here; floats only describe. Feature maps
are int8 ``[H, W, C]``; ``real = scale * (q - zero_point)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import Quantization, Requantization

from .host import HostStep
from .shapes import INPUT

NO_CODEBOOK = "0" * 64
"""What stands for a codebook's SHA-256 in a network that has no indices."""


@dataclass(frozen=True)
class Layer:
    """What every layer has.

    Members
    -------
    name:
        Unique in the network; other layers name it as their input.
    inputs:
        Names of the producing layers, or ``"input"``.
    shape:
        Output feature map ``(H, W, C)``.
    quantization:
        Of the output.
    """

    name: str
    inputs: tuple[str, ...]
    shape: tuple[int, int, int]
    quantization: Quantization


@dataclass(frozen=True)
class Conv(Layer):
    """A convolution, or a linear layer as the convolution whose kernel is its whole input.

    ``acc = bias + sum(weight * (x - z_x))`` in int32, then requantised per output channel, plus
    the output's zero point, clamped. Padding contributes nothing (it feeds ``z_x``).

    Members
    -------
    kind:
        ``"conv"`` or ``"linear"``; they differ in name only.
    kernel, stride:
        ``(y, x)``.
    padding:
        ``(top, left, bottom, right)`` in pixels.
    indices:
        uint16 ``[C_out, kernel_y, kernel_x, ceil(C_in / groups / d)]``, codebook indices of
        sub-vectors of ``d`` consecutive input channels, or None when the layer has raw weights.
        Lanes of the last sub-vector at or above ``C_in / groups`` carry no weight.
    raw:
        int8 ``[C_out, kernel_y, kernel_x, C_in / groups]``, or None when the layer is indexed.
    weight_scale:
        float64 ``[C_out]``: real weight = ``weight_scale * int8 weight``. Descriptive.
    bias:
        int32 ``[C_out]``, without the input's zero point folded in.
    requantization:
        ``[C_out]``.
    clamp:
        ``(lowest, highest)`` int8 output, which carries ReLU and ReLU6.
    groups:
        Input and output channels are cut into so many parts, each of which sees its own only.
    """

    kind: Literal["conv", "linear"]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]
    indices: np.ndarray | None
    raw: np.ndarray | None
    weight_scale: np.ndarray
    bias: np.ndarray
    requantization: Requantization
    clamp: tuple[int, int]
    groups: int = 1


@dataclass(frozen=True)
class MaxPool(Layer):
    """Max pooling; padding never wins. Input and output share their quantisation."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]
    kind = "maxpool"


@dataclass(frozen=True)
class AveragePool(Layer):
    """TFLite's int8 AVERAGE_POOL_2D: the sum of the ``q`` of a window over their number, rounded
    to nearest, ties away from zero, clamped. Padding is in neither the sum nor the number. Input
    and output share their quantisation.

    Members
    -------
    kernel, stride, padding, clamp:
        As in :class:`Conv`; padding is smaller than the kernel.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]
    clamp: tuple[int, int]
    kind = "avgpool2d"


@dataclass(frozen=True)
class GlobalAveragePool(Layer):
    """``requantise(sum over H and W of (x - z_x)) + z_y`` clamped to int8; output ``(1, 1, C)``.

    The division by ``H * W`` is part of the multiplier (one element).
    """

    requantization: Requantization
    kind = "avgpool"


@dataclass(frozen=True)
class Add(Layer):
    """TFLite's int8 ADD: ``r_i = requantise_i((x_i - z_i) << 20)``, then
    ``requantise_o(r_0 + r_1) + z_y``.

    Members
    -------
    input_requantization:
        Of the first and the second input, one element each.
    requantization:
        Of the sum, one element.
    clamp:
        As in :class:`Conv`.
    """

    input_requantization: tuple[Requantization, Requantization]
    requantization: Requantization
    clamp: tuple[int, int]
    kind = "add"


@dataclass(frozen=True)
class Host(Layer):
    """Operations that the accelerator does not do: inputs dequantised, computed in float32 by
    :func:`vqrom_sw.network.host.run_steps`, quantised.

    Members
    -------
    operation:
        What is computed, for messages and reports.
    steps, constants:
        The operations, and their constant tensors, float32.
    input_shapes:
        Of each input in the module, without the batch.
    """

    operation: str
    steps: tuple[HostStep, ...]
    constants: tuple[np.ndarray, ...]
    input_shapes: tuple[tuple[int, ...], ...]
    kind = "host"


@dataclass(frozen=True)
class Softmax(Layer):
    """TFLite's int8 SOFTMAX over the channels of each pixel, on the host, in integers
    (:mod:`vqrom_sw.arithmetic.softmax`). Its output has scale ``1 / 256`` and zero point -128.

    Members
    -------
    multiplier, shift:
        ``beta * input scale * 2**26 = multiplier * 2**(shift - 31)``; shift is in 0..31.
    """

    multiplier: int
    shift: int
    kind = "softmax"
    operation = "softmax"


@dataclass(frozen=True)
class QuantizedNetwork:
    """A network on a universal codebook, or one whose layers all have raw weights.

    Members
    -------
    name:
        For reports and file names.
    input_shape:
        ``(H, W, C)`` of the input feature map.
    input_quantization:
        Of the input.
    layers:
        In execution order; the last one is the output.
    output_shape:
        Shape of one output as the float network gives it, e.g. ``(10,)`` or ``(C, H, W)``.
    codebook_sha256:
        Of the codebook that the indices point into; :data:`NO_CODEBOOK` if there never was one.
    """

    name: str
    input_shape: tuple[int, int, int]
    input_quantization: Quantization
    layers: tuple[Layer, ...]
    output_shape: tuple[int, ...]
    codebook_sha256: str

    @property
    def indexed(self) -> bool:
        """Whether any layer has indices into a codebook."""
        return any(isinstance(layer, Conv) and layer.indices is not None for layer in self.layers)

    def check_codebook(self, sha256: str) -> None:
        """Refuse another codebook than the network's own; one without indices runs on any.

        Raises
        ------
        VqromError
            If the network has indices, and they point into another codebook.
        """
        if self.indexed and sha256 != self.codebook_sha256:
            raise VqromError(f"network {self.name!r} must run on its own codebook "
                             f"{self.codebook_sha256[:12]!r}, not {sha256[:12]!r}")

    def shape_of(self, name: str) -> tuple[int, int, int]:
        """Feature map shape of a layer's output, or of the input."""
        return self.input_shape if name == INPUT else self.layer(name).shape

    def quantization_of(self, name: str) -> Quantization:
        """Quantisation of a layer's output, or of the input."""
        return self.input_quantization if name == INPUT else self.layer(name).quantization

    def layer(self, name: str) -> Layer:
        """The layer of that name."""
        return next(layer for layer in self.layers if layer.name == name)

    def weights_of(self, layer: Layer) -> int:
        """Weights of a layer, without the lanes that fill up its last sub-vectors."""
        if not isinstance(layer, Conv):
            return 0
        channels = self.shape_of(layer.inputs[0])[2] // layer.groups
        return layer.shape[2] * layer.kernel[0] * layer.kernel[1] * channels

    def macs_of(self, layer: Layer) -> int:
        """Multiply-accumulates that a layer calls for, those with padding included; one image."""
        return layer.shape[0] * layer.shape[1] * self.weights_of(layer)
