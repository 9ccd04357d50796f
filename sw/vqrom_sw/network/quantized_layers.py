"""The layers of a quantised network: what each kind computes, and in which integers.

Every number that decides an output byte is an integer here; floats only describe. Feature maps
are int8 ``[H, W, C]`` and stand for ``scale * (q - zero_point)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from vqrom_sw.arithmetic import Quantization, Requantization

from .float_network import Operator
from .host_steps import HostStep
from .shapes import Native, Shape


@dataclass(frozen=True)
class Layer:
    """A step of a quantised network; this class holds what all kinds of layers have.

    Members
    -------
    name:
        Name that is unique in the network and by which other layers refer to this one.
    inputs:
        Names of the layers whose outputs it reads, or ``"input"`` for the network's input.
    shape:
        Shape ``(H, W, C)`` of its output feature map.
    quantization:
        Scale and zero point of its output.
    """

    name: str
    inputs: tuple[str, ...]
    shape: Shape
    quantization: Quantization


@dataclass(frozen=True)
class Conv(Layer):
    """A convolution, or a linear layer, which is a convolution whose kernel is its whole input.

    It accumulates ``bias + sum(weight * (x - zero_point_of_x))`` in int32. The sum is requantised
    with the factor of its output channel, the output's zero point is added, and the result is
    clamped. Padding contributes nothing: it is as if ``x`` were its zero point there.

    Members
    -------
    kind:
        What the module was, ``"conv"`` or ``"linear"``; they differ in name only.
    kernel, stride:
        Size of a window, and pixels between two windows, ``(y, x)``.
    padding:
        Pixels around the input, ``(top, left, bottom, right)``.
    indices:
        The index map, uint16 ``[C_out, kernel_y, kernel_x, ceil(C_in / groups / d)]``: codebook
        indices of sub-vectors of ``d`` consecutive input channels. None for a raw layer. Channels
        of the last sub-vector at or above ``C_in / groups`` carry no weight.
    raw:
        Weights of a raw layer, int8 ``[C_out, kernel_y, kernel_x, C_in / groups]``, or None when
        the layer has indices.
    weight_scale:
        float64 ``[C_out]``: a real weight is ``weight_scale * int8 weight``. Descriptive only.
    bias:
        int32 ``[C_out]``, without the input's zero point folded in.
    requantization:
        Factors from accumulator to output, ``[C_out]``.
    clamp:
        Least and greatest int8 output, which carry ReLU and ReLU6.
    groups:
        Number of groups of a grouped convolution: an output channel reads the input channels of
        its own group only.
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
    dilation: tuple[int, int] = (1, 1)


@dataclass(frozen=True)
class MaxPool(Layer):
    """Max pooling, in which padding never is the maximum.

    Input and output share their quantisation.

    Members
    -------
    kernel, stride, padding, dilation:
        The window, as in :class:`Conv`.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]
    dilation: tuple[int, int] = (1, 1)
    kind = "maxpool"


@dataclass(frozen=True)
class AveragePool(Layer):
    """Average pooling over windows, as TFLite's int8 AVERAGE_POOL_2D computes it.

    The int8 numbers of a window are summed and divided by their count, rounded to nearest with
    ties away from zero, and clamped. Padding is in neither the sum nor the count, unless
    ``count_padding`` says that it counts as pixels whose value is the zero point; then it is in
    both. Input and output share their quantisation.

    Members
    -------
    kernel, stride, padding:
        The window, as in :class:`Conv`; the padding is smaller than the kernel.
    clamp:
        Least and greatest int8 output.
    count_padding:
        Whether padding counts.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]
    clamp: tuple[int, int]
    count_padding: bool = False
    kind = "avgpool2d"


@dataclass(frozen=True)
class GlobalAveragePool(Layer):
    """The mean of each channel over height and width; its output is ``(1, 1, C)``.

    It is ``requantise(sum of (x - zero_point_of_x)) + zero_point`` clamped to int8.

    Members
    -------
    requantization:
        One factor, which holds the division by ``H * W``.
    """

    requantization: Requantization
    kind = "avgpool"


@dataclass(frozen=True)
class Elementwise(Layer):
    """Two feature maps combined number by number, as TFLite's int8 operators do it.

    The second operand has the shape of the first, or is a single pixel ``(1, 1, C)``, which is
    combined with every pixel of the first.

    ``"multiply"`` is ``requantise((x_0 - zero_point_0) * (x_1 - zero_point_1))`` plus the output's
    zero point, clamped. The other operators first bring each input to a common scale,
    ``r = requantise((x - zero_point_of_x) << shift)`` with the shift
    :data:`vqrom_hw.lib.OPERAND_SHIFT`; the output is ``requantise(r_0 + r_1)``, or of
    ``r_0 - r_1``, or of the greater or the lesser of both, plus its zero point, clamped.

    Source: TensorFlow Lite's reference kernels ADD, SUB and MUL; MAXIMUM and MINIMUM there need
    inputs and output of one quantisation, in which case this comes to the same.

    Members
    -------
    operator:
        What is done with two numbers.
    input_requantization:
        One factor for the first input, and one for the second; None for ``"multiply"``.
    requantization:
        One factor for the result.
    clamp:
        Least and greatest int8 output.
    """

    operator: Operator
    input_requantization: tuple[Requantization, Requantization] | None
    requantization: Requantization
    clamp: tuple[int, int]

    @property
    def kind(self) -> str:
        """The operator, which is the kind that reports and files give."""
        return self.operator


@dataclass(frozen=True)
class Table(Layer):
    """A function of each single number, looked up: ``table[t, x + 128]``.

    Members
    -------
    operation:
        What the function is, for messages and reports.
    table:
        int8 ``[T, 256]``: one table for all channels (``T`` is 1), or one for each.
    """

    operation: str
    table: np.ndarray
    kind = "table"


@dataclass(frozen=True)
class Concat(Layer):
    """The channels of all inputs one after the other, each rescaled to the output's quantisation.

    A number ``x`` becomes ``requantise(x - zero_point_of_x)`` plus the output's zero point, clamped
    to int8. The factor 1 changes nothing, where quantisations are the same.

    Members
    -------
    input_requantization:
        One factor for each input.
    """

    input_requantization: tuple[Requantization, ...]
    kind = "concat"


@dataclass(frozen=True)
class Select(Layer):
    """Channels of the input passed on: chosen, subsampled, clamped.

    Input and output share their quantisation.

    Members
    -------
    sources:
        int32 ``[C_out]``: for each output channel the input channel that it is, or -1 for a channel
        whose numbers are the zero point.
    stride:
        Step of the subsampling, ``(y, x)``.
    clamp:
        Least and greatest int8 output.
    """

    sources: np.ndarray
    stride: tuple[int, int]
    clamp: tuple[int, int]
    kind = "select"


@dataclass(frozen=True)
class Pad(Layer):
    """Pixels of a constant around the input, or pixels taken off; input and output share their
    quantisation.

    Members
    -------
    padding:
        Pixels ``(top, left, bottom, right)``; negative where so many are taken off.
    value:
        The int8 number that they hold.
    """

    padding: tuple[int, int, int, int]
    value: int
    kind = "pad"


@dataclass(frozen=True)
class Upsample(Layer):
    """Nearest-neighbour up-sampling; input and output share their quantisation.

    Members
    -------
    factor:
        Height and width of the block that a pixel becomes, ``(y, x)``.
    """

    factor: tuple[int, int]
    kind = "upsample"


@dataclass(frozen=True)
class DepthToSpace(Layer):
    """Channels become pixels, as in PyTorch's pixel shuffle; the quantisation stays.

    Input channel ``(c * block + y) * block + x`` is output channel ``c`` of the block's pixel
    ``(y, x)``.

    Members
    -------
    block:
        Height and width of the block.
    """

    block: int
    kind = "depth to space"


@dataclass(frozen=True)
class Host(Layer):
    """A host layer: operations that the accelerator does not do, and PyTorch does instead.

    Inputs are dequantised, :func:`run_steps` computes in float32, and the result is quantised.

    Members
    -------
    operation:
        Names of the operations, for messages and reports.
    steps:
        The operations in order.
    constants:
        Constant tensors that the steps refer to: float32, bool or int64.
    inputs_native:
        How the float network sees each input.
    native:
        How it sees the result.
    """

    operation: str
    steps: tuple[HostStep, ...]
    constants: tuple[np.ndarray, ...]
    inputs_native: tuple[Native, ...]
    native: Native
    kind = "host"


@dataclass(frozen=True)
class Softmax(Layer):
    """A softmax over the channels of each pixel, on the host but in integers.

    It is TFLite's int8 SOFTMAX (:func:`vqrom_sw.arithmetic.softmax`); its output has the
    quantisation :data:`vqrom_sw.arithmetic.SOFTMAX_OUTPUT`.

    Members
    -------
    multiplier, shift:
        ``beta * input scale * 2**26 = multiplier * 2**(shift - 31)``; the shift is in 0..31.
    """

    multiplier: int
    shift: int
    kind = "softmax"
    operation = "softmax"
