"""The records of a ``.vqnet`` file's graph: which fields each kind of layer has, and their ranges.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Size = Annotated[int, Field(ge=1, le=1 << 16)]
Pixels = Annotated[int, Field(ge=0, le=1 << 10)]
Int8 = Annotated[int, Field(ge=-128, le=127)]
Shape = tuple[Size, Size, Size]
Pair = tuple[Size, Size]
Padding = tuple[Pixels, Pixels, Pixels, Pixels]
Name = Annotated[str, Field(min_length=1, max_length=256)]
MAX_LAYERS = 4094
"""The hardware's layer number has 12 bits; loading and storing are two of them."""

STRICT = ConfigDict(extra="forbid", frozen=True)


class QuantizationRecord(BaseModel):
    """Per-tensor affine quantisation."""

    model_config = STRICT
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    zero_point: Int8


class FixedPoint(BaseModel):
    """A requantisation multiplier of one element."""

    model_config = STRICT
    multiplier: Annotated[int, Field(ge=0, lt=1 << 31)]
    shift: Annotated[int, Field(ge=-31, le=7)]


class _Record(BaseModel):
    model_config = STRICT
    name: Name
    inputs: tuple[Name, ...]
    shape: Shape
    quantization: QuantizationRecord


class _Window(_Record):
    kernel: Pair
    stride: Pair
    padding: Padding


class ConvRecord(_Window):
    """A convolution or linear layer; its arrays are tensors of the file."""

    kind: Literal["conv", "linear"]
    weights: Literal["index", "raw"]
    groups: Size = 1
    clamp: tuple[Int8, Int8]


class MaxPoolRecord(_Window):
    """Max pooling."""

    kind: Literal["maxpool"] = "maxpool"


class WindowAverageRecord(_Window):
    """Average pooling of windows."""

    kind: Literal["avgpool2d"] = "avgpool2d"
    clamp: tuple[Int8, Int8]


class AveragePoolRecord(_Record):
    """Global average pooling."""

    kind: Literal["avgpool"] = "avgpool"
    requantization: FixedPoint


class AddRecord(_Record):
    """Residual addition."""

    kind: Literal["add"] = "add"
    input_requantization: tuple[FixedPoint, FixedPoint]
    requantization: FixedPoint
    clamp: tuple[Int8, Int8]


class SoftmaxRecord(_Record):
    """Softmax on the host, in integers."""

    kind: Literal["softmax"] = "softmax"
    multiplier: Annotated[int, Field(ge=1 << 30, lt=1 << 31)]
    shift: Annotated[int, Field(ge=0, le=31)]


class StepRecord(BaseModel):
    """A step of a host layer."""

    model_config = STRICT
    op: Annotated[str, Field(max_length=64)]
    arguments: Annotated[tuple[Any, ...], Field(max_length=16)]
    keywords: Annotated[dict[str, Any], Field(max_length=16)]


class HostRecord(_Record):
    """Operations on the host; its constants are tensors of the file."""

    kind: Literal["host"] = "host"
    operation: Annotated[str, Field(max_length=256)]
    steps: Annotated[tuple[StepRecord, ...], Field(min_length=1, max_length=256)]
    constants: Annotated[int, Field(ge=0, le=256)]
    input_shapes: tuple[Annotated[tuple[Size, ...], Field(min_length=1, max_length=3)], ...]


Record = Annotated[ConvRecord | MaxPoolRecord | WindowAverageRecord | AveragePoolRecord | AddRecord
                   | SoftmaxRecord | HostRecord, Field(discriminator="kind")]


class Graph(BaseModel):
    """What the file says beside its tensors."""

    model_config = STRICT
    name: Name
    input_shape: Shape
    input_quantization: QuantizationRecord
    output_shape: Annotated[tuple[Size, ...], Field(min_length=1, max_length=4)]
    codebook_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    codewords: Annotated[int, Field(ge=2, le=65536)] | None
    subvector: Literal[1, 2, 4, 8, 16] | None
    layers: Annotated[list[Record], Field(min_length=1, max_length=MAX_LAYERS)]
