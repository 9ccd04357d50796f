"""A network as tasks of the accelerator and the feature maps between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_hw.isa import Region
from vqrom_sw.compiler.tasks import (
    AddTask,
    AveragePoolTask,
    ConvTask,
    DepthwiseTask,
    GlobalAverageTask,
    MaxPoolTask,
    Task,
    decode,
)
from vqrom_sw.network import (
    INPUT,
    Add,
    AveragePool,
    Conv,
    GlobalAveragePool,
    Host,
    Layer,
    MaxPool,
    QuantizedNetwork,
    Softmax,
)

from .feature_map import (
    Cut,
    DramMap,
    FeatureMap,
    Shape,
    dense_input,
    plain_map,
    round_up,
    word_dram,
)


@dataclass
class Graph:
    """What a program does.

    Members
    -------
    config:
        Accelerator.
    codewords:
        int8 ``[k, d]``.
    tasks, maps:
        In execution order.
    """

    config: AcceleratorConfig
    codewords: np.ndarray
    tasks: list[Task]
    maps: list[FeatureMap]

    def add_conv(self, number: int, layer: Conv, shape: Shape, source: FeatureMap,
                 indexed: bool) -> FeatureMap:
        """Append a convolution on the array over the map that holds the input of ``shape``."""
        task = ConvTask(
            self.config, number, layer.name, (source,), self._output(layer), layer.kernel[0],
            layer.stride[0], layer.padding[0], conv=layer, codewords=self.codewords,
            indexed=indexed, kernel_columns=layer.kernel[1], stride_columns=layer.stride[1],
            left=layer.padding[1], group_channels=shape[2] // layer.groups)
        return self._append(task)

    def add_folded_conv(self, number: int, layer: Conv, shape: Shape, zero_point: int,
                        offset: int, indexed: bool) -> FeatureMap:
        """Append a convolution of a program input, its kernel columns in the lanes if that pays.

        Raw weights go into fewer lanes than indices, and fill them up with zeros: where that saves
        passes of the array, the codewords are looked up here.
        """
        config, columns = self.config, self._folded_columns(layer, shape, indexed)
        if indexed:
            as_raw = self._folded_columns(layer, shape, False)
            if -(-layer.kernel[1] // as_raw) < -(-layer.kernel[1] // columns):
                columns, indexed, layer = as_raw, False, self._raw(layer, shape[2])
        if columns == 1:
            source = dense_input(f"input of {layer.name}", shape, zero_point, offset, config)
            self.maps.append(source)
            return self.add_conv(number, layer, shape, source, indexed)
        lanes = round_up(shape[2], config.subvector) if indexed else shape[2]
        chunks, stride = -(-layer.kernel[1] // columns), layer.stride[1]
        # Words begin at every ``hop`` columns of the image: at windows and at their chunks.
        hop = stride if chunks == 1 else math.gcd(stride, columns)
        hop = max(step for step in range(1, hop + 1)
                  if hop % step == 0 and step * lanes <= config.rows)
        width = layer.shape[1]
        words = ((width - 1) * stride + (chunks - 1) * columns) // hop + 1
        wide = (words - 1) * hop + columns
        source = FeatureMap(f"input of {layer.name}", shape[0], words, 1, words, zero_point)
        source.cut = Cut(words, columns * lanes, hop * lanes)
        wide = max(wide, layer.padding[1] + shape[1])
        used = ((words - 1) * hop + columns) * lanes
        source.dram = DramMap(Region.INPUT, offset, shape, lanes, layer.padding[1], wide,
                              round_up(used, config.beat_bytes))
        self.maps.append(source)
        task = ConvTask(
            config, number, layer.name, (source,), self._output(layer), layer.kernel[0],
            layer.stride[0], layer.padding[0], conv=layer, codewords=self.codewords,
            indexed=indexed, kernel_columns=chunks, stride_columns=stride // hop,
            tap=max(1, columns // hop),
            folded=columns, group_channels=shape[2])
        return self._append(task)

    def _raw(self, layer: Conv, channels: int) -> Conv:
        if layer.indices is None:
            return layer
        weights = np.ascontiguousarray(decode(layer, self.codewords)[..., :channels])
        return replace(layer, indices=None, raw=weights)

    def _folded_columns(self, layer: Conv, shape: Shape, indexed: bool) -> int:
        """Kernel columns that go into the lanes of one word; 1: as they are."""
        rows, kernel = self.config.rows, layer.kernel[1]
        lanes = round_up(shape[2], self.config.subvector) if indexed else shape[2]
        # Lanes beyond the kernel would hold pixels, and no index stands for weights of zero.
        choices = [columns for columns in range(2, min(kernel, rows // lanes) + 1)
                   if not indexed or kernel % columns == 0]
        if layer.groups != 1 or not choices:
            return 1
        return min(choices, key=lambda columns: (-(-kernel // columns), columns))

    def add_layer(self, number: int, layer: Layer, sources: Sequence[FeatureMap]) -> FeatureMap:
        """Append any other layer."""
        config, output = self.config, self._output(layer)
        common = (config, number, layer.name, tuple(sources), output)
        match layer:
            case Conv():
                if layer.kernel[0] * layer.kernel[1] > config.vector_taps:
                    raise VqromError(
                        f"layer {layer.name!r}: a depthwise kernel must have at most vector_taps "
                        f"{config.vector_taps} of config {config.name!r} positions, "
                        f"not {layer.kernel[0] * layer.kernel[1]!r}")
                task: Task = DepthwiseTask(
                    *common, layer.kernel[0], layer.stride[0], layer.padding[0], layer.kernel[1],
                    layer.stride[1], layer.padding[1], layer.clamp, conv=layer,
                    codewords=self.codewords)
            case MaxPool():
                task = MaxPoolTask(*common, layer.kernel[0], layer.stride[0], layer.padding[0],
                                   layer.kernel[1], layer.stride[1], layer.padding[1])
            case AveragePool():
                task = AveragePoolTask(
                    *common, layer.kernel[0], layer.stride[0], layer.padding[0], layer.kernel[1],
                    layer.stride[1], layer.padding[1], layer.clamp)
            case GlobalAveragePool():
                task = GlobalAverageTask(*common, requantization=layer.requantization)
            case Add():
                factor = max(int(scale.shift[0]) for scale in layer.input_requantization)
                if factor > 0:
                    raise VqromError(f"layer {layer.name!r}: its inputs' factors must be below 1, "
                                     f"not have shift {factor!r}")
                task = AddTask(*common, add=layer)
            case _:
                raise TypeError(f"unknown layer class {type(layer).__name__}")
        return self._append(task)

    def _output(self, layer: Layer) -> FeatureMap:
        return plain_map(layer.name, layer.shape, layer.quantization.zero_point, self.config)

    def _append(self, task: Task) -> FeatureMap:
        position = len(self.tasks)
        self.tasks.append(task)
        self.maps.append(task.output)
        task.output.producer = position
        for source in task.inputs:
            source.consumers.append(position)
        return task.output

    def store(self, feature_map: FeatureMap, shape: Shape, offset: int) -> DramMap:
        """Make a map an output of the program."""
        feature_map.dram = word_dram(feature_map, shape, Region.OUTPUT, offset, self.config)
        return feature_map.dram


def network_graph(network: QuantizedNetwork, codewords: np.ndarray,
                  config: AcceleratorConfig) -> Graph:
    """Tasks of a network, numbered from 1.

    Raises
    ------
    VqromError
        If a layer is not one that the accelerator does.
    """
    beyond = beyond_accelerator(network)
    if beyond:
        raise VqromError(f"layer {beyond[0]}: must be one that the accelerator does; "
                         "the reference engine runs it on the host")
    graph = Graph(config, codewords, [], [])
    readers = [layer for layer in network.layers if INPUT in layer.inputs]
    first, zero_point = readers[0], network.input_quantization.zero_point
    alone = (len(readers) == 1 and first.inputs == (INPUT,) and isinstance(first, Conv)
             and not is_depthwise(first, network.input_shape[2]))
    maps: dict[str, FeatureMap] = {}
    if not alone:
        maps[INPUT] = dense_input(INPUT, network.input_shape, zero_point, 0, config)
        graph.maps.append(maps[INPUT])
    for number, layer in enumerate(network.layers, start=1):
        shape = network.shape_of(layer.inputs[0])
        if alone and layer is first:
            assert isinstance(layer, Conv)
            maps[layer.name] = graph.add_folded_conv(number, layer, shape, zero_point, 0,
                                                     layer.indices is not None)
        elif isinstance(layer, Conv) and not is_depthwise(layer, shape[2]):
            maps[layer.name] = graph.add_conv(number, layer, shape, maps[layer.inputs[0]],
                                              layer.indices is not None)
        else:
            maps[layer.name] = graph.add_layer(number, layer,
                                               [maps[name] for name in layer.inputs])
    last = network.layers[-1]
    graph.store(maps[last.name], last.shape, 0)
    return graph


def is_depthwise(layer: Conv, channels: int) -> bool:
    """Each output channel has its own input channel: the vector unit's."""
    return layer.groups == channels == layer.shape[2] and channels > 1


def beyond_accelerator(network: QuantizedNetwork) -> list[str]:
    """Name and kind of each layer that only the reference engine runs, on the host."""
    return [f"{layer.name!r} ({layer.operation})" for layer in network.layers
            if isinstance(layer, (Host, Softmax))]
