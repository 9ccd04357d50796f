"""Feature maps of the float network and of the encoded one, for as many inputs as memory lets.

Encoding by outputs looks at one layer after the other with a set of inputs, whose feature maps it
keeps. Maps of the first layers are large, and few inputs give them many positions. Later maps are
small: on few inputs their many weights would be fitted to these alone. So inputs are added on the
way, which first run through the layers that are encoded already
(docs/decisions/0016-more-inputs-for-late-layers).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from vqrom_sw.network import INPUT, FloatConv, FloatLayer, FloatNetwork
from vqrom_sw.reference import LiveResults

from .encoded import Encoded, Pair, encoded_pair

LARGEST_BYTES = 1 << 30
"""Most bytes of one feature map for all inputs together, which decides how many inputs fit."""

SAMPLES_PER_WEIGHT = 16
"""Positions of a layer's output that are wanted for each weight of an output channel: the layer
with the most weights for its output's size decides how many inputs the network is looked at with.
"""

FEWEST, MOST = 256, 16384
"""Least and greatest number of inputs that are wanted, as far as there are so many."""

FEWEST_THAT_FIT = 16
"""Inputs that are taken even where their maps exceed :data:`LARGEST_BYTES`."""

WORTH_ADDING = 1.5
"""Factor by which the number of inputs must grow for inputs to be added, since those added run
through all layers before.
"""

CHUNK = 32
"""Added inputs that run through the layers before at once, which bounds the memory of doing so."""


def inputs_by_layer(network: FloatNetwork, available: int) -> dict[str, int]:
    """Decide how many inputs each layer is looked at with; never fewer than the layer before it.

    Parameters
    ----------
    network:
        The network in float, as it was captured.
    available:
        Number of inputs that there are.
    """
    wanted = max((SAMPLES_PER_WEIGHT * layer.weight[0].numel() // (layer.shape[0] * layer.shape[1])
                  for layer in network.layers if isinstance(layer, FloatConv)), default=0)
    most = min(available, int(np.clip(wanted, FEWEST, MOST)))
    elements = {layer.name: int(np.prod(layer.shape)) for layer in network.layers}
    elements[INPUT] = int(np.prod(network.input_shape))
    found: dict[str, int] = {}
    count = 0
    for number, layer in enumerate(network.layers):
        rest = network.layers[number:]
        largest = max(elements[name] for one in rest for name in (one.name, *one.inputs))
        fit = min(most, max(FEWEST_THAT_FIT, LARGEST_BYTES // (4 * largest)))
        if fit >= WORTH_ADDING * count or fit == most:
            count = max(count, fit)
        found[layer.name] = count
    return found


class KeptMaps:
    """The feature maps that layers to come read, of the float network and of the encoded one.

    Layers are taken in execution order: :meth:`prepare` one, encode it, :meth:`put` its result.

    Parameters
    ----------
    network:
        The network in float, as it was captured.
    images:
        float32 ``[N, C, H, W]``: all inputs that there are.
    encoded:
        The layers encoded so far by name, which the caller adds to; it is read when inputs are
        added.

    Members
    -------
    counts:
        Number of inputs that each layer is looked at with, by its name.
    """

    def __init__(self, network: FloatNetwork, images: torch.Tensor,
                 encoded: Mapping[str, Encoded]):
        self.counts = inputs_by_layer(network, len(images))
        self._network, self._images, self._encoded = network, images, encoded
        self._live: LiveResults[Pair] = LiveResults(network, {})
        self._count = 0

    @property
    def results(self) -> dict[str, Pair]:
        """Kept feature maps by layer, for the inputs that the layer prepared last has."""
        return self._live.results

    def prepare(self, layer: FloatLayer) -> list[Pair]:
        """Add the inputs that fit from this layer on, and return what the layer reads."""
        wanted = self.counts[layer.name]
        if wanted > self._count:
            added = self._images[self._count:wanted].split(CHUNK)
            parts = [self.results] * (self._count > 0) \
                + [self._before(layer, chunk) for chunk in added]
            self._live.results = {
                name: (torch.cat([part[name][0] for part in parts]),
                       torch.cat([part[name][1] for part in parts])) for name in parts[0]}
            self._count = wanted
        return self._live.inputs(layer)

    def put(self, layer: FloatLayer, result: Pair) -> None:
        """Keep a layer's result, and forget the maps that no later layer reads."""
        self._live.put(layer, result)

    def _before(self, stop: FloatLayer, images: torch.Tensor) -> dict[str, Pair]:
        """Run other images through the layers before ``stop``; return what would be kept then."""
        live: LiveResults[Pair] = LiveResults(self._network, {INPUT: (images, images)})
        for layer in self._network.layers:
            if layer is stop:
                break
            live.put(layer, encoded_pair(layer, self._encoded.get(layer.name), live.inputs(layer)))
        return live.results
