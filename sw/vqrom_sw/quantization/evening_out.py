"""Evening out feature maps that only host layers read: a scale for each channel.

int8 has one scale for a whole feature map. Where a few channels are many times larger than the
rest, as on the residual path of transformers, the rest is lost. If only host layers read such a
map, it can be made even: a convolution divides each of its output channels by a scale of its own,
which costs nothing, and the host layer multiplies by it again in float32. A sum becomes the first
step of the host layer that reads it, so that it never becomes int8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch

from vqrom_sw.encoding import Encoded
from vqrom_sw.network import (
    INPUT,
    UNBOUNDED,
    FloatConv,
    FloatElementwise,
    FloatHost,
    FloatLayer,
    FloatNetwork,
    HostStep,
    Native,
    Shape,
)
from vqrom_sw.reference import float_forward

UNEVEN = 4.0
"""Ratio of the largest channel's magnitude to the median channel's above which a feature map is
made even.
"""

Reference = dict[str, int]
"""What an argument of a host step refers to: ``{"input": n}``, ``{"step": n}`` or
``{"constant": n}``.
"""


def even_out(network: FloatNetwork, encoded: Mapping[str, Encoded],
             images: torch.Tensor) -> tuple[FloatNetwork, dict[str, Encoded]]:
    """Make the feature maps even that host layers alone read, without changing the function.

    Parameters
    ----------
    network:
        The network in float, as it was captured.
    encoded:
        Its convolutions by their layers' names.
    images:
        float32 ``[N, C, H, W]`` inputs like those to come; they tell which maps are uneven.

    Returns
    -------
    tuple
        A network that computes the same, and its encoded convolutions in the new scales. Where
        every map is even already, both hold what was given.
    """
    ranges = {name: found.abs().amax((0, 2, 3))
              for name, found in float_forward(network, images).items()}
    layers = {layer.name: layer for layer in network.layers}
    shapes = {INPUT: network.input_shape} | {layer.name: layer.shape for layer in network.layers}
    # What the network gives out must stay as it is.
    inner = [layer for layer in network.layers
             if layer.name not in {output.layer for output in network.outputs}]
    for layer in inner:
        if isinstance(layer, FloatElementwise) and layer.operator == "add" \
                and all(shapes[name] == layer.shape for name in layer.inputs) \
                and _to_change(layer, layers, ranges):
            readers = _readers(layers, layer.name)
            for reader in readers:
                layers[reader.name] = _add_inside(reader, layer)
            del layers[layer.name]
    scaled = dict(encoded)
    for layer in inner:
        if isinstance(layer, FloatConv) and _to_change(layer, layers, ranges):
            largest = ranges[layer.name]
            scale = torch.where(largest > 0, largest, 1.0)
            layers[layer.name] = replace(
                layer, weight=layer.weight / scale.reshape(-1, 1, 1, 1), bias=layer.bias / scale)
            for reader in _readers(layers, layer.name):
                layers[reader.name] = _multiply_inside(reader, layer, scale)
            scaled[layer.name] = _scaled(scaled[layer.name], scale)
    return replace(network, layers=tuple(layers.values())), scaled


def _readers(layers: Mapping[str, FloatLayer], name: str) -> list[FloatHost]:
    """List the host layers that read a feature map; none if the accelerator reads it, too."""
    readers = [layer for layer in layers.values() if name in layer.inputs]
    hosts = [layer for layer in readers if isinstance(layer, FloatHost)]
    return hosts if len(hosts) == len(readers) else []


def _to_change(layer: FloatElementwise | FloatConv, layers: Mapping[str, FloatLayer],
               ranges: Mapping[str, torch.Tensor]) -> bool:
    """Tell whether a layer's output is uneven, has no activation, and host layers alone read it."""
    found = ranges[layer.name]
    uneven = bool(found.amax() > UNEVEN * found.median())
    return layer.bounds == UNBOUNDED and uneven and bool(_readers(layers, layer.name))


def _add_inside(host: FloatHost, layer: FloatElementwise) -> FloatHost:
    """Give a host layer a sum as its first step, in the place of the sum's feature map."""
    place = host.inputs.index(layer.name)
    native = host.inputs_native[place]
    count = len(host.inputs)
    step = HostStep("add.Tensor", ({"input": count}, {"input": count + 1}), {})
    longer = replace(host, kind=f"add, {host.kind}", inputs=host.inputs + layer.inputs,
                     inputs_native=(*host.inputs_native, native, native))
    return _without_input(_prepend(longer, step, place), place)


def _multiply_inside(host: FloatHost, layer: FloatConv, scale: torch.Tensor) -> FloatHost:
    """Give a host layer a first step that multiplies one of its inputs by its channels' scales."""
    for place, source in enumerate(host.inputs):
        if source == layer.name:
            constant = _seen(scale, host.inputs_native[place], layer.shape)
            step = HostStep("mul.Tensor", ({"input": place}, {"constant": len(host.constants)}), {})
            host = _prepend(replace(host, constants=(*host.constants, constant)), step, place)
    return host


def _seen(scale: torch.Tensor, native: Native, shape: Shape) -> torch.Tensor:
    """A number for each channel ``[C]``, as a host layer sees a map: it broadcasts over a batch."""
    height, width, channels = shape
    if native == Native((height, channels), "HWC") and width == 1:
        return scale
    if len(native.sizes) == 3:
        seen = Native(tuple(channels if axis == "C" else 1 for axis in native.order), native.order)
        if native.sizes == tuple(dict(zip("HWC", shape, strict=True))[axis]
                                 for axis in native.order):
            return seen.tensor(scale.reshape(1, -1, 1, 1))[0]
    return native.tensor(scale.reshape(1, -1, 1, 1).expand(1, channels, height, width))[0]


def _prepend(host: FloatHost, step: HostStep, place: int) -> FloatHost:
    """Put a step before all others, whose result stands for the input ``place`` in these."""
    def moved(reference: Reference) -> Reference:
        (kind, number), = reference.items()
        if kind == "input" and number == place:
            return {"step": 0}
        return {"step": number + 1} if kind == "step" else reference

    return replace(host, steps=(step, *_renamed(host.steps, moved)))


def _without_input(host: FloatHost, place: int) -> FloatHost:
    """Remove an input that no step refers to."""
    def moved(reference: Reference) -> Reference:
        (kind, number), = reference.items()
        return {kind: number - 1} if kind == "input" and number > place else reference

    return replace(host, inputs=host.inputs[:place] + host.inputs[place + 1:],
                   inputs_native=host.inputs_native[:place] + host.inputs_native[place + 1:],
                   steps=tuple(_renamed(host.steps, moved)))


def _renamed(steps: tuple[HostStep, ...], moved: Any) -> list[HostStep]:
    """Copy the steps, every reference in their arguments replaced by ``moved(reference)``."""
    def rename(argument: Any) -> Any:
        if isinstance(argument, dict):
            return moved(argument)
        if isinstance(argument, list | tuple):
            return [rename(part) for part in argument]
        return argument

    return [HostStep(step.op, tuple(rename(part) for part in step.arguments),
                     {key: rename(value) for key, value in step.keywords.items()})
            for step in steps]


def _scaled(encoded: Encoded, scale: torch.Tensor) -> Encoded:
    """Divide a convolution's output channels by a scale of each; its integers stay."""
    divisor = scale.double().numpy()
    return replace(encoded, fitted=encoded.fitted / divisor, scale=encoded.scale / divisor,
                   bias=encoded.bias / divisor)
