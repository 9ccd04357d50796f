"""One quantisation for all that is put together: the inputs of a concatenation and its output.

A concatenation moves bytes, and has nothing to compute where its inputs have its output's
quantisation. Layers that nothing but concatenations reads take it: their numbers are rounded once
instead of twice. So do others whose range is at least half as wide as the output's: that costs one
bit of theirs at most.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, MutableMapping

from vqrom_sw.arithmetic import Quantization
from vqrom_sw.network import INPUT, FloatConcat, FloatLayer, FloatNetwork

LEAST_SHARE = 0.5
"""Least scale of a concatenation's input that others read, relative to the output's, at which it
takes the output's quantisation."""


def share_ranges(network: FloatNetwork, quantizations: MutableMapping[str, Quantization],
                 keeping: tuple[type[FloatLayer], ...]) -> None:
    """Give the inputs of concatenations their output's quantisation, where they are alike.

    Parameters
    ----------
    network:
        The network in float.
    quantizations:
        Quantisation of the input and of every layer's output, by name; it is changed.
    keeping:
        Layers whose output has the quantisation of their input, and keeps having it.
    """
    layers = {layer.name: layer for layer in network.layers}
    joined = _only_joined(network, keeping)
    for layer in reversed(network.layers):
        if isinstance(layer, FloatConcat):
            wanted = quantizations[layer.name]
            for name in layer.inputs:
                source = _origin(name, layers, keeping)
                least = 0.0 if source in joined else LEAST_SHARE * wanted.scale
                if source != INPUT and quantizations[source].scale >= least:
                    quantizations[source] = wanted
    for layer in network.layers:
        if isinstance(layer, keeping):
            quantizations[layer.name] = quantizations[layer.inputs[0]]


def _origin(name: str, layers: dict[str, FloatLayer],
            keeping: tuple[type[FloatLayer], ...]) -> str:
    """The layer, or the input, that decides the quantisation of a map."""
    while name != INPUT and isinstance(layers[name], keeping):
        name = layers[name].inputs[0]
    return name


def _only_joined(network: FloatNetwork, keeping: tuple[type[FloatLayer], ...]) -> set[str]:
    """Maps that one concatenation alone reads, perhaps through layers that keep quantisations."""
    readers: Mapping[str, list[FloatLayer]] = defaultdict(list)
    for layer in network.layers:
        for name in layer.inputs:
            readers[name].append(layer)
    ends = {output.layer: {output.layer} for output in network.outputs}
    for layer in reversed(network.layers):
        ends[layer.name] = ends.get(layer.name, set()).union(*(
            ends[reader.name] if isinstance(reader, keeping) else {reader.name}
            for reader in readers[layer.name]))
    concatenations = {layer.name for layer in network.layers if isinstance(layer, FloatConcat)}
    return {name for name, found in ends.items()
            if len(found) == 1 and found <= concatenations - {name}}
