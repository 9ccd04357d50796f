"""Programs for topologies of SCALE-Sim: lists of convolutions or matrix products without weights.

Each layer stands alone: it reads its own input from DRAM and writes its output there. Nothing says
how an input lies there, so that windows which share no pixel are gathered: a matrix product that is
written as a convolution is the same product. Weights are random numbers, or absent where only the
cycles matter.
"""

from __future__ import annotations

import numpy as np

from vqrom_hw.codebook import codebook_sha256
from vqrom_hw.config import AcceleratorConfig
from vqrom_sw.arithmetic import (
    HIGHEST,
    LOWEST,
    Quantization,
    Requantization,
    quantize_multiplier,
)
from vqrom_sw.compiler import (
    BEAT_COST,
    Program,
    Reload,
    TaskGraph,
    align,
    compile_graph,
    dense_input,
    is_depthwise,
)
from vqrom_sw.importers import Topology, TopologyLayer
from vqrom_sw.network import INPUT, Conv, QuantizedNetwork, image_native, image_output


def compile_topology(topology: Topology, codewords: np.ndarray, config: AcceleratorConfig, *,
                     raw: bool = False, contents: bool = False, seed: int = 0,
                     codebook_reload: Reload = "network",
                     beat_cost: float = BEAT_COST) -> Program:
    """Compile a topology's layers, one after the other, into one program.

    Parameters
    ----------
    topology:
        The layers.
    codewords:
        The codebook, int8 ``[k, d]``.
    config:
        Parameters of the accelerator that the program is for.
    raw:
        Whether the layers have raw int8 weights instead of indices.
    contents:
        Whether to make random weights. Without them the program has the right commands but no
        constants, which is enough for the cycle model.
    seed:
        Seed of the random weights.
    codebook_reload:
        With ``codebook_storage = sram``: load the codebook once, or before each indexed layer.
    beat_cost:
        Estimated cycles that strips may take longer for each bus beat that they save, as in
        :func:`vqrom_sw.compiler.compile_network`.

    Returns
    -------
    Program
        A program whose layers are ``"load"``, those of the topology, and ``"store"``. Moving a
        layer's input and output counts for the layer itself.

    Raises
    ------
    VqromError
        If a layer does not fit the accelerator.
    """
    graph = TaskGraph(config, codewords, [], [])
    layers = [layer.gathered for layer in topology.layers]
    convs = [network.layers[0] for network in random_networks(topology, codewords, raw, seed)] \
        if contents else [_blank(layer) for layer in layers]
    input_offset = output_offset = 0
    for number, (layer, conv) in enumerate(zip(layers, convs, strict=True), start=1):
        assert isinstance(conv, Conv)
        zero_point = conv.quantization.zero_point
        if is_depthwise(conv, layer.shape[2]):
            source = dense_input(INPUT, layer.shape, zero_point, input_offset, config)
            graph.maps.append(source)
            output = graph.add_layer(number, conv, [source], [layer.shape])
        else:
            output = graph.add_folded_conv(number, conv, layer.shape, zero_point, input_offset,
                                           not raw)
            source = graph.tasks[-1].inputs[0]
        assert source.dram is not None
        input_offset = align(input_offset + source.dram.size)
        output_offset = align(output_offset + graph.store(output, conv.shape, output_offset).size)
    names = ("load", *(layer.name for layer in topology.layers), "store")
    indexed = not raw and any(task.on_array for task in graph.tasks)
    return compile_graph(graph, names, indexed, ends=False, codebook_reload=codebook_reload,
                         contents=contents, beat_cost=beat_cost)


def random_networks(topology: Topology, codewords: np.ndarray, raw: bool = False,
                    seed: int = 0) -> list[QuantizedNetwork]:
    """Each layer as a network of its own, with the random weights of :func:`compile_topology`.

    Layers are gathered: see :attr:`vqrom_sw.importers.TopologyLayer.gathered`.

    Parameters
    ----------
    topology, codewords, raw, seed:
        As for :func:`compile_topology`.
    """
    rng = np.random.default_rng(seed)
    digest = codebook_sha256(codewords)
    networks = []
    for layer in (layer.gathered for layer in topology.layers):
        conv = _random(layer, codewords, raw, rng)
        networks.append(QuantizedNetwork(
            layer.name, layer.shape, conv.quantization, (conv,), (image_output(conv),), digest,
            image_native(layer.shape)))
    return networks


def _random(layer: TopologyLayer, codewords: np.ndarray, raw: bool,
            rng: np.random.Generator) -> Conv:
    reduced = 1 if layer.depthwise else layer.shape[2]
    shape = (layer.filters, *layer.kernel)
    indices = weights = None
    if raw:
        weights = rng.integers(LOWEST, HIGHEST + 1, (*shape, reduced), np.int8)
    else:
        parts = -(-reduced // codewords.shape[1])
        indices = rng.integers(0, len(codewords), (*shape, parts), np.uint16)
    per_pixel = layer.kernel[0] * layer.kernel[1] * reduced
    factors = rng.uniform(0.8, 1.6, layer.filters) / (74 * np.sqrt(per_pixel))
    return _conv(layer, indices, weights, int(rng.integers(-30, 30)),
                 rng.integers(-4000, 4000, layer.filters).astype(np.int32),
                 quantize_multiplier(layer.name, factors))


def _blank(layer: TopologyLayer) -> Conv:
    """The layer as a convolution without weights, biases and factors."""
    nothing = np.zeros(0, np.int32)
    return _conv(layer, None, None, 0, nothing, Requantization(nothing, nothing.astype(np.int8)))


def _conv(layer: TopologyLayer, indices: np.ndarray | None, weights: np.ndarray | None,
          zero_point: int, bias: np.ndarray, requantization: Requantization) -> Conv:
    """The layer as a convolution whose input and output have the same zero point."""
    return Conv(layer.name, (INPUT,), layer.output_shape, Quantization(1.0, zero_point), "conv",
                layer.kernel, layer.stride, layer.padding, indices, weights,
                np.ones(len(bias)), bias, requantization, (LOWEST, HIGHEST),
                layer.shape[2] if layer.depthwise else 1)
