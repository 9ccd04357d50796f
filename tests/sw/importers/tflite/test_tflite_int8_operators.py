"""Operators of int8 TFLite models, one or a few each: bytes of LiteRT's reference kernels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tflite

from tests.sw.importers.tflite.tflite_models import ModelBuilder, differing, litert_outputs
from vqrom_hw.errors import VqromError
from vqrom_sw.formats import load_network, save_network
from vqrom_sw.importers import read_tflite_int8
from vqrom_sw.network import Concat, Host, Select, Table, Upsample
from vqrom_sw.reference import outputs_of, run_reference

SAME, VALID = tflite.Padding.SAME, tflite.Padding.VALID
RELU, RELU6 = tflite.ActivationFunctionType.RELU, tflite.ActivationFunctionType.RELU6
SCALE, ZERO = 0.05, -3
IMAGE = (1, 6, 4, 8)
RNG = np.random.default_rng(0)


class Net:
    """A model whose input is int8, and which grows operator by operator."""

    def __init__(self, shape: Sequence[int] = IMAGE):
        self.model = ModelBuilder()
        self.source = self.last = self.model.tensor(shape, SCALE, ZERO)
        self.results: list[int] = []

    def save(self, path: Path) -> Path:
        """Write the model; its output is the last tensor, unless there are others."""
        return self.model.save(path, self.source, self.results or self.last)

    def add(self, kind: str, shape: Sequence[int], options: str = "", scale: float = SCALE,
            zero: int = ZERO, inputs: Sequence[int] | None = None, **fields: Any) -> int:
        """Add an operator that reads the last tensor, or the given ones."""
        result = self.model.tensor(shape, scale, zero)
        self.model.operator(kind, [self.last] if inputs is None else inputs, result, options,
                            **fields)
        self.last = result
        return result

    def ints(self, *values: Any) -> int:
        """A constant of int32."""
        return self.model.constant(np.array(values, np.int32))

    def bytes(self, shape: Sequence[int], scale: float = SCALE, zero: int = ZERO) -> int:
        """A constant of random int8 numbers."""
        data = RNG.integers(-128, 128, shape).astype(np.int8)
        return self.model.tensor(shape, scale, zero, data=data)

    def weights(self, *shape: int) -> int:
        data = RNG.integers(-127, 128, shape).astype(np.int8)
        return self.model.constant(data, [float(x) for x in RNG.uniform(1e-3, 3e-3, shape[0])])

    def bias(self, count: int) -> int:
        return self.model.constant(RNG.integers(-3000, 3000, count).astype(np.int32), 1e-4)

    def gate(self, scale: float = 1 / 256, zero: int = -128) -> int:
        """One number for each channel, of the image."""
        self.add("MEAN", (1, 1, 1, 8), "ReducerOptions", inputs=[self.source, self.ints(1, 2)],
                 KeepDims=True)
        return self.add("LOGISTIC", (1, 1, 1, 8), scale=scale, zero=zero)


def binary(kind: str, other: Callable[[Net], int], turned: bool = False, scale: float = 0.04,
           zero: int = 5, **fields: Any) -> Callable[[Net], None]:
    """An operator of the input and another tensor."""
    def build(net: Net) -> None:
        operands = [net.source, other(net)]
        group = {"ADD": "AddOptions", "SUB": "SubOptions", "MUL": "MulOptions"}.get(kind, "")
        net.add(kind, IMAGE, group, scale, zero, operands[::-1] if turned else operands, **fields)
    return build


def pooled(net: Net) -> int:
    return net.add("MAX_POOL_2D", IMAGE, "Pool2DOptions", Padding=SAME, StrideH=1, StrideW=1,
                   FilterHeight=2, FilterWidth=2)


def rescaled(net: Net) -> int:
    return net.add("LEAKY_RELU", IMAGE, "LeakyReluOptions", 0.021, 11, [net.source], Alpha=0.3)


def column(net: Net) -> int:
    return net.add("MEAN", (1, 6, 4, 1), "ReducerOptions", inputs=[net.source, net.ints(3)],
                   KeepDims=True)


def row(net: Net) -> int:
    return net.add("MEAN", (1, 1, 4, 8), "ReducerOptions", inputs=[net.source, net.ints(1)],
                   KeepDims=True)


def transposed(size: int, kernel: int, stride: int, padding: int = SAME, stride_x: int = 0,
               activation: int = 0) -> Callable[[Net], None]:
    def build(net: Net) -> None:
        across = stride_x or stride
        height, width = (length * step if padding == SAME else (length - 1) * step + kernel
                         for length, step in ((6, stride), (4, across)))
        shape = (1, height, width, size)
        net.add("TRANSPOSE_CONV", shape, "TransposeConvOptions", 0.07, 3,
                [net.ints(*shape), net.weights(size, kernel, kernel, 8), net.source,
                 net.bias(size)], Padding=padding, StrideH=stride, StrideW=across,
                FusedActivationFunction=activation)
    return build


def moved(kind: str, shape: Sequence[int], options: str = "", *constants: Any,
          **fields: Any) -> Callable[[Net], None]:
    """An operator of the input and integer constants that changes no scale."""
    def build(net: Net) -> None:
        net.add(kind, shape, options, inputs=[net.source, *(
            net.model.constant(np.array(value, np.int32)) for value in constants)], **fields)
    return build


def parts(net: Net, kind: str = "SPLIT", axis: int = 3) -> None:
    results = [net.model.tensor((1, 6, 4, 4) if axis == 3 else (1, 3, 4, 8), SCALE, ZERO)
               for _ in range(2)]
    inputs = [net.ints(axis), net.source] if kind == "SPLIT" else \
        [net.source, net.ints(*[4 if axis == 3 else 3, -1]), net.ints(axis)]
    group = "SplitVOptions" if kind == "SPLIT_V" else "SplitOptions"
    net.model.operator(kind, inputs, results, group, NumSplits=2)
    net.add("CONCATENATION", IMAGE, "ConcatenationOptions", inputs=results[::-1], Axis=axis)


def joined(net: Net, axis: int = 3, constant: bool = False) -> None:
    other = net.bytes(IMAGE) if constant else pooled(net)
    shape = [size * (2 if place == axis % 4 else 1) for place, size in enumerate(IMAGE)]
    net.add("CONCATENATION", shape, "ConcatenationOptions", inputs=[net.source, other], Axis=axis)


def padded(net: Net, *, behind: str = "", amounts: Any = ((0, 0), (1, 0), (0, 2), (0, 0)),
           filler: int | None = None) -> None:
    shape = [size + sum(row) for size, row in zip(IMAGE, amounts, strict=True)]
    inputs = [net.source, net.ints(*amounts)]
    if filler is not None:
        inputs.append(net.model.tensor((), SCALE, ZERO, data=np.array(filler, np.int8)))
    net.add("PAD" if filler is None else "PADV2", shape, inputs=inputs)
    if behind:
        net.add("MAX_POOL_2D", shape, "Pool2DOptions", Padding=SAME, StrideH=1, StrideW=1,
                FilterHeight=2, FilterWidth=2)


def mean(axes: Sequence[int], shape: Sequence[int], keep: bool) -> Callable[[Net], Any]:
    def build(net: Net) -> None:
        net.add("MEAN", shape, "ReducerOptions", 0.03, 4, [net.source, net.ints(*axes)],
                KeepDims=keep)
    return build


def several_outputs(net: Net) -> None:
    net.results = [pooled(net), rescaled(net)]


def sequence_linear(net: Net) -> None:
    """A linear layer on each element of a sequence, one on half a row, and one on all."""
    net.add("FULLY_CONNECTED", (1, 24, 5), "FullyConnectedOptions", 0.09, 2,
            [net.last, net.weights(5, 8), net.bias(5)], KeepNumDims=True)
    net.add("RESHAPE", (1, 12, 10), "ReshapeOptions", 0.09, 2, [net.last, net.ints(1, 12, 10)])
    net.add("FULLY_CONNECTED", (12, 3), "FullyConnectedOptions", 0.3, 0,
            [net.last, net.weights(3, 10), net.bias(3)])
    net.add("SOFTMAX", (12, 3), "SoftmaxOptions", 1 / 256, -128, Beta=1.0)


def shuffle(net: Net) -> None:
    """The shape of a RESHAPE is computed from another tensor's."""
    shape = net.model.tensor((4,), dtype="int32")
    net.model.operator("SHAPE", [net.source], shape, "ShapeOptions",
                       OutType=tflite.TensorType.INT32)
    first = net.model.tensor((), dtype="int32")
    net.model.operator("STRIDED_SLICE", [shape, net.ints(0), net.ints(1), net.ints(1)], first,
                       "StridedSliceOptions", ShrinkAxisMask=1)
    wanted = net.model.tensor((3,), dtype="int32")
    four, half = (net.model.constant(np.array(value, np.int32)) for value in (4, 48))
    net.model.operator("PACK", [first, half, four], wanted, "PackOptions", ValuesCount=3)
    net.add("RESHAPE", (1, 48, 4), "ReshapeOptions", inputs=[net.source, wanted])
    net.add("TRANSPOSE", (1, 4, 48), "TransposeOptions", inputs=[net.last, net.ints(0, 2, 1)])


def requantised(net: Net) -> None:
    net.add("QUANTIZE", IMAGE, "QuantizeOptions", 0.013, 20)
    real = net.model.tensor(IMAGE, dtype="float32")
    net.model.operator("DEQUANTIZE", [net.last], real, "DequantizeOptions")
    net.add("QUANTIZE", IMAGE, "QuantizeOptions", 0.031, -7, [real])


BUILDERS: dict[str, Callable[[Net], Any]] = {
    **{f"{kind} of maps": binary(kind, rescaled) for kind in ("ADD", "SUB", "MUL")},
    "MUL with RELU6": binary("MUL", rescaled, FusedActivationFunction=RELU6),
    "SUB with RELU": binary("SUB", rescaled, turned=True, FusedActivationFunction=RELU),
    **{f"{kind} of a gate": binary(kind, lambda net: net.gate()) for kind in ("ADD", "MUL")},
    **{f"{kind} of a gate first": binary(kind, lambda net: net.gate(), turned=True)
       for kind in ("ADD", "MUL", "SUB")},
    "SUB of a gate": binary("SUB", lambda net: net.gate()),
    "MUL of a column": binary("MUL", column), "ADD of a row": binary("ADD", row),
    **{f"{kind} of maps": binary(kind, pooled, scale=SCALE, zero=ZERO)
       for kind in ("MAXIMUM", "MINIMUM")},
    **{f"{kind} of channels": binary(kind, lambda net: net.bytes((8,), 0.02, 4), turned=turned)
       for kind, turned in (("ADD", False), ("SUB", True), ("SUB", False), ("MUL", True))},
    "ADD of a number": binary("ADD", lambda net: net.bytes((1,), 0.5, 0)),
    "MINIMUM of a number": binary("MINIMUM", lambda net: net.bytes(()), scale=SCALE, zero=ZERO),
    "ADD of a constant map": binary("ADD", lambda net: net.bytes((1, 6, 4, 8), 0.02, 4)),
    "MUL of a constant row": binary("MUL", lambda net: net.bytes((4, 8), 0.02, 4)),
    "TRANSPOSE_CONV 3 by 2": transposed(5, 3, 2), "TRANSPOSE_CONV 4 by 2": transposed(3, 4, 2),
    "TRANSPOSE_CONV 2 by 2": transposed(4, 2, 2, activation=RELU),
    "TRANSPOSE_CONV valid": transposed(5, 3, 2, VALID),
    "TRANSPOSE_CONV 5 by 3": transposed(2, 5, 3), "TRANSPOSE_CONV 1 by 2": transposed(2, 1, 2),
    "TRANSPOSE_CONV stride 1": transposed(3, 3, 1), "TRANSPOSE_CONV 3 by 1, 2": transposed(
        3, 3, 1, SAME, 2), "TRANSPOSE_CONV valid 2 by 3": transposed(3, 2, 3, VALID),
    "SLICE of channels": moved("SLICE", (1, 6, 4, 3), "", [0, 0, 0, 2], [1, 6, 4, 3]),
    "SLICE of pixels": moved("SLICE", (1, 3, 2, 8), "", [0, 2, 1, 0], [-1, 3, 2, -1]),
    "STRIDED_SLICE of strides": moved(
        "STRIDED_SLICE", (1, 3, 2, 4), "StridedSliceOptions", [0, 0, 0, 1], [1, 6, 4, 8],
        [1, 2, 2, 2]),
    "STRIDED_SLICE of a row": moved(
        "STRIDED_SLICE", (1, 4, 8), "StridedSliceOptions", [0, -2, 0, 0], [1, 0, 4, 8],
        [1, 1, 1, 1], ShrinkAxisMask=2, BeginMask=1, EndMask=13),
    "SPLIT of channels": parts, "SPLIT of rows": lambda net: parts(net, axis=1),
    "SPLIT_V of channels": lambda net: parts(net, "SPLIT_V"),
    "CONCATENATION of channels": joined, "CONCATENATION of rows": lambda net: joined(net, 1),
    "CONCATENATION of columns": lambda net: joined(net, -2),
    "CONCATENATION with a constant": lambda net: joined(net, constant=True),
    "TRANSPOSE": moved("TRANSPOSE", (1, 8, 6, 4), "TransposeOptions", [0, 3, 1, 2]),
    "RESHAPE to an image": moved("RESHAPE", (1, 4, 6, 8), "ReshapeOptions", [1, 4, 6, 8]),
    "PAD before a pooling": lambda net: padded(net, behind="pool"), "PAD at the end": padded,
    "PAD of channels": lambda net: padded(net, amounts=((0, 0), (1, 1), (0, 0), (2, 1))),
    "PADV2": lambda net: padded(net, filler=50),
    "PADV2 of zero": lambda net: padded(net, filler=ZERO, behind="pool"),
    "MIRROR_PAD": moved("MIRROR_PAD", (1, 8, 6, 8), "MirrorPadOptions",
                        [[0, 0], [1, 1], [2, 0], [0, 0]]),
    "RESIZE_NEAREST_NEIGHBOR": moved("RESIZE_NEAREST_NEIGHBOR", (1, 12, 12, 8),
                                     "ResizeNearestNeighborOptions", [12, 12]),
    "RESIZE_NEAREST_NEIGHBOR of halves": moved(
        "RESIZE_NEAREST_NEIGHBOR", (1, 12, 8, 8), "ResizeNearestNeighborOptions", [12, 8],
        HalfPixelCenters=True),
    "RESIZE_NEAREST_NEIGHBOR downwards": moved(
        "RESIZE_NEAREST_NEIGHBOR", (1, 3, 2, 8), "ResizeNearestNeighborOptions", [3, 2]),
    "DEPTH_TO_SPACE": moved("DEPTH_TO_SPACE", (1, 12, 8, 2), "DepthToSpaceOptions", BlockSize=2),
    "SPACE_TO_DEPTH": moved("SPACE_TO_DEPTH", (1, 3, 2, 32), "SpaceToDepthOptions", BlockSize=2),
    **{f"MEAN over {axes}": mean(axes, shape, keep) for axes, shape, keep in (
        ((1,), (1, 4, 8), False), ((2,), (1, 6, 1, 8), True), ((3,), (1, 6, 4), False),
        ((1, 2, 3), (1,), False), ((-1, 1), (1, 1, 4, 1), True))},
    "REDUCE_MAX": moved("REDUCE_MAX", (1, 8), "ReducerOptions", [1, 2]),
    "several outputs": several_outputs, "QUANTIZE": requantised, "SHAPE and PACK": shuffle,
}
"""What builds a model of each kind, by its name."""


@pytest.mark.parametrize("name", BUILDERS)
def test_gives_every_byte(name: str, tmp_path: Path) -> None:
    net = Net()
    BUILDERS[name](net)
    path = net.save(tmp_path / "net.tflite")
    network = read_tflite_int8(path)
    inputs = np.random.default_rng(2).integers(-128, 128, (7, *network.input_shape))
    inputs = inputs.astype(np.int8)
    found = differing(path, network, inputs)
    assert found == dict.fromkeys(found, 0)
    save_network(network, tmp_path / "net.vqnet", None)
    results = run_reference(load_network(tmp_path / "net.vqnet"), None, inputs)
    expected = litert_outputs(path, inputs)
    assert len(expected) == len(network.outputs)
    for output, right in zip(network.outputs, expected, strict=True):
        np.testing.assert_array_equal(results[output.layer].reshape(7, -1), right.reshape(7, -1))


def test_linear_layers_of_sequences(tmp_path: Path) -> None:
    net = Net((1, 24, 8))
    sequence_linear(net)
    path = net.save(tmp_path / "net.tflite")
    network = read_tflite_int8(path)
    assert network.input_native.sizes == (24, 8) and network.output_shape == (12, 3)
    inputs = np.random.default_rng(2).integers(-128, 128, (7, 24, 1, 8)).astype(np.int8)
    found = differing(path, network, inputs)
    assert found == dict.fromkeys(found, 0) and len(found) == 3


def layers(name: str, path: Path) -> list[Any]:
    net = Net()
    BUILDERS[name](net)
    return list(read_tflite_int8(net.save(path / "net.tflite")).layers)


@pytest.mark.parametrize(("name", "kinds"), [
    ("ADD of channels", [Table]), ("SLICE of channels", [Select]), ("SLICE of pixels", [Host]),
    ("SPLIT of channels", [Select, Select, Concat]), ("RESIZE_NEAREST_NEIGHBOR", [Upsample]),
    ("STRIDED_SLICE of strides", [Select])])
def test_becomes_layers_of_the_accelerator(name: str, kinds: list[type], tmp_path: Path) -> None:
    assert [type(layer) for layer in layers(name, tmp_path)] == kinds


def test_several_outputs_in_their_order(tmp_path: Path) -> None:
    net = Net()
    several_outputs(net)
    path = net.model.save(tmp_path / "net.tflite", net.source, net.results[::-1])
    names = [output.layer for output in read_tflite_int8(path).outputs]
    assert names == ["leaky_relu_1", "max_pool_2d_0"]


def test_output_of_one_channel_needs_no_layer_for_its_shape(tmp_path: Path) -> None:
    """An image of one channel that is made of a vector: its numbers are in order already."""
    net = Net((1, 20))
    net.add("FULLY_CONNECTED", (1, 24), "FullyConnectedOptions", 0.2, 3,
            [net.source, net.weights(24, 20), net.bias(24)])
    net.add("RESHAPE", (1, 6, 4, 1), "ReshapeOptions", 0.2, 3, [net.last, net.ints(1, 6, 4, 1)])
    path = net.save(tmp_path / "net.tflite")
    network = read_tflite_int8(path)
    assert len(network.layers) == 1
    x = RNG.integers(-128, 128, (5, 1, 1, 20)).astype(np.int8)
    (found,), (right,) = outputs_of(network, run_reference(network, None, x)), litert_outputs(
        path, x)
    np.testing.assert_array_equal(found, right.transpose(0, 3, 1, 2))


def test_input_in_pytorchs_order(tmp_path: Path) -> None:
    net = Net((1, 3, 6, 4))
    net.add("TRANSPOSE", (1, 6, 4, 3), "TransposeOptions",
            inputs=[net.source, net.ints(0, 2, 3, 1)])
    net.add("MAX_POOL_2D", (1, 5, 3, 3), "Pool2DOptions", Padding=VALID, StrideH=1, StrideW=1,
            FilterHeight=2, FilterWidth=2)
    network = read_tflite_int8(net.save(tmp_path / "net.tflite"))
    assert (network.input_shape, network.input_native.sizes) == ((6, 4, 3), (3, 6, 4))
    assert len(network.layers) == 1


def test_unsigned_ends(tmp_path: Path) -> None:
    model = ModelBuilder()
    source = model.tensor(IMAGE, SCALE, 125, dtype="uint8")
    inner, table = model.tensor(IMAGE, SCALE, ZERO), model.tensor(IMAGE, 1 / 128, 0)
    model.operator("QUANTIZE", [source], inner, "QuantizeOptions")
    result = model.tensor(IMAGE, 1 / 128, 128, dtype="uint8")
    model.operator("TANH", [inner], table)
    model.operator("QUANTIZE", [table], result, "QuantizeOptions")
    network = read_tflite_int8(model.save(tmp_path / "net.tflite", source, result))
    assert network.input_quantization.zero_point == ZERO
    assert [type(layer) for layer in network.layers] == [Table]


@pytest.mark.parametrize(("build", "message"), [
    (moved("RESIZE_NEAREST_NEIGHBOR", (1, 9, 4, 8), "ResizeNearestNeighborOptions", [9, 4]),
     r"operator 0 \(RESIZE_NEAREST_NEIGHBOR\): must be by whole factors"),
    (binary("MAXIMUM", rescaled), r"\(MAXIMUM\): inputs and output must have one quantisation"),
    (moved("SUM", (1, 8), "ReducerOptions", [1, 2]), r"\(SUM\): LiteRT's reference kernel reads"),
    (moved("MIRROR_PAD", (1, 8, 6, 8), "MirrorPadOptions", [[0, 0], [1, 1], [2, 0], [0, 0]],
           Mode=tflite.MirrorPadMode.SYMMETRIC), r"\(MIRROR_PAD\): must reflect without"),
    (moved("STRIDED_SLICE", (1, 6, 4, 8), "StridedSliceOptions", [0, 5, 0, 0], [1, -7, 4, 8],
           [1, -1, 1, 1]), r"\(STRIDED_SLICE\): steps must be positive"),
])
def test_refuses_by_name(build: Callable[[Net], None], message: str, tmp_path: Path) -> None:
    net = Net()
    build(net)
    with pytest.raises(VqromError, match=message) as caught:
        read_tflite_int8(net.save(tmp_path / "net.tflite"))
    assert "\n" not in str(caught.value)


def test_refuses_int16(tmp_path: Path) -> None:
    model = ModelBuilder()
    source, result = (model.tensor(IMAGE, SCALE, dtype="int16") for _ in range(2))
    model.operator("LOGISTIC", [source], result)
    with pytest.raises(VqromError, match=r"input must be INT8, or FLOAT32 .* not INT16"):
        read_tflite_int8(model.save(tmp_path / "net.tflite", source, result))
