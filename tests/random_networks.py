"""Random quantised networks for tests and benchmarks, built layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from tests.random_layers import LayerBuilder, Padding
from vqrom_hw.config import AcceleratorConfig
from vqrom_sw.arithmetic import quantize_multiplier
from vqrom_sw.codebook import UniversalCodebook
from vqrom_sw.network import (
    INPUT,
    AveragePool,
    Conv,
    GlobalAveragePool,
    Host,
    HostStep,
    MaxPool,
    Operator,
    QuantizedNetwork,
    Shape,
    image_native,
    image_output,
)

OPERATORS: tuple[Operator, ...] = ("add", "subtract", "multiply", "maximum", "minimum")


def random_codebook(config: AcceleratorConfig, seed: int = 0) -> UniversalCodebook:
    """Make a codebook of the accelerator's size whose entries are anywhere in int8."""
    rng = np.random.default_rng(seed)
    shape = (config.codewords, config.subvector)
    return UniversalCodebook(rng.integers(-128, 128, shape).astype(np.int8))


class NetworkBuilder(LayerBuilder):
    """Builds a quantised network layer by layer, with random weights, biases and zero points.

    Scales are chosen so that outputs spread over int8: a network whose outputs saturate or vanish
    would hide errors. Each method that adds a layer returns its name; ``source`` names the layer
    that it reads, by default the last one.

    Parameters
    ----------
    codebook:
        Codebook that indices point into.
    input_shape:
        ``(H, W, C)`` of the input.
    seed:
        Seed of all random values.
    """

    def __init__(self, codebook: UniversalCodebook, input_shape: Shape, seed: int = 0):
        super().__init__(input_shape, seed)
        self._codebook = codebook

    def conv(self, channels: int, kernel: tuple[int, int] = (3, 3),
             stride: tuple[int, int] = (1, 1), padding: Padding = (0, 0, 0, 0), *,
             source: str | None = None, raw: bool = False, groups: int = 1,
             kind: Literal["conv", "linear"] = "conv",
             dilation: tuple[int, int] = (1, 1)) -> str:
        """Append a convolution, with random indices, or random int8 weights if ``raw``."""
        source = source or self._last()
        shape, _ = self._output_of(source)
        reduced = shape[2] // groups
        per_pixel = kernel[0] * kernel[1] * reduced
        parts = -(-reduced // self._codebook.subvector)
        indices = weights = None
        if raw:
            weights = self._rng.integers(-128, 128, (channels, *kernel, reduced)).astype(np.int8)
        else:
            indices = self._rng.integers(
                0, self._codebook.size, (channels, *kernel, parts)).astype(np.uint16)
        output = self._quantization()
        scale = self._rng.uniform(0.8, 1.6, channels) / (74 * np.sqrt(per_pixel))
        name = f"{kind}{len(self._layers)}"
        self._layers.append(Conv(
            name, (source,),
            self._window(shape, channels, kernel, stride, padding, dilation), output, kind,
            kernel, stride, padding, indices, weights, np.ones(channels),
            self._rng.integers(-4000, 4000, channels).astype(np.int32),
            quantize_multiplier(name, scale), self._clamp(output), groups, dilation))
        return name

    def linear(self, features: int) -> str:
        """Append a linear layer that reads the whole last feature map."""
        height, width, _ = self._output_of(self._last())[0]
        return self.conv(features, (height, width), kind="linear")

    def max_pool(self, kernel: tuple[int, int] = (2, 2), stride: tuple[int, int] = (2, 2),
                 padding: Padding = (0, 0, 0, 0), *, source: str | None = None,
                 dilation: tuple[int, int] = (1, 1)) -> str:
        """Append a layer of max pooling over windows."""
        source = source or self._last()
        shape, quantization = self._output_of(source)
        name = f"maxpool{len(self._layers)}"
        self._layers.append(MaxPool(
            name, (source,), self._window(shape, shape[2], kernel, stride, padding, dilation),
            quantization, kernel, stride, padding, dilation))
        return name

    def window_average_pool(self, kernel: tuple[int, int] = (2, 2),
                            stride: tuple[int, int] = (2, 2),
                            padding: Padding = (0, 0, 0, 0), *,
                            source: str | None = None, count_padding: bool = False) -> str:
        """Append a layer of average pooling over windows."""
        source = source or self._last()
        shape, quantization = self._output_of(source)
        name = f"avgpool{len(self._layers)}"
        self._layers.append(AveragePool(
            name, (source,), self._window(shape, shape[2], kernel, stride, padding), quantization,
            kernel, stride, padding, self._clamp(quantization), count_padding))
        return name

    def average_pool(self) -> str:
        """Append a layer that averages the whole last feature map, channel by channel."""
        source = self._last()
        (height, width, channels), _ = self._output_of(source)
        name = f"avgpool{len(self._layers)}"
        self._layers.append(GlobalAveragePool(
            name, (source,), (1, 1, channels), self._quantization(),
            quantize_multiplier(name, self._rng.uniform(2, 4) / (height * width))))
        return name

    def host(self, *sources: str) -> str:
        """Append a host layer: the tanh of one map, or the sum of maps of one shape, in float32."""
        sources = sources or (self._last(),)
        name, shape = f"host{len(self._layers)}", self._output_of(sources[0])[0]
        steps = (HostStep("mul.Scalar", ({"input": 0}, 0.01), {}),
                 HostStep("tanh.default", ({"step": 0},), {}),
                 HostStep("mul.Scalar", ({"step": 1}, 80), {}),
                 *(HostStep("add.Tensor", ({"input": number}, {"step": number + 1}), {})
                   for number in range(1, len(sources))))
        native = image_native(shape)
        self._layers.append(Host(name, sources, shape, self._quantization(), "tanh", steps, (),
                                 (native,) * len(sources), native))
        return name

    def build(self, name: str = "random", outputs: Sequence[str] = ()) -> QuantizedNetwork:
        """Make a network of all layers so far, whose outputs are the last one's or those named."""
        shape, quantization = self._input
        given = [layer for layer in self._layers
                 if layer.name in (outputs or (self._last(),))]
        return QuantizedNetwork(name, shape, quantization, tuple(self._layers),
                                tuple(image_output(layer) for layer in given),
                                self._codebook.sha256, image_native(shape))

    def images(self, count: int) -> np.ndarray:
        """Make random inputs, int8 ``[count, C, H, W]``."""
        height, width, channels = self._input[0]
        return self._rng.integers(-128, 128, (count, channels, height, width)).astype(np.int8)

    @staticmethod
    def _window(shape: Shape, channels: int, kernel: tuple[int, int], stride: tuple[int, int],
                padding: Padding, dilation: tuple[int, int] = (1, 1)) -> Shape:
        top, left, bottom, right = padding
        height, width = ((size - 1) * step + 1 for size, step in zip(kernel, dilation, strict=True))
        return ((shape[0] + top + bottom - height) // stride[0] + 1,
                (shape[1] + left + right - width) // stride[1] + 1, channels)


def mixed_network(codebook: UniversalCodebook, seed: int = 1) -> NetworkBuilder:
    """Make a network of many kinds of layers, with a residual, whose channels fill nothing evenly.
    """
    net = NetworkBuilder(codebook, (12, 10, 3), seed)
    net.conv(20, padding=(1, 1, 1, 1))
    pooled = net.max_pool()
    main = net.conv(24, stride=(2, 2), padding=(1, 1, 1, 1))
    shortcut = net.conv(24, (1, 1), (2, 2), source=pooled, raw=True)
    net.add(main, shortcut)
    net.max_pool((3, 3), (1, 1), (1, 1, 1, 1))
    net.conv(37, (1, 1))
    net.average_pool()
    net.linear(10)
    return net


def random_network(codebook: UniversalCodebook, seed: int) -> NetworkBuilder:
    """Make a network of random layers of odd shapes, at times with a residual or two readers."""
    rng = np.random.default_rng(seed)
    height, width, channels = (int(rng.integers(1, high)) for high in (15, 13, 21))
    net = NetworkBuilder(codebook, (height, width, channels), seed)
    outputs: list[str] = [INPUT]
    for _ in range(rng.integers(1, 7)):
        outputs.append(_random_layer(net, rng, outputs))
    if rng.random() < 0.3:
        net.average_pool()
    if rng.random() < 0.3:
        net.linear(int(rng.integers(1, 30)))
    return net


def _random_layer(net: NetworkBuilder, rng: np.random.Generator, outputs: list[str]) -> str:
    source = outputs[-1] if rng.random() < 0.8 else outputs[rng.integers(len(outputs))]
    shape = net.shape_of(source)
    kernel = (int(rng.integers(1, min(shape[0], 4) + 1)),
              int(rng.integers(1, min(shape[1], 7) + 1)))
    stride = (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
    top, left, bottom, right = (int(rng.integers(0, size)) for size in 2 * kernel)
    padding, raw = (top, left, bottom, right), bool(rng.random() < 0.4)
    alike = [name for name in outputs if net.shape_of(name) == shape and name != source]
    if rng.random() < 0.35:
        return random_vector_layer(net, rng, source, outputs)
    kind = rng.random()
    if alike and kind < 0.6:
        return net.add(source, alike[rng.integers(len(alike))])
    if kind < 0.1:
        return net.add(source, source)
    if kind < 0.2:
        return net.max_pool(kernel, stride, padding, source=source)
    if kind < 0.3:
        return net.window_average_pool(kernel, stride, padding, source=source,
                                       count_padding=bool(rng.random() < 0.3))
    if kind < 0.45 and shape[2] > 1:
        return net.conv(shape[2], kernel, stride, padding, source=source, raw=raw,
                        groups=shape[2])
    groups = int(rng.choice([size for size in range(1, 5) if shape[2] % size == 0]))
    channels = groups * int(rng.integers(1, 24))
    return net.conv(channels, kernel, stride, padding, source=source, raw=raw, groups=groups)


def random_vector_layer(net: NetworkBuilder, rng: np.random.Generator, source: str,
                        outputs: list[str]) -> str:
    """Append any layer that the vector unit does alone, over small maps those that enlarge."""
    (height, width, channels), pick = net.shape_of(source), rng.integers
    alike = [name for name in outputs if net.shape_of(name) == (height, width, channels)]
    beside = [name for name in outputs if net.shape_of(name)[:2] == (height, width)]
    pixels = [name for name in outputs if net.shape_of(name) == (1, 1, channels)]
    kind, second = pick(8), (alike + pixels)[pick(len(alike + pixels))]
    start = int(pick(channels))
    match kind:
        case 0:
            operator = OPERATORS[pick(len(OPERATORS))]
            return net.elementwise(operator, source, second)
        case 1:
            return net.table(by_channel=bool(pick(2)), source=source)
        case 2:
            parts = [beside[pick(len(beside))] for _ in range(pick(1, 3))]
            return net.concat(source, *parts, rescale=bool(pick(2)))
        case 3:
            return net.select(range(start, channels), tuple(map(int, pick(1, 4, 2))),
                              clamp=bool(pick(2)), source=source)
        case 4:
            return net.select(pick(-1, channels, pick(1, 20)).tolist(), source=source)
        case 5:
            top, left, bottom, right = map(int, pick(0, 3, 4))
            return net.pad((top, left, bottom, right),
                           [None, -128, 5][pick(3)], source=source)
        case 6 if height * width < 150:
            return net.upsample((int(pick(1, 4)), int(pick(1, 4))), source=source)
        case _:
            blocks = [size for size in (2, 3) if channels % size**2 == 0]
            return net.depth_to_space(blocks[0], source=source) if blocks and height < 15 \
                else net.table(source=source)


def convolutions(codebook: UniversalCodebook, size: int, channels: int, layers: int,
                 seed: int = 2) -> NetworkBuilder:
    """Make a network of equal padded 3x3 convolutions, which give the array much work."""
    net = NetworkBuilder(codebook, (size, size, channels), seed)
    for _ in range(layers):
        net.conv(channels, padding=(1, 1, 1, 1))
    return net
