"""Stages: a network cut where layers change between the accelerator and the host.

The accelerator runs one program for each of its stages, the host the layers in between. Maps go
from stage to stage in DRAM, so there should be few stages: each takes all layers that it can.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from vqrom_hw.config import AcceleratorConfig
from vqrom_sw.network import INPUT, Layer, QuantizedNetwork

from .placement import host_reason

Place = Literal["accelerator", "host"]
"""Where a stage runs."""


@dataclass(frozen=True)
class Stage:
    """Layers of a network that run on one side before the other side goes on.

    Members
    -------
    where:
        Which side.
    layers:
        The layers in execution order.
    inputs:
        Names of the maps that they read and that are there before, ``"input"`` among them; in the
        order in which they are first read.
    outputs:
        Names of those of their maps that later stages read or that the network gives, in execution
        order. There is at least one: the last layer's, if nobody wants any.
    """

    where: Place
    layers: tuple[Layer, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def cut_network(network: QuantizedNetwork, config: AcceleratorConfig) -> tuple[Stage, ...]:
    """Cut a network into the fewest stages, in the order in which they run.

    A stage takes every layer of its side that is ready. Whether the accelerator or the host better
    begins is tried. A network that the accelerator does as a whole is one stage, whose layers keep
    the network's order.

    Parameters
    ----------
    network:
        The quantised network.
    config:
        Dimensions of the accelerator, on which it depends which layers it does.
    """
    on_host = {layer.name for layer in network.layers if host_reason(layer, network, config)}
    runs = min((_take_turns(network.layers, on_host, first) for first in (False, True)), key=len)
    return tuple(_stage(run, network, on_host) for run in runs)


def _take_turns(layers: Iterable[Layer], on_host: set[str], host: bool) -> list[list[Layer]]:
    """Runs of layers of one side each, the host's first if it begins; none is empty."""
    waiting, done, runs = list(layers), {INPUT}, []
    while waiting:
        run: list[Layer] = []
        rest: list[Layer] = []
        # Layers come after those that they read, so one pass finds all that are ready.
        for layer in waiting:
            if (layer.name in on_host) == host and done.issuperset(layer.inputs):
                done.add(layer.name)
                run.append(layer)
            else:
                rest.append(layer)
        waiting, host = rest, not host
        if run:
            runs.append(run)
    return runs


def _stage(layers: list[Layer], network: QuantizedNetwork, on_host: set[str]) -> Stage:
    """The stage of a run of layers, with the maps that cross its borders."""
    own = {layer.name for layer in layers}
    read = dict.fromkeys(name for layer in layers for name in layer.inputs)
    wanted = {output.layer for output in network.outputs}
    wanted |= {name for layer in network.layers if layer.name not in own for name in layer.inputs}
    given = tuple(layer.name for layer in layers if layer.name in wanted)
    return Stage("host" if layers[0].name in on_host else "accelerator", tuple(layers),
                 tuple(name for name in read if name not in own),
                 given or (layers[-1].name,))
