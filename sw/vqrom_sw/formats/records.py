"""The records of a ``.vqnet`` file: which fields each kind of layer has, and their ranges.

The file holds the network's structure as JSON, checked by these classes, and its arrays (weights,
indices, biases, factors, constants) as tensors. The strings of ``kind`` are part of the format.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from vqrom_hw.codebook_shape import MAX_CODEWORDS, MIN_CODEWORDS, Subvector
from vqrom_sw.arithmetic import (
    HIGHEST,
    HIGHEST_16,
    LOWEST,
    MAX_SHIFT,
    MIN_SHIFT,
    MOST_TANH_BITS,
)

Size = Annotated[int, Field(ge=1, le=1 << 16)]
"""A size of a feature map, kernel or stride."""

Pixels = Annotated[int, Field(ge=0, le=1 << 10)]
"""A number of pixels of padding."""

Margin = Annotated[int, Field(ge=-(1 << 16), le=1 << 10)]
"""Pixels that a padding by itself adds to one side of a map, or takes off if negative."""

Int8 = Annotated[int, Field(ge=LOWEST, le=HIGHEST)]
"""A number of a feature map."""

Shape = tuple[Size, Size, Size]
"""Shape ``(H, W, C)`` of a feature map."""

Pair = tuple[Size, Size]
"""Sizes ``(y, x)``."""

Padding = tuple[Pixels, Pixels, Pixels, Pixels]
"""Padding ``(top, left, bottom, right)``."""

Name = Annotated[str, Field(min_length=1, max_length=256)]
"""Name of a network or layer."""

MAX_LAYERS = 4094
"""Most layers of a network: the hardware's layer number has 12 bits, and loading and storing are
two of them."""

MAX_STEPS = 4096
"""Most steps, and most constants, of a host layer."""


class StrictRecord(BaseModel):
    """A record that cannot be changed and has no other fields than its class says."""

    # Steps of host layers have infinite numbers, such as those of masks.
    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants")


class QuantizationRecord(StrictRecord):
    """Scale and zero point of a feature map."""

    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    zero_point: Int8


class NativeRecord(StrictRecord):
    """How the float network sees a feature map."""

    sizes: Annotated[tuple[Annotated[int, Field(ge=1, le=1 << 31)], ...],
                     Field(min_length=1, max_length=5)]
    order: Literal["CHW", "CWH", "HCW", "HWC", "WCH", "WHC"]


class OutputRecord(StrictRecord):
    """An output of the network: the layer that makes it, and how the float network sees it."""

    layer: Name
    native: NativeRecord
    name: Annotated[str, Field(max_length=256)] = ""


class FixedPoint(StrictRecord):
    """One factor of a requantisation as integers."""

    multiplier: Annotated[int, Field(ge=0, lt=1 << 31)]
    shift: Annotated[int, Field(ge=MIN_SHIFT, le=MAX_SHIFT)]


class LayerRecord(StrictRecord):
    """The fields that the records of all layers have."""

    name: Name
    inputs: tuple[Name, ...]
    shape: Shape
    quantization: QuantizationRecord


class WindowRecord(LayerRecord):
    """The fields of layers that move a window over their input."""

    kernel: Pair
    stride: Pair
    padding: Padding


class ConvRecord(WindowRecord):
    """A convolution or linear layer; its arrays are tensors of the file."""

    kind: Literal["conv", "linear"]
    weights: Literal["index", "raw"]
    groups: Size = 1
    dilation: Pair = (1, 1)
    clamp: tuple[Int8, Int8]


class MaxPoolRecord(WindowRecord):
    """A max pooling: the greatest number of each window, channel by channel."""

    kind: Literal["maxpool"] = "maxpool"
    dilation: Pair = (1, 1)


class AveragePoolRecord(WindowRecord):
    """An average pooling over windows, whose padding counts or does not."""

    kind: Literal["avgpool2d"] = "avgpool2d"
    clamp: tuple[Int8, Int8]
    count_padding: bool = False


class GlobalAveragePoolRecord(LayerRecord):
    """A mean over height and width."""

    kind: Literal["avgpool"] = "avgpool"
    requantization: FixedPoint


class ElementwiseRecord(LayerRecord):
    """Two feature maps combined number by number; the kind is the operator."""

    kind: Literal["add", "subtract", "multiply", "maximum", "minimum"]
    input_requantization: tuple[FixedPoint, FixedPoint] | None
    requantization: FixedPoint
    clamp: tuple[Int8, Int8]


class TableRecord(LayerRecord):
    """A function of each number; its table is a tensor of the file."""

    kind: Literal["table"] = "table"
    operation: Annotated[str, Field(max_length=256)]
    tables: Size


class ConcatRecord(LayerRecord):
    """The channels of several inputs one after the other."""

    kind: Literal["concat"] = "concat"
    input_requantization: Annotated[tuple[FixedPoint, ...], Field(min_length=1, max_length=256)]


class SelectRecord(LayerRecord):
    """Channels of the input passed on; the chosen channels are a tensor of the file."""

    kind: Literal["select"] = "select"
    stride: Pair
    clamp: tuple[Int8, Int8]


class PadRecord(LayerRecord):
    """Pixels of a constant around the input, or pixels taken off."""

    kind: Literal["pad"] = "pad"
    padding: tuple[Margin, Margin, Margin, Margin]
    value: Int8


class UpsampleRecord(LayerRecord):
    """Every pixel as a block of equal pixels."""

    kind: Literal["upsample"] = "upsample"
    factor: Pair


class DepthToSpaceRecord(LayerRecord):
    """Channels laid out as blocks of pixels, each pixel becoming a square block."""

    kind: Literal["depth to space"] = "depth to space"
    block: Size


class SoftmaxRecord(LayerRecord):
    """A softmax on the host, in integers."""

    kind: Literal["softmax"] = "softmax"
    multiplier: Annotated[int, Field(ge=1 << 30, lt=1 << 31)]
    shift: Annotated[int, Field(ge=0, le=31)]


class LstmRecord(LayerRecord):
    """An LSTM on the host, in integers; its arrays are tensors of the file."""

    kind: Literal["lstm"] = "lstm"
    cell_bits: Annotated[int, Field(ge=0, le=MOST_TANH_BITS)]
    cell_clip: Annotated[int, Field(ge=0, le=HIGHEST_16)]
    input_requantization: tuple[FixedPoint, FixedPoint, FixedPoint, FixedPoint]
    state_requantization: tuple[FixedPoint, FixedPoint, FixedPoint, FixedPoint]
    output_requantization: FixedPoint


class StepRecord(StrictRecord):
    """A step of a host layer."""

    op: Annotated[str, Field(max_length=64)]
    arguments: Annotated[tuple[Any, ...], Field(max_length=16)]
    keywords: Annotated[dict[str, Any], Field(max_length=16)]


class HostRecord(LayerRecord):
    """A host layer; its constants are tensors of the file."""

    kind: Literal["host"] = "host"
    operation: Annotated[str, Field(max_length=256)]
    steps: Annotated[tuple[StepRecord, ...], Field(min_length=1, max_length=MAX_STEPS)]
    constants: Annotated[int, Field(ge=0, le=MAX_STEPS)]
    inputs_native: tuple[NativeRecord, ...]
    native: NativeRecord


AnyLayerRecord = Annotated[
    ConvRecord | MaxPoolRecord | AveragePoolRecord | GlobalAveragePoolRecord | ElementwiseRecord
    | TableRecord | ConcatRecord | SelectRecord | PadRecord | UpsampleRecord | DepthToSpaceRecord
    | SoftmaxRecord | LstmRecord | HostRecord, Field(discriminator="kind")]
"""The record of a layer of any kind."""


class NetworkRecord(StrictRecord):
    """What the file says of the network beside its tensors."""

    name: Name
    input_shape: Shape
    input_quantization: QuantizationRecord
    input_native: NativeRecord
    outputs: Annotated[tuple[OutputRecord, ...], Field(min_length=1, max_length=256)]
    codebook_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    codewords: Annotated[int, Field(ge=MIN_CODEWORDS, le=MAX_CODEWORDS)] | None
    subvector: Subvector | None
    layers: Annotated[list[AnyLayerRecord], Field(min_length=1, max_length=MAX_LAYERS)]
