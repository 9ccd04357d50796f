"""Feature maps of the float network and of the encoded one, of as many inputs as memory lets.

Maps of the first layers are large, and few inputs give them many positions. Later maps are small,
and what they say of few inputs is soon learnt by heart: so inputs are added on the way, which run
through the layers that are encoded already.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from vqrom_sw.network import INPUT, FloatConv, FloatLayer, FloatNetwork
from vqrom_sw.reference import LiveResults

from .encoded import Encoded, Pair, encoded_pair

LARGEST_BYTES = 1 << 30
"""Of one feature map for all inputs."""

SAMPLES_PER_WEIGHT = 16
"""Positions of the output wanted for each weight of a channel; decides how many inputs."""

FEWEST, MOST = 256, 16384
"""Inputs wanted at least and at most, as far as there are so many."""

FEWEST_THAT_FIT = 16
WORTH_ADDING = 1.5
"""Times as many inputs as before, if there shall be more."""

CHUNK = 32
"""Inputs added at once."""


def inputs_by_layer(network: FloatNetwork, available: int) -> dict[str, int]:
    """How many inputs each layer is looked at with; never fewer than the layer before."""
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
    """Results that layers to come read, by name: of the float network and of the encoded one.

    Parameters
    ----------
    images:
        float32 ``[N, C, H, W]``.
    encoded:
        Of the layers so far; looked at again when inputs are added.
    """

    def __init__(self, network: FloatNetwork, images: torch.Tensor,
                 encoded: Mapping[str, Encoded]):
        self.counts = inputs_by_layer(network, len(images))
        self._network, self._images, self._encoded = network, images, encoded
        self._live: LiveResults[Pair] = LiveResults(network, {})
        self._count = 0

    @property
    def results(self) -> dict[str, Pair]:
        """What is kept, of the first :attr:`counts` inputs of the layer prepared last."""
        return self._live.results

    def prepare(self, layer: FloatLayer) -> list[Pair]:
        """The layer's inputs, after adding what fits from here on."""
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
        """Keep a layer's result, and forget what was last read by it."""
        self._live.put(layer, result)

    def _before(self, stop: FloatLayer, images: torch.Tensor) -> dict[str, Pair]:
        """What is kept when ``stop`` comes, of other images."""
        live: LiveResults[Pair] = LiveResults(self._network, {INPUT: (images, images)})
        for layer in self._network.layers:
            if layer is stop:
                break
            live.put(layer, encoded_pair(layer, self._encoded.get(layer.name), live.inputs(layer)))
        return live.results
