"""Int8 TFLite models: every layer's bytes against LiteRT's reference kernels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tflite

from tests.sw.importers.tflite.tflite_models import ModelBuilder, differing
from vqrom_hw.errors import VqromError
from vqrom_sw.formats import load_network, save_network
from vqrom_sw.importers import is_tflite_int8, read_tflite_int8
from vqrom_sw.network import INPUT, NO_CODEBOOK
from vqrom_sw.reference import output_of, run_reference

SAME, VALID = tflite.Padding.SAME, tflite.Padding.VALID
RELU, RELU6 = tflite.ActivationFunctionType.RELU, tflite.ActivationFunctionType.RELU6
RELU_N1_TO_1 = tflite.ActivationFunctionType.RELU_N1_TO_1
RNG = np.random.default_rng(0)


def real_inputs(folder: Path, name: str, count: int) -> np.ndarray:
    if name == "ds_cnn_kws":
        with np.load(folder / "kws" / "test_500.npz") as archive:
            return archive["features"][:count]
    if name == "resnet8":
        with np.load(folder / "cifar10_resnet" / "test_2000.npz") as archive:
            return (archive["images"][:count].astype(int) - 128).astype(np.int8)
    return np.random.default_rng(1).integers(-128, 128, (count, 1, 1, 640)).astype(np.int8)


@pytest.mark.parametrize(("name", "layers"), [("resnet8", 15), ("ds_cnn_kws", 12),
                                              ("autoencoder_ad", 10)])
def test_mlperf_tiny_gives_every_byte(data_folder: Path, name: str, layers: int) -> None:
    path = data_folder / "mlperf_tiny" / f"{name}_int8.tflite"
    network = read_tflite_int8(path)
    assert not network.indexed and network.codebook_sha256 == NO_CODEBOOK
    found = differing(path, network, real_inputs(data_folder, name, 12))
    assert found == dict.fromkeys((layer.name for layer in network.layers), 0)
    assert len(found) == layers


def test_keyword_spotting_keeps_its_accuracy(data_folder: Path) -> None:
    """It gets 90.2 % of the 1,000 official inputs right; the last 100 of 500 are tried here."""
    with np.load(data_folder / "kws" / "test_500.npz") as archive:
        features, labels = archive["features"][400:], archive["labels"][400:]
    network = read_tflite_int8(data_folder / "mlperf_tiny" / "ds_cnn_kws_int8.tflite")
    outputs = output_of(network, run_reference(network, None, features))
    assert outputs.shape == (100, 12)
    assert (outputs.argmax(1) == labels).mean() > 0.85


def test_file_there_and_back(data_folder: Path, tmp_path: Path) -> None:
    network = read_tflite_int8(data_folder / "mlperf_tiny" / "ds_cnn_kws_int8.tflite")
    save_network(network, tmp_path / "kws.vqnet", None)
    inputs = real_inputs(data_folder, "ds_cnn_kws", 2)
    ours, theirs = (run_reference(which, None, inputs)
                    for which in (network, load_network(tmp_path / "kws.vqnet")))
    for name, value in ours.items():
        np.testing.assert_array_equal(theirs[name], value)


def test_tells_int8_from_float(data_folder: Path) -> None:
    folder = data_folder / "mlperf_tiny"
    assert is_tflite_int8(folder / "resnet8_int8.tflite")
    assert not is_tflite_int8(folder / "resnet8_float.tflite")
    with pytest.raises(VqromError, match=r"its input must be INT8.*not FLOAT32"):
        read_tflite_int8(folder / "resnet8_float.tflite")


class Single:
    """A model of one operator whose input is int8 ``[1, 7, 6, 5]``."""

    def __init__(self, shape: tuple[int, ...] = (1, 7, 6, 5)):
        self.model = ModelBuilder()
        self.source = self.model.tensor(shape, 0.05, -3)

    def weights(self, *shape: int, axis: int | None = None) -> int:
        values = RNG.integers(-127, 128, shape).astype(np.int8)
        scale = RNG.uniform(0.001, 0.003, 1 if axis is None else shape[axis])
        return self.model.constant(values, [*map(float, scale)], axis or 0)

    def bias(self, count: int) -> int:
        return self.model.constant(RNG.integers(-3000, 3000, count).astype(np.int32), 1e-4)

    def save(self, path: Path, result: int) -> Path:
        return self.model.save(path, self.source, result)


def conv(path: Path, padding: int = SAME, axis: int | None = 0, activation: int = 0,
         dilation: int = 1) -> Path:
    single = Single()
    result = single.model.tensor((1, 4, 3, 8) if padding == SAME else (1, 3, 2, 8), 0.03, 7)
    single.model.operator("CONV_2D", [single.source, single.weights(8, 3, 4, 5, axis=axis),
                                      single.bias(8)], result, "Conv2DOptions", Padding=padding,
                          StrideH=2, StrideW=2, DilationHFactor=dilation, DilationWFactor=1,
                          FusedActivationFunction=activation)
    return single.save(path, result)


def depthwise(path: Path, multiplier: int = 1) -> Path:
    single = Single()
    result = single.model.tensor((1, 7, 6, 5 * multiplier), 0.03, 7)
    single.model.operator(
        "DEPTHWISE_CONV_2D",
        [single.source, single.weights(1, 3, 3, 5 * multiplier, axis=3),
         single.bias(5 * multiplier)], result, "DepthwiseConv2DOptions", Padding=SAME, StrideH=1,
        StrideW=1, DepthMultiplier=multiplier, FusedActivationFunction=RELU6)
    return single.save(path, result)


def padded_conv(path: Path) -> Path:
    single = Single()
    wide = single.model.tensor((1, 9, 9, 5), 0.05, -3)
    amounts = single.model.constant(np.array([[0, 0], [0, 2], [1, 2], [0, 0]], np.int32))
    single.model.operator("PAD", [single.source, amounts], wide, "PadOptions")
    result = single.model.tensor((1, 7, 7, 4), 0.05, 0)
    single.model.operator("CONV_2D", [wide, single.weights(4, 3, 3, 5, axis=0), single.bias(4)],
                          result, "Conv2DOptions", Padding=VALID, StrideH=1, StrideW=1,
                          FusedActivationFunction=RELU)
    return single.save(path, result)


def pool(path: Path, kind: str = "AVERAGE_POOL_2D", activation: int = 0) -> Path:
    single = Single()
    result = single.model.tensor((1, 4, 3, 5), 0.05, -3)
    single.model.operator(kind, [single.source], result, "Pool2DOptions", Padding=SAME, StrideH=2,
                          StrideW=2, FilterHeight=3, FilterWidth=3,
                          FusedActivationFunction=activation)
    return single.save(path, result)


def mean(path: Path, scale: float = 0.031, axes: tuple[int, ...] = (1, 2), zero_point: int = 4,
         keep: bool = False) -> Path:
    single = Single()
    result = single.model.tensor((1, 1, 1, 5) if keep else (1, 5), scale, zero_point)
    axis = single.model.constant(np.array(axes, np.int32))
    single.model.operator("MEAN", [single.source, axis], result, "ReducerOptions", KeepDims=keep)
    return single.save(path, result)


def add(path: Path, activation: int = 0) -> Path:
    single = Single()
    pooled = single.model.tensor((1, 7, 6, 5), 0.05, -3)
    single.model.operator("MAX_POOL_2D", [single.source], pooled, "Pool2DOptions", Padding=SAME,
                          StrideH=1, StrideW=1, FilterHeight=2, FilterWidth=3)
    other = single.model.tensor((1, 7, 6, 5), 0.02, 9)
    single.model.operator("DEPTHWISE_CONV_2D",
                          [pooled, single.weights(1, 3, 3, 5, axis=3), single.bias(5)], other,
                          "DepthwiseConv2DOptions", Padding=SAME, StrideH=1, StrideW=1,
                          DepthMultiplier=1)
    result = single.model.tensor((1, 7, 6, 5), 0.04, -20)
    single.model.operator("ADD", [pooled, other], result, "AddOptions",
                          FusedActivationFunction=activation)
    return single.save(path, result)


def dense(path: Path, axis: int | None = None) -> Path:
    """A linear layer over a whole image in TFLite's order, and probabilities."""
    single = Single()
    flat = single.model.tensor((1, 210), 0.05, -3)
    shape = single.model.constant(np.array([1, 210], np.int32))
    single.model.operator("RESHAPE", [single.source, shape], flat, "ReshapeOptions")
    result = single.model.tensor((1, 9), 0.11, 3)
    single.model.operator("FULLY_CONNECTED",
                          [flat, single.weights(9, 210, axis=axis), single.bias(9)], result,
                          "FullyConnectedOptions", FusedActivationFunction=RELU_N1_TO_1)
    probability = single.model.tensor((1, 9), 1 / 256, -128)
    single.model.operator("SOFTMAX", [result], probability, "SoftmaxOptions", Beta=1.0)
    return single.save(path, probability)


def softmax(path: Path, beta: float = 1.0, scale: float = 1 / 256) -> Path:
    single = Single()
    result = single.model.tensor((1, 7, 6, 5), scale, -128)
    single.model.operator("SOFTMAX", [single.source], result, "SoftmaxOptions", Beta=beta)
    return single.save(path, result)


@pytest.mark.parametrize("make", [
    conv, lambda path: conv(path, VALID, None, RELU), lambda path: conv(path, activation=RELU6),
    lambda path: conv(path, activation=RELU_N1_TO_1), depthwise, lambda path: depthwise(path, 3),
    padded_conv, pool, lambda path: pool(path, activation=RELU),
    lambda path: pool(path, "MAX_POOL_2D"), mean, lambda path: mean(path, 0.05, (2, 1), -3),
    lambda path: mean(path, 0.004, (-2, -3), -100, True), add, lambda path: add(path, RELU),
    dense, lambda path: dense(path, 0), softmax, lambda path: softmax(path, 5.0),
    lambda path: softmax(path, 0.01), lambda path: conv(path, dilation=2),
    lambda path: pool(path, "MAX_POOL_2D", RELU),
], ids=lambda make: make.__name__)
def test_operator_gives_every_byte(make: Callable[[Path], Path], tmp_path: Path) -> None:
    path = make(tmp_path / "net.tflite")
    network = read_tflite_int8(path)
    inputs = np.random.default_rng(2).integers(-128, 128, (40, 7, 6, 5)).astype(np.int8)
    found = differing(path, network, inputs)
    assert found == dict.fromkeys(found, 0)


def test_float_ends_and_a_flat_input(tmp_path: Path) -> None:
    """QUANTIZE and DEQUANTIZE at the ends; an input that becomes an image."""
    model = ModelBuilder()
    source = model.tensor((1, 210), dtype="float32")
    flat, image = model.tensor((1, 210), 0.05, -3), model.tensor((1, 7, 6, 5), 0.05, -3)
    model.operator("QUANTIZE", [source], flat, "QuantizeOptions")
    shape = model.constant(np.array([1, 7, 6, 5], np.int32))
    model.operator("RESHAPE", [flat, shape], image, "ReshapeOptions")
    pooled = model.tensor((1, 3, 2, 5), 0.05, -3)
    model.operator("MAX_POOL_2D", [image], pooled, "Pool2DOptions", Padding=VALID, StrideH=2,
                   StrideW=2, FilterHeight=3, FilterWidth=3)
    result = model.tensor((1, 3, 2, 5), dtype="float32")
    model.operator("DEQUANTIZE", [pooled], result, "DequantizeOptions")
    network = read_tflite_int8(model.save(tmp_path / "net.tflite", source, result))
    assert (network.input_shape, network.output_shape) == ((7, 6, 5), (5, 3, 2))
    assert network.input_quantization.zero_point == -3
    assert [layer.inputs for layer in network.layers] == [(INPUT,)]


def unknown(path: Path) -> Path:
    single = Single()
    result = single.model.tensor((1, 7, 6, 5), 0.05, -3)
    single.model.operator("SIGN", [single.source], result)
    return single.save(path, result)


def unbalanced(path: Path) -> Path:
    single = Single()
    result = single.model.tensor((1, 7, 6, 4), 0.05, -3)
    single.model.operator("CONV_2D", [single.source, single.weights(4, 3, 3, 5, axis=3),
                                      single.bias(4)], result, "Conv2DOptions", Padding=SAME,
                          StrideH=1, StrideW=1)
    return single.save(path, result)


@pytest.mark.parametrize(("make", "message"), [
    (unknown, r"operator 0 \(SIGN\): the operator has no int8 layer"),
    (lambda path: conv(path, activation=tflite.ActivationFunctionType.TANH),
     r"operator 0 \(CONV_2D\): activation TANH is not known"),
    (unbalanced, r"operator 0 \(CONV_2D\): weights must have one positive scale, or one for each"),
    (lambda path: softmax(path, scale=0.5), r"\(SOFTMAX\): output must have scale 1/256"),
    (lambda path: softmax(path, 1e-9), r"\(SOFTMAX\): .*must be above"),
])
def test_refuses_in_one_line(make: Callable[[Path], Path], message: str, tmp_path: Path) -> None:
    with pytest.raises(VqromError, match=message) as caught:
        read_tflite_int8(make(tmp_path / "net.tflite"))
    assert "net.tflite" in str(caught.value) and "\n" not in str(caught.value)


def test_every_truncation_and_many_flipped_bits(tmp_path: Path) -> None:
    """Any damage is either refused in one line or still a network."""
    content = bytearray(dense(tmp_path / "whole.tflite").read_bytes())
    path = tmp_path / "net.tflite"
    for size in range(0, len(content), 61):
        path.write_bytes(content[:size])
        with pytest.raises(VqromError, match=r"net\.tflite"):
            read_tflite_int8(path)
    for place in np.random.default_rng(3).integers(0, len(content), 300):
        altered = content.copy()
        altered[place] ^= 1 << place % 8
        path.write_bytes(altered)
        try:
            read_tflite_int8(path)
        except VqromError as error:
            assert "\n" not in str(error)
