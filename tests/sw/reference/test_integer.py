"""The integer reference against plain loops over Python integers."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest

from tests.hw.lib.test_requantizer import doubling_high_multiply, rounding_divide
from tests.random_networks import NetworkBuilder, mixed_network
from vqrom_hw.errors import VqromError
from vqrom_sw.arithmetic import Quantization, Requantization, quantize
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.network import (
    INPUT,
    NO_CODEBOOK,
    AveragePool,
    Conv,
    Elementwise,
    GlobalAveragePool,
    Layer,
    MaxPool,
    QuantizedNetwork,
    image_native,
    image_output,
)
from vqrom_sw.reference import dequantize, output_of, quantize_input, run_reference
from vqrom_sw.reference.integer import BATCH


def scaled(value: int, scale: Requantization, channel: int = 0) -> int:
    multiplier, shift = int(scale.multiplier[channel]), int(scale.shift[channel])
    return rounding_divide(doubling_high_multiply(value << max(shift, 0), multiplier),
                           max(-shift, 0))


def pixel(image: np.ndarray, y: int, x: int, outside: int) -> list[int]:
    height, width, channels = image.shape
    inside = 0 <= y < height and 0 <= x < width
    return [int(value) for value in image[y, x]] if inside else [outside] * channels


def window(layer: Conv | MaxPool, image: np.ndarray, y: int, x: int,
           outside: int) -> list[list[int]]:
    top, left = layer.padding[:2]
    return [pixel(image, y * layer.stride[0] - top + dy, x * layer.stride[1] - left + dx, outside)
            for dy in range(layer.kernel[0]) for dx in range(layer.kernel[1])]


def weight_of(layer: Conv, codebook: UniversalCodebook, channels: int) -> np.ndarray:
    """``[C_out, taps, C_in]``"""
    if layer.raw is not None:
        return layer.raw.reshape(len(layer.raw), -1, channels).astype(int)
    assert layer.indices is not None
    words = codebook.codewords[layer.indices].astype(int)
    return words.reshape(*words.shape[:3], -1)[..., :channels].reshape(len(words), -1, channels)


def by_hand(network: QuantizedNetwork, layer: Layer, inputs: list[np.ndarray],
            codebook: UniversalCodebook) -> np.ndarray:
    """One layer of one image, int64 ``[H, W, C]``."""
    zeros = [network.quantization_of(name).zero_point for name in layer.inputs]
    result = np.zeros(layer.shape, int)
    image = inputs[0]
    weights = weight_of(layer, codebook, image.shape[2] // layer.groups) \
        if isinstance(layer, Conv) else None
    low, high = layer.clamp if isinstance(layer, Conv | Elementwise) else (-128, 127)
    for y, x, channel in np.ndindex(*layer.shape):
        if isinstance(layer, Conv):
            assert weights is not None
            taps = np.array(window(layer, image, y, x, zeros[0])) - zeros[0]
            group = channel // (layer.shape[2] // layer.groups)
            taps = np.split(taps, layer.groups, axis=1)[group]
            total = int(layer.bias[channel]) + int((taps * weights[channel]).sum())
            value = scaled(total, layer.requantization, channel) + layer.quantization.zero_point
        elif isinstance(layer, MaxPool):
            value = max(tap[channel] for tap in window(layer, image, y, x, -128))
        elif isinstance(layer, GlobalAveragePool):
            total = int((image[:, :, channel].astype(int) - zeros[0]).sum())
            value = scaled(total, layer.requantization) + layer.quantization.zero_point
        else:
            assert isinstance(layer, Elementwise) and layer.input_requantization
            parts = [scaled((int(part[y, x, channel]) - zero) << 20, scale)
                     for part, zero, scale in zip(inputs, zeros, layer.input_requantization,
                                                  strict=True)]
            value = scaled(sum(parts), layer.requantization) + layer.quantization.zero_point
        result[y, x, channel] = min(max(value, low), high)
    return result


@pytest.mark.parametrize("length", [1, 2, 4, 8])
def test_equals_plain_loops(length: int) -> None:
    rng = np.random.default_rng(length)
    codebook = UniversalCodebook(rng.integers(-128, 128, (20, length)).astype(np.int8))
    builder = mixed_network(codebook, seed=length)
    network = builder.build()
    images = builder.images(2).transpose(0, 2, 3, 1)
    results = run_reference(network, codebook, images)
    for layer in network.layers:
        for number in range(2):
            inputs = [results[name][number] for name in layer.inputs]
            np.testing.assert_array_equal(
                results[layer.name][number], by_hand(network, layer, inputs, codebook), layer.name)


@pytest.mark.parametrize(("channels", "groups", "raw"), [(12, 3, False), (6, 6, True)])
def test_groups_see_their_own_channels(channels: int, groups: int, raw: bool) -> None:
    """Six input channels in two kinds of groups: pairs with indices, and depthwise."""
    codebook = UniversalCodebook(np.arange(-32, 32, dtype=np.int8).reshape(16, 4))
    builder = NetworkBuilder(codebook, (5, 4, 6))
    builder.conv(channels, padding=(1, 1, 1, 1), groups=groups, raw=raw)
    network = builder.build()
    images = builder.images(1).transpose(0, 2, 3, 1)
    results = run_reference(network, codebook, images)
    layer = network.layers[0]
    np.testing.assert_array_equal(
        results[layer.name][0], by_hand(network, layer, [images[0]], codebook))


def averaged(layer: AveragePool, image: np.ndarray, y: int, x: int, channel: int) -> int:
    """Rounded in fractions: to nearest, ties away from zero."""
    height, width, _ = image.shape
    places = [(y * layer.stride[0] - layer.padding[0] + dy, x * layer.stride[1]
               - layer.padding[1] + dx)
              for dy in range(layer.kernel[0]) for dx in range(layer.kernel[1])]
    values = [int(image[place][channel]) for place in places
              if 0 <= place[0] < height and 0 <= place[1] < width]
    mean = Fraction(sum(values), len(values))
    rounded = floor(abs(mean) + Fraction(1, 2)) * (1 if mean > 0 else -1)
    return min(max(rounded, layer.clamp[0]), layer.clamp[1])


@pytest.mark.parametrize(("kernel", "stride", "padding", "clamp"), [
    ((2, 2), (2, 2), (0, 0, 0, 0), (-128, 127)), ((3, 2), (2, 1), (1, 0, 2, 1), (-20, 60)),
    ((7, 6), (7, 6), (0, 0, 0, 0), (-128, 127)), ((1, 4), (1, 3), (0, 3, 0, 3), (-128, 127))])
def test_average_pooling_equals_plain_loops(
        kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int, int, int],
        clamp: tuple[int, int]) -> None:
    height, width = ((size + sum(padding[axis::2]) - kernel[axis]) // stride[axis] + 1
                     for axis, size in enumerate((7, 6)))
    quantization = Quantization(0.1, -5)
    layer = AveragePool("pool", (INPUT,), (height, width, 3), quantization, kernel, stride, padding,
                        clamp)
    network = QuantizedNetwork("pool", (7, 6, 3), quantization, (layer,), (image_output(layer),),
                               NO_CODEBOOK, image_native((7, 6, 3)))
    image = np.random.default_rng(0).integers(-128, 128, (1, 7, 6, 3)).astype(np.int8)
    result = run_reference(network, None, image)["pool"][0]
    for y, x, channel in np.ndindex(*layer.shape):
        assert result[y, x, channel] == averaged(layer, image[0], y, x, channel)


def test_without_indices_any_codebook_or_none() -> None:
    codebook = UniversalCodebook(np.arange(32, dtype=np.int8).reshape(8, 4))
    other = UniversalCodebook(np.ones((8, 4), np.int8))
    builder = NetworkBuilder(codebook, (5, 5, 3))
    builder.conv(6, raw=True)
    network, images = builder.build(), builder.images(1).transpose(0, 2, 3, 1)
    assert not network.indexed
    results = [run_reference(network, which, images)["conv0"] for which in (codebook, other, None)]
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def test_batches_do_not_matter() -> None:
    """More images than run at once."""
    codebook = UniversalCodebook(np.arange(32, dtype=np.int8).reshape(8, 4))
    builder = NetworkBuilder(codebook, (5, 5, 3))
    builder.conv(6)
    network, images = builder.build(), builder.images(35).transpose(0, 2, 3, 1)
    whole = output_of(network, run_reference(network, codebook, images))
    single = [output_of(network, run_reference(network, codebook, images[i:i + 1]))
              for i in range(35)]
    np.testing.assert_array_equal(whole, np.concatenate(single))


def test_refuses_another_codebook() -> None:
    codebook = UniversalCodebook(np.arange(32, dtype=np.int8).reshape(8, 4))
    builder = NetworkBuilder(codebook, (5, 5, 3))
    builder.conv(6)
    other = UniversalCodebook(np.ones((8, 4), np.int8))
    with pytest.raises(VqromError, match="must run on its own codebook"):
        run_reference(builder.build(), other, np.zeros((1, 5, 5, 3), np.int8))


def test_quantize_rounds_to_even_and_clamps() -> None:
    values = np.array([0.25, 0.75, -0.25, 1e9, -1e9, 0.0], np.float32)
    np.testing.assert_array_equal(quantize(values, Quantization(0.5, 3)), [3, 5, 3, 127, -128, 3])


def test_inputs_and_outputs_there_and_back() -> None:
    codebook = UniversalCodebook(np.arange(32, dtype=np.int8).reshape(8, 4))
    builder = NetworkBuilder(codebook, (2, 3, 4))
    builder.conv(4, (1, 1))
    network = builder.build()
    integers = builder.images(2)
    placed = quantize_input(network, integers)
    assert placed.shape == (2, 2, 3, 4)
    np.testing.assert_array_equal(placed.transpose(0, 3, 1, 2), integers)
    outputs = np.arange(-12, 12, dtype=np.int8).reshape(1, 4, 2, 3)
    quantization = network.layers[-1].quantization
    np.testing.assert_allclose(
        dequantize(network, outputs),
        (outputs.astype(float) - quantization.zero_point) * quantization.scale, rtol=1e-6)


def test_what_is_not_kept_is_not_there_and_changes_nothing() -> None:
    """More inputs than run at once."""
    codebook = UniversalCodebook(np.arange(80, dtype=np.int8).reshape(20, 4))
    network = mixed_network(codebook).build()
    height, width, channels = network.input_shape
    inputs = np.random.default_rng(5).integers(
        -128, 128, (BATCH + 3, height, width, channels)).astype(np.int8)
    whole = run_reference(network, codebook, inputs)
    last = network.outputs[0].layer
    part = run_reference(network, codebook, inputs, {last})
    assert set(part) == {INPUT, last} < set(whole)
    np.testing.assert_array_equal(part[last], whole[last])
