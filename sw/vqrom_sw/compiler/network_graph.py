"""The first pass of the compiler: a stage of a quantised network as a task graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_sw.network import Conv, Layer, QuantizedNetwork

from .feature_map import FeatureMap, align, dense_input
from .lowering import lower
from .placement import is_depthwise
from .stages import Stage
from .task_graph import TaskGraph


def stage_graph(network: QuantizedNetwork, stage: Stage, codewords: np.ndarray,
                config: AcceleratorConfig) -> TaskGraph:
    """The tasks of a stage, one for each layer; layers are numbered from 1.

    The stage's inputs lie in the INPUT region and its outputs in the OUTPUT region one after the
    other, each at a multiple of :data:`vqrom_sw.compiler.feature_map.ALIGNMENT`.

    Parameters
    ----------
    network, stage:
        The network, and a stage of the accelerator.
    codewords:
        The codebook, int8 ``[k, d]``.
    config:
        Parameters of the accelerator that the program is for.
    """
    builder = _GraphBuilder(network, stage, TaskGraph(config, codewords, [], []))
    for number, layer in enumerate(stage.layers, start=1):
        builder.add(number, layer)
    builder.store(stage.outputs)
    return builder.graph


class _GraphBuilder:
    """Goes through the layers of a stage and remembers the maps that are there."""

    def __init__(self, network: QuantizedNetwork, stage: Stage, graph: TaskGraph):
        self.graph = graph
        self._network = network
        self._maps: dict[str, FeatureMap] = {}
        self._given = frozenset(stage.inputs)
        self._readers = Counter(name for layer in stage.layers for name in layer.inputs)
        self._input_bytes = 0

    def add(self, number: int, given: Layer) -> None:
        """Append a layer's task, and the stage's inputs that it is the first to read."""
        shape = self._network.shape_of(given.inputs[0])
        layer = lower(given, shape, self.graph.config)
        if isinstance(layer, Conv) and not is_depthwise(layer, shape[2]):
            output = self._add_conv(number, layer)
        else:
            output = self.graph.add_layer(
                number, layer, [self._source(name) for name in layer.inputs],
                [self._network.shape_of(name) for name in layer.inputs])
        self._maps[layer.name] = output

    def store(self, names: Sequence[str]) -> None:
        """Make maps outputs of the program."""
        offset = 0
        for name in names:
            layout = self.graph.store(self._maps[name], self._network.shape_of(name), offset)
            offset = align(offset + layout.size)

    def _add_conv(self, number: int, layer: Conv) -> FeatureMap:
        """Append a convolution on the array, folded if no other layer reads its program input."""
        source, = layer.inputs
        shape, indexed = self._network.shape_of(source), layer.indices is not None
        if source not in self._given or self._readers[source] > 1:
            return self.graph.add_conv(number, layer, shape, self._source(source), indexed)
        output = self.graph.add_folded_conv(number, layer, shape, self._zero_point(source),
                                            self._input_bytes, indexed)
        self._count_input(self.graph.tasks[-1].inputs[0])
        return output

    def _source(self, name: str) -> FeatureMap:
        """The map of a name; an input of the stage is added when it is first read."""
        if name not in self._maps:
            self._maps[name] = self.graph.add_input(dense_input(
                name, self._network.shape_of(name), self._zero_point(name), self._input_bytes,
                self.graph.config))
            self._count_input(self._maps[name])
        return self._maps[name]

    def _count_input(self, feature_map: FeatureMap) -> None:
        assert feature_map.dram is not None
        self._input_bytes = align(feature_map.dram.offset + feature_map.dram.size)

    def _zero_point(self, name: str) -> int:
        return self._network.quantization_of(name).zero_point
