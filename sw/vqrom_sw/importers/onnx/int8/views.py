"""Operators that only see numbers in another shape or order."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from vqrom_hw.errors import VqromError
from vqrom_sw.network import HostStep, Native

from ..node import OnnxNode
from .values import Activation, Int8Layers, usual_map


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
