"""The task graph: the tasks that the accelerator carries out, and the feature maps between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import Region
from vqrom_sw.network import AveragePool, Conv, Elementwise, GlobalAveragePool, Layer, MaxPool

from .feature_map import DramLayout, FeatureMap, Shape, dense_input, plain_map, word_layout
from .folding import Folding, choose_folding
from .tasks import (
    AddTask,
    AveragePoolTask,
    ConvTask,
    DepthwiseTask,
    GlobalAverageTask,
    Kernel,
    MaxPoolTask,
    Task,
    decode_weights,
)


@dataclass
class TaskGraph:
    """What a program does: one task for each layer, in an order in which they can run.

    Tasks are appended one by one; each method that appends one returns the map that it makes.

    Members
    -------
    config:
        Parameters of the accelerator that the program is for.
    codewords:
        The codebook, int8 ``[k, d]``.
    tasks:
        Tasks in execution order; a task's position in this list is how maps refer to it.
    maps:
        All feature maps: program inputs and the tasks' outputs.
    """

    config: AcceleratorConfig
    codewords: np.ndarray = field(repr=False)
    tasks: list[Task]
    maps: list[FeatureMap]

    def add_input(self, feature_map: FeatureMap) -> FeatureMap:
        """Add a map that is in DRAM before the program starts."""
        self.maps.append(feature_map)
        return feature_map

    def add_conv(self, number: int, layer: Conv, shape: Shape, source: FeatureMap,
                 indexed: bool) -> FeatureMap:
        """Append a convolution on the array over a map that is there.

        Parameters
        ----------
        number:
            The layer's number in the program.
        layer:
            The convolution; not a depthwise one.
        shape:
            ``(H, W, C)`` of its input.
        source:
            The map that holds the input.
        indexed:
            Whether it has indices, not raw weights.
        """
        return self._append(ConvTask(
            self.config, number, layer.name, (source,), self._output(layer), _kernel_of(layer),
            conv=layer, codewords=self.codewords, indexed=indexed,
            group_channels=shape[2] // layer.groups))

    def add_folded_conv(self, number: int, layer: Conv, shape: Shape, zero_point: int,
                        offset: int, indexed: bool) -> FeatureMap:
        """Append a convolution that is the only reader of a program input, and that input.

        If that pays, kernel columns are folded into the lanes: see
        :mod:`vqrom_sw.compiler.folding`.

        Parameters
        ----------
        number, layer, shape, indexed:
            As in :meth:`add_conv`.
        zero_point, offset:
            The input's zero point, and its place in the INPUT region in bytes.
        """
        folding = choose_folding(layer, shape, indexed, self.config)
        name = f"input of {layer.name}"
        if folding.looks_up:
            layer = self._raw(layer, shape[2])
        if folding.columns == 1:
            source = dense_input(name, shape, zero_point, offset, self.config)
            return self.add_conv(number, layer, shape, self.add_input(source), folding.indexed)
        source = FeatureMap(
            name, height=shape[0], width=folding.words, words=1, pitch=folding.words,
            zero_point=zero_point, cut=folding.cut,
            dram=folding.input_layout(layer, shape, offset, self.config))
        return self._append(ConvTask(
            self.config, number, layer.name, (self.add_input(source),), self._output(layer),
            _folded_kernel(layer, folding), conv=layer, codewords=self.codewords,
            indexed=folding.indexed, folded=folding.columns, group_channels=shape[2]))

    def _raw(self, layer: Conv, channels: int) -> Conv:
        """The layer with raw weights in place of indices, if it has any weights."""
        if layer.indices is None:
            return layer
        weights = np.ascontiguousarray(decode_weights(layer, self.codewords)[..., :channels])
        return replace(layer, indices=None, raw=weights)

    def add_layer(self, number: int, layer: Layer, sources: Sequence[FeatureMap]) -> FeatureMap:
        """Append a layer that the vector unit does, a depthwise convolution among them.
        """
        match layer:
            case Conv():
                return self._append(self._depthwise(number, layer, sources))
            case Elementwise():
                return self._append(AddTask(self.config, number, layer.name, tuple(sources),
                                            self._output(layer), add=layer))
        common = (self.config, number, layer.name, tuple(sources), self._output(layer))
        match layer:
            case MaxPool():
                return self._append(MaxPoolTask(*common, _kernel_of(layer)))
            case AveragePool():
                return self._append(AveragePoolTask(*common, _kernel_of(layer),
                                                    clamp=layer.clamp))
            case GlobalAveragePool():
                return self._append(
                    GlobalAverageTask(*common, requantization=layer.requantization))
            case _:
                raise TypeError(f"unknown layer class {type(layer).__name__}")

    def _depthwise(self, number: int, layer: Conv, sources: Sequence[FeatureMap]) -> Task:
        return DepthwiseTask(self.config, number, layer.name, tuple(sources), self._output(layer),
                             _kernel_of(layer), clamp=layer.clamp, conv=layer,
                             codewords=self.codewords)

    def _output(self, layer: Layer) -> FeatureMap:
        """The map that a layer makes."""
        return plain_map(layer.name, layer.shape, layer.quantization.zero_point, self.config)

    def _append(self, task: Task) -> FeatureMap:
        """Append a task, and tell its maps who makes and who reads them."""
        position = len(self.tasks)
        self.tasks.append(task)
        self.maps.append(task.output)
        task.output.producer = position
        for source in task.inputs:
            source.consumers.append(position)
        return task.output

    def store(self, feature_map: FeatureMap, shape: Shape, offset: int) -> DramLayout:
        """Make a map an output of the program, at byte ``offset`` of the OUTPUT region."""
        feature_map.dram = word_layout(feature_map, shape, Region.OUTPUT, offset, self.config)
        return feature_map.dram


def _kernel_of(layer: Conv | MaxPool | AveragePool) -> Kernel:
    """The window of a layer, as the network has it."""
    top, left, _, _ = layer.padding
    return Kernel(*layer.kernel, *layer.stride, top, left)


def _folded_kernel(layer: Conv, folding: Folding) -> Kernel:
    """The kernel as it walks over the words of a folded input; padding is in the image there."""
    return Kernel(layer.kernel[0], folding.chunks, layer.stride[0],
                  layer.stride[1] // folding.hop, layer.padding[0],
                  tap=max(1, folding.columns // folding.hop))
