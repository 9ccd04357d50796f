"""The task graph: the tasks that the accelerator carries out, and the feature maps between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import Region
from vqrom_sw.network import Conv, DepthToSpace, Layer

from .channel_multiplier import repeat_channels, runs_on_vector_unit
from .feature_map import DramLayout, FeatureMap, Shape, plain_map, word_layout
from .inputs import choose_form
from .lowering import order_for_pixels
from .tasks import ConvTask, DepthToSpaceTask, DepthwiseTask, Task, kernel_of
from .vector_tasks import vector_task


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
            self.config, number, layer.name, (source,), self._output(layer), kernel_of(layer),
            conv=layer, codewords=self.codewords, indexed=indexed,
            group_channels=shape[2] // layer.groups))

    def add_folded_conv(self, number: int, layer: Conv, shape: Shape, zero_point: int,
                        offset: int, indexed: bool) -> FeatureMap:
        """Append a convolution that is the only reader of a program input, and that input.

        The input is laid out as suits the layer: see :mod:`vqrom_sw.compiler.inputs`.

        Parameters
        ----------
        number, layer, shape, indexed:
            As in :meth:`add_conv`.
        zero_point, offset:
            The input's zero point, and its place in the INPUT region in bytes.
        """
        form = choose_form(layer, shape, indexed, self.codewords, self.config)
        source = self.add_input(form.source(zero_point, offset, self.config))
        return self._append(ConvTask(
            self.config, number, layer.name, (source,), self._output(layer), form.kernel,
            conv=form.layer, codewords=self.codewords, indexed=form.indexed,
            folded=form.folding.columns, group_channels=form.shape[2] // layer.groups))

    def add_layer(self, number: int, layer: Layer, sources: Sequence[FeatureMap],
                  shapes: Sequence[Shape]) -> FeatureMap:
        """Append a layer that the vector unit does, a depthwise convolution among them.

        Parameters
        ----------
        number, layer:
            The layer's number in the program, and the layer.
        sources, shapes:
            The maps that hold its inputs, and their ``(H, W, C)``.
        """
        match layer:
            case Conv():
                return self._add_depthwise(number, layer, sources[0])
            case DepthToSpace():
                return self._add_depth_to_space(number, layer, sources[0])
            case _:
                return self._append(vector_task(self.config, number, layer, tuple(sources),
                                                tuple(shapes), self._output(layer)))

    def _add_depth_to_space(self, number: int, layer: DepthToSpace,
                            source: FeatureMap) -> FeatureMap:
        """Append channels that become pixels: another task puts them in order before."""
        shape = (source.height, source.width, layer.shape[2] * layer.block**2)
        order = order_for_pixels(layer, layer.block, shape, self.config)
        ordered = self.add_conv(number, order, shape, source, indexed=False) \
            if isinstance(order, Conv) else self._append(vector_task(
                self.config, number, order, (source,), (shape,), self._output(order)))
        return self._append(DepthToSpaceTask(
            self.config, number, layer.name, (ordered,), self._output(layer),
            factor=(layer.block, layer.block)))

    def _add_depthwise(self, number: int, layer: Conv, source: FeatureMap) -> FeatureMap:
        """Append a depthwise convolution, which may have several outputs for each channel."""
        channels = layer.groups
        if not runs_on_vector_unit(layer, self.config):
            shape = (source.height, source.width, channels)
            return self.add_conv(number, layer, shape, source, layer.indices is not None)
        if layer.shape[2] > channels:
            repeat = repeat_channels(layer, source)
            source = self.add_conv(number, repeat, (source.height, source.width, channels),
                                   source, indexed=False)
        return self._append(DepthwiseTask(
            self.config, number, layer.name, (source,), self._output(layer), kernel_of(layer),
            clamp=layer.clamp, conv=layer, codewords=self.codewords))

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
            if source.producer is not None:
                before = self.tasks[source.producer]
                if before.on_array != task.on_array and before.hands_over and task.hands_over:
                    before.alternates = task.alternates = True
        return task.output

    def store(self, feature_map: FeatureMap, shape: Shape, offset: int) -> DramLayout:
        """Make a map an output of the program, at byte ``offset`` of the OUTPUT region."""
        feature_map.dram = word_layout(feature_map, shape, Region.OUTPUT, offset, self.config)
        return feature_map.dram
