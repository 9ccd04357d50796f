"""Random layers that the vector unit does: what networks have beside convolutions and pooling."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vqrom_sw.arithmetic import Quantization, Requantization, quantize_multiplier
from vqrom_sw.network import (
    INPUT,
    Concat,
    DepthToSpace,
    Elementwise,
    Layer,
    Operator,
    Pad,
    Select,
    Shape,
    Table,
    Upsample,
)

Padding = tuple[int, int, int, int]
"""Pixels of padding ``(top, left, bottom, right)``."""


class LayerBuilder:
    """A list of layers with random numbers, and methods that append to it.

    Each returns the layer's name; ``source`` names the layer that it reads, by default the last.

    Parameters
    ----------
    input_shape:
        ``(H, W, C)`` of the input.
    seed:
        Seed of all random values.
    """

    def __init__(self, input_shape: Shape, seed: int = 0):
        self._rng = np.random.default_rng(seed)
        self._input = (input_shape, self._quantization())
        self._layers: list[Layer] = []

    def add(self, first: str, second: str) -> str:
        """Append the sum of two feature maps of one shape."""
        return self.elementwise("add", first, second)

    def elementwise(self, operator: Operator, first: str, second: str) -> str:
        """Append two feature maps combined; the second may be a single pixel."""
        name, output = f"{operator}{len(self._layers)}", self._quantization()
        factors = None if operator == "multiply" else tuple(
            quantize_multiplier(name, self._rng.uniform(0.1, 0.5)) for _ in range(2))
        scale = self._rng.uniform(1.0, 2.0) * 2.0**(-6 if operator == "multiply" else -19)
        return self._append(Elementwise(
            name, (first, second), self.shape_of(first), output, operator,
            None if factors is None else (factors[0], factors[1]),
            quantize_multiplier(name, scale), self._clamp(output)))

    def table(self, *, by_channel: bool = False, source: str | None = None) -> str:
        """Append a random table for all channels, or one for each."""
        source = source or self._last()
        shape = self.shape_of(source)
        entries = self._rng.integers(-128, 128, (shape[2] if by_channel else 1, 256))
        return self._append(Table(f"table{len(self._layers)}", (source,), shape,
                                  self._quantization(), "random", entries.astype(np.int8)))

    def concat(self, *sources: str, rescale: bool = True) -> str:
        """Append the channels of several maps, rescaled or, where quantisations agree, as is."""
        height, width, _ = self.shape_of(sources[0])
        channels = sum(self.shape_of(source)[2] for source in sources)
        name = f"concat{len(self._layers)}"
        one = Requantization(np.array([1 << 30], np.int32), np.array([1], np.int8))
        scales = tuple(quantize_multiplier(name, self._rng.uniform(0.5, 1.5)) if rescale else one
                       for _ in sources)
        output = self._quantization() if rescale else self._output_of(sources[0])[1]
        return self._append(Concat(name, sources, (height, width, channels), output, scales))

    def select(self, channels: Sequence[int], stride: tuple[int, int] = (1, 1), *,
               clamp: bool = False, source: str | None = None) -> str:
        """Append channels of a map, -1 for the zero point."""
        source = source or self._last()
        (height, width, _), output = self._output_of(source)
        shape = (-(-height // stride[0]), -(-width // stride[1]), len(channels))
        return self._append(Select(
            f"select{len(self._layers)}", (source,), shape, output, np.array(channels, np.int32),
            stride, (output.zero_point, 127) if clamp else (-128, 127)))

    def pad(self, padding: Padding, value: int | None = None, *,
            source: str | None = None) -> str:
        """Append pixels around a map, of the zero point unless there is a value."""
        source = source or self._last()
        (height, width, channels), output = self._output_of(source)
        top, left, bottom, right = padding
        return self._append(Pad(
            f"pad{len(self._layers)}", (source,),
            (top + height + bottom, left + width + right, channels), output, padding,
            output.zero_point if value is None else value))

    def upsample(self, factor: tuple[int, int] = (2, 2), *, source: str | None = None) -> str:
        """Append nearest-neighbour up-sampling."""
        source = source or self._last()
        (height, width, channels), output = self._output_of(source)
        return self._append(Upsample(f"upsample{len(self._layers)}", (source,),
                                     (height * factor[0], width * factor[1], channels), output,
                                     factor))

    def depth_to_space(self, block: int = 2, *, source: str | None = None) -> str:
        """Append channels that become pixels."""
        source = source or self._last()
        (height, width, channels), output = self._output_of(source)
        return self._append(DepthToSpace(
            f"pixels{len(self._layers)}", (source,),
            (height * block, width * block, channels // block**2), output, block))

    def shape_of(self, name: str) -> Shape:
        """Tell the shape of a layer's output, or of the input."""
        return self._output_of(name)[0]

    @property
    def last(self) -> str:
        """The name of the layer appended last."""
        return self._last()

    def _append(self, layer: Layer) -> str:
        self._layers.append(layer)
        return layer.name

    def _last(self) -> str:
        return self._layers[-1].name if self._layers else INPUT

    def _output_of(self, name: str) -> tuple[Shape, Quantization]:
        if name == INPUT:
            return self._input
        layer = next(layer for layer in self._layers if layer.name == name)
        return layer.shape, layer.quantization

    def _quantization(self) -> Quantization:
        return Quantization(1.0, int(self._rng.integers(-30, 30)))

    def _clamp(self, output: Quantization) -> tuple[int, int]:
        """Draw the bounds of the output: a ReLU for half of the layers, otherwise all of int8."""
        return (output.zero_point if self._rng.random() < 0.5 else -128, 127)
