"""The first pass of the compiler: a quantised network as a task graph."""

from __future__ import annotations

import numpy as np

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError
from vqrom_sw.network import INPUT, Conv, Host, Layer, QuantizedNetwork, Softmax

from .feature_map import FeatureMap, dense_input
from .lowering import lower
from .placement import host_reason, is_depthwise
from .task_graph import TaskGraph


def network_graph(network: QuantizedNetwork, codewords: np.ndarray,
                  config: AcceleratorConfig) -> TaskGraph:
    """The tasks of a network, one for each layer; layers are numbered from 1.

    Raises
    ------
    VqromError
        If a layer is not one that the accelerator does.
    """
    for layer in network.layers:
        reason = host_reason(layer, network, config)
        if reason:
            raise VqromError(f"layer {layer.name!r}: must be one that the accelerator does, but "
                             f"{reason}; the reference engine runs it on the host")
    graph, zero_point = TaskGraph(config, codewords, [], []), network.input_quantization.zero_point
    alone = _only_reader(network, config)
    maps: dict[str, FeatureMap] = {}
    if alone is None:
        maps[INPUT] = graph.add_input(
            dense_input(INPUT, network.input_shape, zero_point, 0, config))
    for number, given in enumerate(network.layers, start=1):
        shape = network.shape_of(given.inputs[0])
        layer = lower(given, shape, config)
        if not isinstance(layer, Conv) or is_depthwise(layer, shape[2]):
            output = graph.add_layer(number, layer, [maps[name] for name in layer.inputs],
                                     [network.shape_of(name) for name in layer.inputs])
        elif given is alone:
            output = graph.add_folded_conv(number, layer, shape, zero_point, 0,
                                           layer.indices is not None)
        else:
            output = graph.add_conv(number, layer, shape, maps[layer.inputs[0]],
                                    layer.indices is not None)
        maps[layer.name] = output
    if len(network.outputs) != 1:
        raise VqromError(f"network {network.name!r} must have one output, "
                         f"not {len(network.outputs)}")
    last = network.outputs[0].layer
    graph.store(maps[last], network.shape_of(last), 0)
    return graph


def _only_reader(network: QuantizedNetwork, config: AcceleratorConfig) -> Layer | None:
    """The layer that a convolution on the array does and that alone reads the network's input."""
    first, *others = [layer for layer in network.layers if INPUT in layer.inputs]
    lowered = lower(first, network.input_shape, config)
    alone = (not others and first.inputs == (INPUT,) and isinstance(lowered, Conv)
             and not is_depthwise(lowered, network.input_shape[2]))
    return first if alone else None


def beyond_accelerator(network: QuantizedNetwork) -> list[str]:
    """Name and kind of each host layer: those that only the reference engine can run."""
    return [f"{layer.name!r} ({layer.operation})" for layer in network.layers
            if isinstance(layer, (Host, Softmax))]
