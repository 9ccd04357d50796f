"""Activation-buffer addresses: first fit over the lifetimes of feature maps."""

from __future__ import annotations

from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.errors import VqromError

from .network import INPUT, QuantizedNetwork
from .program import Placement


def place_feature_maps(network: QuantizedNetwork,
                       config: AcceleratorConfig) -> dict[str, Placement]:
    """Give each layer's output, and the input, words of the activation buffer.

    A map lives from its producer to its last consumer. Words are rounded up to whole bus beats,
    so that a STORE never ends inside a beat.

    Raises
    ------
    VqromError
        If a map does not fit beside those that are alive with it.
    """
    names = [INPUT, *(layer.name for layer in network.layers)]
    last_use = {name: step for step, name in enumerate(names)}
    for step, layer in enumerate(network.layers, start=1):
        for name in layer.inputs:
            last_use[name] = step
    last_use[names[-1]] = len(names)

    unit = max(1, config.beat_bytes // config.rows)
    placed: dict[str, Placement] = {}
    sizes: dict[str, int] = {}
    for step, name in enumerate(names):
        place = Placement(0, network.shape_of(name), config.rows)
        sizes[name] = -(-place.words // unit) * unit
        alive = sorted((placed[other].base, sizes[other]) for other in placed
                       if last_use[other] >= step)
        base = 0
        for start, size in alive:
            if base + sizes[name] <= start:
                break
            base = max(base, start + size)
        if base + sizes[name] > config.activation_words:
            raise VqromError(
                f"layer {name!r}: its feature maps must fit activation_words "
                f"{config.activation_words} "
                f"of config {config.name!r}, not {base + sizes[name]!r} words")
        placed[name] = Placement(base, place.shape, config.rows)
    return placed
