"""Operators that only see numbers in another shape or order."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import onnx

from vqrom_hw.errors import VqromError
from vqrom_sw.network import HostStep, Native, Shape

from ..node import OnnxNode
from .values import Activation, Int8Layers, usual_map

AXES = "CHW"
"""The axes of an image in the order in which ONNX's operators take them."""

WINDOWS = ("Conv", "MaxPool", "AveragePool", "GlobalAveragePool")
"""Operators that take two sizes for a signal ``(C, L)``."""


def input_map(graph: onnx.GraphProto, name: str, sizes: tuple[int, ...]) -> tuple[Shape, Native]:
    """The network's input as a map, as its first operator needs it.

    Parameters
    ----------
    graph:
        The model's graph.
    name, sizes:
        The input, and its shape without the axis of images.
    """
    reader = next((node for node in graph.node if name in node.input), None)
    while reader is not None and reader.op_type in ("QuantizeLinear", "DequantizeLinear"):
        name = reader.output[0]
        reader = next((node for node in graph.node if name in node.input), None)
    if reader is not None and reader.op_type in WINDOWS and len(sizes) == 2:
        return (sizes[1], 1, sizes[0]), Native(sizes)
    if reader is not None and reader.op_type == "Transpose" and len(sizes) == 3:
        order = next((list(entry.ints) for entry in reader.attribute if entry.name == "perm"), [])
        if sorted(order) == list(range(4)) and order[0] == 0:
            letters = {axis - 1: AXES[place] for place, axis in enumerate(order[1:])}
            lengths = {letters[axis]: size for axis, size in enumerate(sizes)}
            return (lengths["H"], lengths["W"], lengths["C"]), Native(
                sizes, "".join(letters[axis] for axis in range(3)))
    return usual_map(sizes)


def reshape(node: OnnxNode, value: Activation, shape: tuple[int, ...]) -> Activation:
    """See a value in another shape ``(1, ...)``."""
    node.ignore("axis", "allowzero")
    for place in range(1, node.inputs):
        node.value(place)
    if not shape or shape[0] != 1 or prod(shape) != prod(value.sizes) or len(shape) < 2:
        raise VqromError(f"the first axis must stay that of the images, not {shape!r} of one image")
    return replace(value, native=Native(shape[1:], value.native.order))


def transpose(layers: Int8Layers, node: OnnxNode, value: Activation) -> Activation:
    """See a value with its axes in another order; a host layer moves numbers if need be."""
    rank = len(value.sizes) + 1
    order = [int(axis) for axis in node.attribute("perm", list(range(rank))[::-1])]
    if sorted(order) != list(range(rank)) or order[0] != 0:
        raise VqromError(f"perm must leave the images in front, not {order!r}")
    sizes = tuple(value.sizes[axis - 1] for axis in order[1:])
    lengths = dict(zip("HWC", value.shape, strict=True))
    if value.sizes == tuple(lengths[axis] for axis in value.native.order):
        turned = "".join(value.native.order[axis - 1] for axis in order[1:])
        return replace(value, native=Native(sizes, turned))
    if value.scale is None:
        raise VqromError("must not come before the input's QuantizeLinear")
    shape, native = usual_map(sizes)
    return layers.moved(value, f"{value.layer}_transpose", shape, native,
                        [HostStep("permute.default", ({"input": 0}, order), {})])
