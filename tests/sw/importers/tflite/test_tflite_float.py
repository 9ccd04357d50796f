"""Float TFLite models of an operator or a few each: what LiteRT computes, for any batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tflite
import torch

from tests.sw.importers.tflite.tflite_models import ModelBuilder, litert_outputs
from vqrom_hw.errors import VqromError
from vqrom_sw.importers import capture, read_tflite

SAME, VALID = tflite.Padding.SAME, tflite.Padding.VALID
RELU = tflite.ActivationFunctionType.RELU
IMAGE = (1, 6, 4, 8)
RNG = np.random.default_rng(0)
ONLY_OTHERS = ("ELU", "CEIL", "ROUND")
"""Operators that have no reference kernel in LiteRT."""


class Net:
    """A float model that grows operator by operator."""

    def __init__(self, shape: Sequence[int] = IMAGE):
        self.model = ModelBuilder()
        self.shape = tuple(shape)
        self.source = self.last = self.model.tensor(shape, dtype="float32")
        self.results: list[int] = []

    def save(self, path: Path) -> Path:
        """Write the model; its output is the last tensor, unless there are others."""
        return self.model.save(path, self.source, self.results or self.last)

    def add(self, kind: str, shape: Sequence[int], options: str = "",
            inputs: Sequence[int] | None = None, **fields: Any) -> int:
        """Add an operator that reads the last tensor, or the given ones."""
        result = self.model.tensor(shape, dtype="float32")
        self.model.operator(kind, [self.last] if inputs is None else inputs, result, options,
                            **fields)
        self.last = result
        return result

    def ints(self, *values: Any) -> int:
        """A constant of int32."""
        return self.model.constant(np.array(values, np.int32))

    def real(self, *shape: int) -> int:
        """A constant of random float32 numbers."""
        return self.model.constant(RNG.standard_normal(shape).astype(np.float32))


def single(kind: str, shape: Sequence[int] = IMAGE, options: str = "", *constants: Any,
           source: Sequence[int] = IMAGE, **fields: Any) -> Callable[[], Net]:
    """An operator of the input and constants: lists are int32, tuples shapes of random ones."""
    def build() -> Net:
        net = Net(source)
        net.add(kind, shape, options, [net.source, *(
            net.real(*value) if isinstance(value, tuple)
            else net.model.constant(np.array(value, np.int32)) for value in constants)], **fields)
        return net
    return build


def pool(kind: str, shape: Sequence[int], kernel: int, stride: int,
         padding: int = SAME) -> Callable[[], Net]:
    return single(kind, shape, "Pool2DOptions", Padding=padding, StrideH=stride, StrideW=stride,
                  FilterHeight=kernel, FilterWidth=kernel)


def conv(kind: str = "CONV_2D", kernel: int = 3, stride: int = 1, dilation: int = 1,
         padding: int = SAME, groups: int = 1, source: Sequence[int] = IMAGE) -> Callable[[], Net]:
    height, width = (-(-size // stride) if padding == SAME else
                     (size - (kernel - 1) * dilation - 1) // stride + 1 for size in source[1:3])
    weights = (1, kernel, kernel, 16) if kind.startswith("D") else (6, kernel, kernel, 8 // groups)
    extra = {"DepthMultiplier": 2} if kind.startswith("D") else {}
    channels = 16 if kind.startswith("D") else 6
    return single(kind, (1, height, width, channels),
                  "DepthwiseConv2DOptions" if kind.startswith("D") else "Conv2DOptions", weights,
                  (channels,), source=source, Padding=padding, StrideH=stride, StrideW=stride,
                  DilationHFactor=dilation, DilationWFactor=dilation, FusedActivationFunction=RELU,
                  **extra)


def transposed(kernel: int, stride: int, padding: int = SAME) -> Callable[[], Net]:
    def build() -> Net:
        net = Net()
        height, width = (size * stride if padding == SAME else (size - 1) * stride + kernel
                         for size in IMAGE[1:3])
        shape = (1, height, width, 5)
        net.add("TRANSPOSE_CONV", shape, "TransposeConvOptions",
                [net.ints(*shape), net.real(5, kernel, kernel, 8), net.source, net.real(5)],
                Padding=padding, StrideH=stride, StrideW=stride)
        return net
    return build


def binary(kind: str, group: str = "", *, shape: Sequence[int] = IMAGE,
           others: Sequence[int] = (8,), turned: bool = False, **fields: Any
           ) -> Callable[[], Net]:
    """An operator of the input and a constant, in either order."""
    def build() -> Net:
        net = Net()
        operands = [net.source, net.real(*others)]
        net.add(kind, shape, group, operands[::-1] if turned else operands, **fields)
        return net
    return build


def gate() -> Net:
    """A squeeze and excitation whose gate has no axes of height and width in the file."""
    net = Net()
    net.add("MEAN", (1, 8), "ReducerOptions", [net.source, net.ints(1, 2)])
    net.add("LOGISTIC", (1, 8))
    net.add("MUL", IMAGE, "MulOptions", [net.source, net.last])
    return net


def attention() -> Net:
    """Products of two computed tensors without an axis of images, and softmax."""
    net = Net((1, 6, 8))
    flat = net.add("SQUEEZE", (6, 8), "SqueezeOptions", SqueezeDims=[0])
    scores = net.add("BATCH_MATMUL", (6, 6), "BatchMatMulOptions", [flat, flat], AdjY=True)
    net.add("SOFTMAX", (6, 6), "SoftmaxOptions", [scores], Beta=0.5)
    net.add("BATCH_MATMUL", (6, 8), "BatchMatMulOptions", [net.last, flat])
    net.add("EXPAND_DIMS", (1, 6, 8), "ExpandDimsOptions", [net.last, net.ints(0)])
    return net


def flattened() -> Net:
    """Flattened maps that are added, joined with a constant and given another shape twice."""
    net = Net()
    flat = net.add("RESHAPE", (1, 192), "ReshapeOptions", [net.source, net.ints(1, 192)])
    net.add("ADD", (1, 192), "AddOptions", [flat, net.real(192)])
    net.add("CONCATENATION", (1, 200), "ConcatenationOptions", [net.last, net.real(1, 8)], Axis=-1)
    net.add("RESHAPE", (20, 10), "ReshapeOptions", [net.last, net.ints(20, -1)])
    net.add("TRANSPOSE", (10, 20), "TransposeOptions", [net.last, net.ints(1, 0)])
    net.add("FULLY_CONNECTED", (10, 3), "FullyConnectedOptions", [net.last, net.real(3, 20)])
    return net


def dilated() -> Net:
    """A dilated convolution as older converters write it: by blocks as images."""
    net = Net()
    net.add("SPACE_TO_BATCH_ND", (4, 5, 4, 8), "SpaceToBatchNDOptions",
            [net.source, net.ints(2, 2), net.ints([2, 2], [2, 2])])
    net.add("CONV_2D", (4, 3, 2, 6), "Conv2DOptions", [net.last, net.real(6, 3, 3, 8), net.real(6)],
            Padding=VALID, StrideH=1, StrideW=1)
    net.add("BATCH_TO_SPACE_ND", IMAGE[:3] + (6,), "BatchToSpaceNDOptions",
            [net.last, net.ints(2, 2), net.ints([0, 0], [0, 0])])
    return net


def computed_shape() -> Net:
    net = Net()
    shape, first = (net.model.tensor(sizes, dtype="int32") for sizes in ((4,), ()))
    net.model.operator("SHAPE", [net.source], shape, "ShapeOptions",
                       OutType=tflite.TensorType.INT32)
    net.model.operator("STRIDED_SLICE", [shape, net.ints(0), net.ints(1), net.ints(1)], first,
                       "StridedSliceOptions", ShrinkAxisMask=1)
    wanted = net.model.tensor((3,), dtype="int32")
    sizes = [net.model.constant(np.array(value, np.int32)) for value in (48, 4)]
    net.model.operator("PACK", [first, *sizes], wanted, "PackOptions", ValuesCount=3)
    net.add("RESHAPE", (1, 48, 4), "ReshapeOptions", [net.source, wanted])
    return net


def parts(kind: str) -> Callable[[], Net]:
    def build() -> Net:
        net = Net()
        results = [net.model.tensor((1, 6, 4, size), dtype="float32") for size in (
            (4, 4) if kind == "SPLIT" else (3, 5))]
        inputs = [net.ints(3), net.source] if kind == "SPLIT" else \
            [net.source, net.ints(3, -1), net.ints(-1)]
        group = "SplitOptions" if kind == "SPLIT" else "SplitVOptions"
        net.model.operator(kind, inputs, results, group, NumSplits=2)
        net.results = results
        return net
    return build


def half_weights() -> Net:
    """Weights in float16, and others in int8 for a layer that LiteRT would quantise at run time."""
    net = Net((1, 20))
    stored = net.model.constant(RNG.standard_normal((12, 20)).astype(np.float16))
    weights = net.add("DEQUANTIZE", (12, 20), inputs=[stored])
    net.add("FULLY_CONNECTED", (1, 12), "FullyConnectedOptions", [net.source, weights])
    whole = net.model.constant(RNG.integers(-127, 128, (5, 12)).astype(np.int8), 0.01)
    net.add("FULLY_CONNECTED", (1, 5), "FullyConnectedOptions", [net.last, whole],
            AsymmetricQuantizeInputs=True)
    return net


FUNCTIONS = ("RELU", "RELU6", "RELU_N1_TO_1", "TANH", "LOGISTIC", "HARD_SWISH", "ELU", "EXP", "ABS",
             "NEG", "SQUARE", "SIN", "COS", "FLOOR", "CEIL", "ROUND", "SIGN", "RELU_0_TO_1")

CONVS: tuple[dict[str, Any], ...] = (
    {"kernel": 2}, {"stride": 2}, {"dilation": 2}, {"padding": VALID}, {"groups": 2},
    {"kind": "DEPTHWISE_CONV_2D"}, {"kind": "DEPTHWISE_CONV_2D", "stride": 2, "kernel": 5})
"""What sets convolutions apart."""

BUILDERS: dict[str, Callable[[], Net]] = {
    **{kind: single(kind) for kind in FUNCTIONS},
    "LEAKY_RELU": single("LEAKY_RELU", IMAGE, "LeakyReluOptions", Alpha=0.2),
    "GELU": single("GELU", IMAGE, "GeluOptions"),
    "GELU by tanh": single("GELU", IMAGE, "GeluOptions", Approximate=True),
    "PRELU": single("PRELU", IMAGE, "", (1, 1, 8)),
    "LOG_SOFTMAX": single("LOG_SOFTMAX"),
    "SOFTMAX": single("SOFTMAX", IMAGE, "SoftmaxOptions", Beta=2.0),
    "L2_NORMALIZATION": single("L2_NORMALIZATION"),
    **{f"conv {arguments}": conv(**arguments) for arguments in CONVS},
    **{f"TRANSPOSE_CONV {arguments}": transposed(*arguments) for arguments in (
        (3, 2), (4, 2), (2, 2), (1, 2), (5, 3), (3, 1), (3, 2, VALID))},
    **{f"{kind} {shape} {kernel} {stride} {padding}": pool(kind, shape, kernel, stride, padding)
       for kind in ("MAX_POOL_2D", "AVERAGE_POOL_2D") for shape, kernel, stride, padding in (
           (IMAGE, 3, 1, SAME), ((1, 3, 2, 8), 3, 2, SAME), ((1, 2, 1, 8), 3, 2, VALID),
           (IMAGE, 2, 1, SAME), ((1, 2, 2, 8), 4, 3, SAME))},
    "ADD of channels": binary("ADD", "AddOptions", FusedActivationFunction=RELU),
    "ADD of more axes": binary("ADD", "AddOptions", shape=(3, 6, 4, 8), others=(3, 1, 1, 1)),
    "SUB from a constant": binary("SUB", "SubOptions", turned=True),
    "DIV by a column": binary("DIV", "DivOptions", others=(6, 1, 1)),
    "MAXIMUM": binary("MAXIMUM", others=(4, 8)), "MINIMUM": binary("MINIMUM", others=()),
    "SQUARED_DIFFERENCE": binary("SQUARED_DIFFERENCE"),
    **{f"MEAN {axes} {keep}": single("MEAN", shape, "ReducerOptions", axes, KeepDims=keep)
       for axes, shape, keep in (([1, 2], (1, 8), False), ([3], (1, 6, 4, 1), True),
                                 ([-1, 1], (1, 4), False), ([0], (6, 4, 8), False))},
    "SUM": single("SUM", (1, 6, 8), "ReducerOptions", [2]),
    "REDUCE_MAX": single("REDUCE_MAX", (1, 8), "ReducerOptions", [1, 2]),
    "PAD": single("PAD", (1, 9, 4, 9), "PadOptions", [[0, 0], [1, 2], [0, 0], [0, 1]]),
    "MIRROR_PAD reflect": single("MIRROR_PAD", (1, 9, 5, 8), "MirrorPadOptions",
                                 [[0, 0], [1, 2], [0, 1], [0, 0]]),
    "MIRROR_PAD symmetric": single("MIRROR_PAD", (1, 9, 5, 8), "MirrorPadOptions",
                                   [[0, 0], [1, 2], [0, 1], [0, 0]], Mode=1),
    "STRIDED_SLICE": single("STRIDED_SLICE", (1, 2, 8), "StridedSliceOptions", [0, 1, 0, 0],
                            [1, 2, 4, 0], [1, 1, 2, 1], ShrinkAxisMask=2, EndMask=8),
    "STRIDED_SLICE with dots": single(
        "STRIDED_SLICE", (1, 6, 4, 3), "StridedSliceOptions", [0, 2], [0, 5], [1, 1],
        EllipsisMask=1),
    "STRIDED_SLICE of the image": single(
        "STRIDED_SLICE", (6, 4, 8), "StridedSliceOptions", [0], [1], [1], ShrinkAxisMask=1),
    "SLICE": single("SLICE", (1, 2, 4, 3), "SliceOptions", [0, 1, 0, 5], [1, 2, -1, 3]),
    "GATHER": single("GATHER", (1, 6, 3, 8), "GatherOptions", [3, 0, 1], Axis=2),
    "TRANSPOSE": single("TRANSPOSE", (1, 8, 6, 4), "TransposeOptions", [0, 3, 1, 2]),
    "TRANSPOSE of the images' axis": single("TRANSPOSE", (8, 1, 4, 6), "TransposeOptions",
                                            [3, 0, 2, 1]),
    "DEPTH_TO_SPACE": single("DEPTH_TO_SPACE", (1, 12, 8, 2), "DepthToSpaceOptions", BlockSize=2),
    "SPACE_TO_DEPTH": single("SPACE_TO_DEPTH", (1, 3, 2, 32), "SpaceToDepthOptions", BlockSize=2),
    **{f"{kind} {sizes} {align} {half}": single(
        f"RESIZE_{kind}", (1, *sizes, 8), "ResizeBilinearOptions" if kind == "BILINEAR"
        else "ResizeNearestNeighborOptions", list(sizes), AlignCorners=align,
        HalfPixelCenters=half)
       for kind in ("BILINEAR", "NEAREST_NEIGHBOR") for sizes in ((12, 8), (9, 7), (4, 3), (1, 1))
       for align, half in ((False, False), (True, False), (False, True))},
    "FULLY_CONNECTED of rows": single("FULLY_CONNECTED", (24, 5), "FullyConnectedOptions", (5, 8)),
    "FULLY_CONNECTED that keeps axes": single(
        "FULLY_CONNECTED", (1, 6, 4, 5), "FullyConnectedOptions", (5, 8), KeepNumDims=True),
    "SPLIT": parts("SPLIT"), "SPLIT_V": parts("SPLIT_V"), "gate": gate, "attention": attention,
    "flattened": flattened, "dilated by blocks": dilated, "computed shape": computed_shape,
    "half and whole weights": half_weights,
}
"""What builds a model of each kind, by its name."""


def expected(net: Net, path: Path, x: np.ndarray, name: str) -> list[np.ndarray]:
    file = x.transpose(0, 2, 3, 1) if len(net.shape) == 4 else x
    return litert_outputs(path, file, name.split(" ")[0] not in ONLY_OTHERS)


@pytest.mark.parametrize("name", BUILDERS)
def test_computes_what_litert_does(name: str, tmp_path: Path) -> None:
    net = BUILDERS[name]()
    path = net.save(tmp_path / "net.tflite")
    imported = read_tflite(path)
    x = np.random.default_rng(3).standard_normal((5, *imported.input_shape[1:])).astype(np.float32)
    found = imported.module(torch.from_numpy(x))
    results = found if isinstance(found, tuple) else (found,)
    if name == "half and whole weights":
        return  # LiteRT quantises the activations of the second layer; reading compared without.
    for result, right in zip(results, expected(net, path, x, name), strict=True):
        assert result.shape == right.shape
        np.testing.assert_allclose(result.detach().numpy(), right, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("build", [flattened, gate])
def test_can_be_captured_for_any_number_of_images(build: Callable[[], Net], tmp_path: Path) -> None:
    """Constants joined to maps; the network is compared with the module."""
    imported = read_tflite(build().save(tmp_path / "net.tflite"))
    assert capture(imported.module, torch.zeros(imported.input_shape), "net").outputs


def test_convolution_of_blocks_among_the_images_is_refused(tmp_path: Path) -> None:
    imported = read_tflite(dilated().save(tmp_path / "net.tflite"))
    with pytest.raises(VqromError, match="images must be the whole first dimension"):
        capture(imported.module, torch.zeros(imported.input_shape), "net")


@pytest.mark.parametrize(("build", "message"), [
    (single("TOPK_V2", IMAGE), r"operator 0 \(TOPK_V2\): the operator is not read"),
    (single("GATHER", IMAGE, "GatherOptions", [9], Axis=2), r"\(GATHER\): places must be in a row"),
    (single("FULLY_CONNECTED", (24, 5), "FullyConnectedOptions", (5, 8), WeightsFormat=1),
     r"\(FULLY_CONNECTED\): weights must not be shuffled"),
    (single("RESHAPE", (1, 100), "ReshapeOptions", [1, 100]), r"\(RESHAPE\): must keep the elem"),
    (single("MEAN", (1, 8), "ReducerOptions", [7]), r"\(MEAN\): axis 7 must be one of 4 axes"),
    (single("GELU", IMAGE, "LeakyReluOptions", Alpha=0.2), r"\(GELU\): must have GeluOptions, not"),
    (single("STRIDED_SLICE", IMAGE, "StridedSliceOptions", [0, 5, 0, 0], [1, -7, 4, 8],
            [1, -1, 1, 1]), r"\(STRIDED_SLICE\): steps must be positive"),
    (single("RELU", IMAGE, "LeakyReluOptions", Alpha=0.2), r"option alpha must not be 0.2"),
    (single("RELU", (1, 6, 4, 9)), r"\(RELU\): output must be \(1, 6, 4, 9\), not \(1, 6, 4, 8\)"),
])
def test_refuses_by_name(build: Callable[[], Net], message: str, tmp_path: Path) -> None:
    net = build()
    path = net.save(tmp_path / "net.tflite")
    with pytest.raises(VqromError, match=message) as caught:
        read_tflite(path)
    assert "\n" not in str(caught.value) and "net.tflite" in str(caught.value)


def test_input_in_pytorchs_order(tmp_path: Path) -> None:
    """A file that turns its input at once takes what PyTorch has."""
    net = single("TRANSPOSE", (1, 6, 4, 3), "TransposeOptions", [0, 2, 3, 1],
                 source=(1, 3, 6, 4))()
    path = net.save(tmp_path / "net.tflite")
    imported = read_tflite(path)
    assert imported.input_shape == (1, 3, 6, 4)
    x = torch.randn(2, 3, 6, 4)
    torch.testing.assert_close(imported.module(x), x.permute(0, 2, 3, 1))


def test_every_truncation_and_many_flipped_bits(tmp_path: Path) -> None:
    """Any damage is either refused in one line or still what LiteRT computes."""
    content = bytearray(gate().save(tmp_path / "whole.tflite").read_bytes())
    path = tmp_path / "net.tflite"
    for size in range(0, len(content), 31):
        path.write_bytes(content[:size])
        with pytest.raises(VqromError, match=r"net\.tflite"):
            read_tflite(path)
    for place in np.random.default_rng(3).integers(0, len(content), 300):
        altered = content.copy()
        altered[place] ^= 1 << place % 8
        path.write_bytes(altered)
        try:
            read_tflite(path)
        except VqromError as error:
            assert "\n" not in str(error)
